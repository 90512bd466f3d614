"""Three real messages through the running platform, each with its timeline and what it cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from infra.local.card import Keys
from infra.local.children import Crew, RunFailed
from infra.local.place import HOST, Place

FINAL_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
SPANISH: Final = (
    "Estimada señora Núñez: su pedido nº 4711 ya está en camino 🚚. Llegará mañana entre las 9 y las 13 h. "
    "Si prefiere otra hora, respóndanos con «CAMBIAR» y le llamaremos. ¡Gracias por su confianza!"
)


@dataclass(frozen=True)
class Sample:
    """A message to send, and the end that it should come to."""

    title: str
    to: str
    text: str
    end: str


SAMPLES: Final = (
    Sample("a short message", "+34609001234", "Hello from Chasqui.", "delivered"),
    Sample("a long one, in Spanish, with an emoji", "+51999123456", SPANISH, "delivered"),
    Sample("one to a number that the simulator fails", "+34619000001", "This one will not arrive.", "undelivered"),
)


def send_three(where: Place, keys: Keys, crew: Crew) -> bool:
    """Send the samples, print how each went; whether each ended as it should. Raises RunFailed."""
    with httpx.Client(base_url=where.base_url, headers=authorization(keys.api_key), timeout=30) as client:
        sent = [_send(client, number, sample) for number, sample in enumerate(SAMPLES, start=1)]
        ended = [_follow(client, message_id, crew) for message_id in sent]
        for number, (sample, message) in enumerate(zip(SAMPLES, ended, strict=True), start=1):
            print(f"\n{number}. {sample.title}, to {message['to']}", flush=True)
            for line in _timeline(client, message):
                print(f"   {line}", flush=True)
    return all(message["status"] == sample.end for sample, message in zip(SAMPLES, ended, strict=True))


def authorization(key: str) -> dict[str, str]:
    """The header that an API key goes in."""
    return {"Authorization": f"Bearer {key}"}


def banner(where: Place, keys: Keys) -> str:
    """What somebody needs to go on by hand."""
    smpp = keys.smpp
    body = '{"to": "+34609001234", "from": "Chasqui", "text": "Hello"}'
    return f"""
Chasqui is up: {where.base_url} (documentation: {where.base_url}/docs)
  API key            {keys.api_key}
  test key           {keys.test_key}   (its messages reach the simulator only, free of charge)
  administrator key  {keys.admin_key}
  log in as          {keys.owner.email}, password {keys.owner.password}   (POST /v1/login; the demo account's owner)
  or as              {keys.administrator.email}, password {keys.administrator.password}
  SMPP               {HOST}:{where.smpp_port} (TLS {where.smpp_tls_port}) as {smpp.system_id}, password {smpp.password}
  SMSC simulator     {HOST}:{where.smsc_port} (stands for the operators)
  webhook echo       {where.webhook_echo_url}   (shows what it got)
  mails              {where.mails_url}   (or: python -m infra.local.mails)
  for programs       {where.card}

  curl {where.base_url}/v1/messages -H 'Authorization: Bearer {keys.api_key}' \\
       -H 'Content-Type: application/json' -d '{body}'

Each message below as it moves. Ctrl-C stops everything.
"""


def _send(client: httpx.Client, number: int, sample: Sample) -> str:
    body = {"to": sample.to, "from": "Chasqui", "text": sample.text, "client_ref": f"demo-{number}"}
    answer = client.post("/v1/messages", json=body)
    if answer.status_code != 202:
        raise RunFailed(f"POST /v1/messages answered {answer.status_code}: {answer.text}")
    return str(answer.json()["id"])


def _follow(client: httpx.Client, message_id: str, crew: Crew) -> dict[str, Any]:
    end = time.monotonic() + FINAL_SECONDS
    while time.monotonic() < end:
        crew.check()
        message: dict[str, Any] = client.get(f"/v1/messages/{message_id}").raise_for_status().json()
        if message["final"]:
            return message
        time.sleep(POLL_SECONDS)
    raise RunFailed(f"{message_id} is still {message['status']} after {FINAL_SECONDS:.0f} s")


def _timeline(client: httpx.Client, message: dict[str, Any]) -> list[str]:
    events = client.get(f"/v1/messages/{message['id']}/events").raise_for_status().json()["data"]
    begun = datetime.fromisoformat(events[0]["at"])
    lines = [f"{message['id']}, {message['encoding']}, {message['parts']} part(s), {message['operator']}"]
    for event in events:
        passed = (datetime.fromisoformat(event["at"]) - begun).total_seconds() * 1000
        lines.append(f"{passed:>7.0f} ms  {event['kind']:<10} {TOLD[event['kind']](event)}".rstrip())
    cost = f"it cost {message['price']} credits"
    if float(message["refunded"]):
        cost += f", of which {message['refunded']} were refunded"
    return [*lines, f"→ {message['status']}; {cost}"]


def _error_of(event: dict[str, Any]) -> str:
    error = event.get("error")
    return f": {error['title']}" if error else ""


# What a fact has to say for itself, by its kind.
TOLD: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "accepted": lambda event: "",
    "held": lambda event: "until a person has looked at it",
    "queued": lambda event: f"{event['charge']} charged; to {event['gateway']}: {event['why']}",
    "submitted": lambda event: f"part {event['part']} of {event['parts']}, SMSC id {event['smsc_message_id']}",
    "attempted": lambda event: f"part {event['part']}, attempt {event['attempt']}{_error_of(event)}; {event['next']}",
    "receipt": lambda event: f"part {event['part']} of {event['parts']}: {event['state']}{_error_of(event)}",
    "refunded": lambda event: f"{event['refund']} given back",
    "final": lambda event: f"{event['status']}{_error_of(event)}",
}
