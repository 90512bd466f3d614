// An ESME made of node-smpp, as a customer would write it: reads a job from standard input, does it, tells what came of
// it on standard output. Both are one JSON object; tests/interop/node.py says what is in them.

'use strict';

const fs = require('fs');
const smpp = require('smpp');

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const told = {bind_status: null, responses: [], delivered: [], most_outstanding: 0, unbind_status: null, errors: []};

const session = smpp.connect({
  host: job.host,
  port: job.port,
  tls: job.tls,
  ca: job.certificate && fs.readFileSync(job.certificate),
  auto_enquire_link_period: 10000,
});
const over = setTimeout(() => finish('time is up'), job.seconds * 1000);

session.on('error', (error) => finish(String(error)));
session.on('close', () => finish(told.unbind_status === null && told.bind_status === 0 ? 'closed' : null));
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  told.delivered.push({
    text: text_of(pdu),
    esm_class: pdu.esm_class,
    from: pdu.source_addr,
    to: pdu.destination_addr,
    id: text(pdu.receipted_message_id),
    state: pdu.message_state,
  });
  go_on();
});
session.on('enquire_link', (pdu) => session.send(pdu.response()));
session.on('unbind', (pdu) => {
  session.send(pdu.response());
  session.close();
});
session.on(job.tls ? 'secureConnect' : 'connect', () => {
  session['bind_' + job.bind]({
    system_id: job.system_id,
    password: job.password,
    interface_version: job.interface_version,
  }, (pdu) => {
    told.bind_status = pdu.command_status;
    if (pdu.command_status !== 0) {
      finish(null);
    } else {
      go_on();
    }
  });
});

let next = 0;
let answered = 0;

function go_on() {
  while (next < job.submits.length && next - answered < job.window) {
    submit(next++);
  }
  told.most_outstanding = Math.max(told.most_outstanding, next - answered);
  if (answered === job.submits.length && told.delivered.length >= job.deliveries) {
    session.unbind((pdu) => {
      told.unbind_status = pdu.command_status;
      finish(null);
    });
  }
}

function submit(number) {
  const {text, hex, udh, payload, ...fields} = job.submits[number];
  const message = hex === undefined ? text : Buffer.from(hex, 'hex');
  const content = udh === undefined ? message : {udh: Buffer.from(udh, 'hex'), message};
  session.submit_sm({...fields, [payload ? 'message_payload' : 'short_message']: content}, (pdu) => {
    told.responses[number] = {status: pdu.command_status, id: text_of_id(pdu)};
    answered++;
    go_on();
  });
}

function text_of(pdu) {
  const content = pdu.message_payload || pdu.short_message;
  return text(content && content.message);
}

function text_of_id(pdu) {
  return text(pdu.message_id) || '';
}

function text(value) {
  return Buffer.isBuffer(value) ? value.toString('latin1').replace(/\0+$/, '') : value;
}

let finished = false;

function finish(error) {
  if (finished) {
    return;
  }
  finished = true;
  clearTimeout(over);
  if (error) {
    told.errors.push(error);
  }
  session.destroy();
  process.stdout.write(JSON.stringify(told), () => process.exit(0));
}
