"""Messages found over all accounts: by what is known of them, a bounded part of the way at a time."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.pdu import SUBMIT_SM, PduFields
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.webhook import Endpoint
from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.domain.webhook_event import of_message
from chalicelib.services import walk_messages
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.find_messages import Wanted, find
from chalicelib.services.read_messages import Span
from chalicelib.services.settle import settle
from chalicelib.services.trace_message import trace
from chalicelib.store import accounts, rule_rows, webhook_deliveries, webhooks
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, OTHER_GATEWAY, Calls

pytestmark = pytest.mark.usefixtures("aws")

DAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
TODAY = Span(DAY, DAY)
OTHER_ACCOUNT = "acc_two"
ENDPOINT = Endpoint(id="whk_one", url="https://a.example", created_ms=0)
PDU = PduFields(SUBMIT_SM, 7, "", 5, 0, "ACME", 1, 1, "34•••••••22", 0, 1, 0, 5)


def charged(account: str = ACCOUNT, gateway: str = GATEWAY, to: str = "+34600111222", by: str = "") -> str:
    """A message of the account that is charged for the gateway, or refused `by` that code; its id."""
    world.open_account(account)
    draft = world.draft()
    draft = msgspec.structs.replace(draft, content=msgspec.structs.replace(draft.content, to=to))
    charge([world.routed(draft, by=by or world.decision(gateway), account=account)], NOW_MS)
    return draft.id


def taken(message: str, smsc_id: str, account: str = ACCOUNT) -> None:
    """An SMSC took it."""
    outcome = world.submitted(message, smsc_id)
    settle([world.outcomes(msgspec.structs.replace(outcome, account=account, pdu=PDU))], NOW_MS)


def ids_of(wanted: Wanted, days: Span = TODAY) -> list[str]:
    """What is found, to the end of all pages of two."""
    found: list[str] = []
    position: Any = None
    while True:
        some, after = find(wanted, days, position, 2)
        found += [cdr.message_id for cdr in some]
        if after is None:
            return found
        position = msgspec.to_builtins(after)


def test_each_filter_finds_its_messages_whosever_they_are() -> None:
    rule_rows.gateways.put(Gateway(id=GATEWAY, name="A", host="h", port=1, system_id="x"))
    one, two = charged(), charged(OTHER_ACCOUNT, OTHER_GATEWAY)
    three = charged(OTHER_ACCOUNT, to="+34600999888")
    refused = charged(to="+34600777666", by="no_route")
    taken(one, "0000BEEF")
    assert sorted(ids_of(Wanted())) == sorted((one, two, three, refused))
    rows = [
        (Wanted(message_id=two), [two]),
        (Wanted(message_id=two, account=ACCOUNT), []),
        (Wanted(message_id="msg_no"), []),
        (Wanted(smsc_id="0000BEEF"), [one]),
        (Wanted(smsc_id="48879"), [one]),  # as an operator's list may have it: decimal
        (Wanted(smsc_id="beef", gateway=OTHER_GATEWAY), []),
        (Wanted(number="+34600999888"), [three]),
        (Wanted(number="+34600777666"), [refused]),
        (Wanted(status=Status.REJECTED), [refused]),
        (Wanted(number="+34600111222"), sorted((one, two), reverse=True)),
        (Wanted(number="+34600111222", account=OTHER_ACCOUNT), [two]),
        (Wanted(gateway=OTHER_GATEWAY), [two]),
        (Wanted(account=OTHER_ACCOUNT), sorted((two, three), reverse=True)),
        (Wanted(status=Status.SUBMITTED), [one]),
        (Wanted(route="default"), []),
    ]
    for wanted, expected in rows:
        assert sorted(ids_of(wanted), reverse=True) == sorted(expected, reverse=True), wanted


def test_a_hash_finds_the_same_text_of_the_account_and_of_no_other() -> None:
    one, again, other = charged(), charged(), charged(OTHER_ACCOUNT)
    (cdr,), _ = find(Wanted(message_id=one), TODAY, None, 1)
    assert len(cdr.text_hash) == 64
    found = ids_of(Wanted(text_hash=cdr.text_hash))
    assert sorted(found) == sorted((one, again))
    assert other not in found


def test_a_search_over_accounts_and_days_is_bounded_and_goes_on_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_messages, "MAX_READS", 5)
    accounts_ = [f"acc_{number:02}" for number in range(6)]
    made = {charged(account): account for account in accounts_}
    span = Span(DAY, date.fromordinal(DAY.toordinal() + 1))  # tomorrow is empty
    found: dict[str, str] = {}
    position: Any = None
    answers = 0
    while True:
        calls = Calls("dynamodb")
        some, after = find(Wanted(sender="ACME"), span, position, 100)
        # a scan, a look into each account's log, the account that was being read
        assert len(calls.made) <= 5 + 1, calls.made
        found |= {cdr.message_id: cdr.account for cdr in some}
        answers += 1
        if after is None:
            break
        position = msgspec.to_builtins(after)
    assert found == made
    assert answers >= 3


def test_by_id_and_by_number_a_hundred_accounts_cost_a_handful_of_calls() -> None:
    message = charged("acc_39")
    for number in range(39):
        accounts.create(Account(id=f"acc_{number:02}", name="Acme", created_ms=NOW_MS))
    calls = Calls("dynamodb")
    assert ids_of(Wanted(message_id=message)) == [message]
    assert (calls.of("Scan"), calls.of("BatchGetItem"), calls.of("Query")) == (1, 2, 1)
    calls.made.clear()
    assert ids_of(Wanted(number="+34600111222")) == [message]
    assert calls.of("Query") == 40 + 1  # one of the index for each account, and the message


def test_a_messages_life_is_told_with_its_pdus_and_is_nobody_elses() -> None:
    message = charged()
    taken(message, "77")
    settle([world.outcomes(msgspec.structs.replace(world.receipt("77"), pdu=PDU))], NOW_MS)
    life = trace(message, None)
    assert (life.cdr.account, life.cdr.status) == (ACCOUNT, "delivered")
    assert [type(fact).__name__ for fact in life.facts] == ["Queued", "Submitted", "Receipt", "Final"]
    assert [getattr(fact, "pdu", None) for fact in life.facts] == [None, PDU, PDU, None]
    assert life.deliveries == ()
    content = msgspec.structs.replace(world.draft().content, to="+34600111222")
    event = of_message(message, life.facts[-1], content)
    assert event is not None
    webhooks.change(ACCOUNT, lambda held: msgspec.structs.replace(held, endpoints=(ENDPOINT,)))
    told = Delivery(account=ACCOUNT, endpoint=ENDPOINT.id, event=event, state="failed", attempts=10)
    webhook_deliveries.put([told, msgspec.structs.replace(told, endpoint="whk_deleted")])
    assert trace(message, ACCOUNT).deliveries == (told,)
    for asked in ((message, OTHER_ACCOUNT), ("msg_nonsense", None)):
        with pytest.raises(Fault) as raised:
            trace(*asked)
        assert raised.value.code == "not_found"
