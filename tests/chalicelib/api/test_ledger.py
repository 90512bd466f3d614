"""The statement over HTTPS: the holder and the administrator read the same, in decimal strings, page by page."""

from typing import Any

import pytest

from chalicelib.domain.decision import Decision
from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import queues
from chalicelib.wire import AcceptedBundle, EndOutcome, OutcomeBundle, Routed, RoutedBundle
from tests.chalicelib.api.world import ACCOUNT, World
from tests.chalicelib.services.world import waiting

PRICE_MICROS = 50_000


def sent_and_refused(world: World) -> str:
    """A message that was charged and then refused by the SMSC, so that it is paid back."""
    message: str = world.send().json_body["id"]
    (accepted,) = waiting(queues.ACCEPTED)
    assert isinstance(accepted, AcceptedBundle)
    decision = Decision(
        gateway="real", route="rte_es", operator="Movistar ES", price_micros=PRICE_MICROS, rules=1, why=""
    )
    routed = tuple(Routed(draft=draft, decision=decision) for draft in accepted.messages)
    charge([RoutedBundle(id=accepted.id, account=ACCOUNT.id, messages=routed)], world.now_ms())
    end = EndOutcome(account=ACCOUNT.id, message=message, at_ms=world.now_ms(), gateway="real", status=Status.REJECTED)
    settle([OutcomeBundle(id="B", outcomes=(end,))], world.now_ms())
    return message


def lines(world: World, query: str = "", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.call("GET", f"/v1/account/ledger{query}", **more).json_body["data"]
    return found


def test_the_holder_reads_what_was_paid_for_what_and_what_was_left(world: World) -> None:
    message = sent_and_refused(world)
    refund, charged, grant = lines(world)
    told = [(line["kind"], line["amount"], line["balance"]) for line in (refund, charged, grant)]
    assert told == [("refund", "0.05", "10"), ("charge", "-0.05", "9.95"), ("grant", "10", "10")]
    assert refund["message"] == charged["message"] == message
    assert charged["bundle"] == message.removeprefix("msg_") != refund["bundle"]
    assert (grant["who"], grant["why"], charged["who"]) == ("test", "start", "billing")
    assert lines(world)[0]["balance"] == world.call("GET", "/v1/account").json_body["balance"]


def test_the_administrator_reads_the_same(world: World) -> None:
    sent_and_refused(world)
    assert lines(world) == world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}/ledger").json_body["data"]


def test_pages_go_on_by_cursors_that_belong_to_this_statement_alone(world: World) -> None:
    sent_and_refused(world)
    found, query = [], "?limit=1"
    while True:
        page = world.call("GET", f"/v1/account/ledger{query}").json_body
        found += page["data"]
        if page["next_cursor"] is None:
            break
        query = f"?limit=1&cursor={page['next_cursor']}"
        for other in ("&date_from=2025-01-01", "&date_to=2099-01-01"):
            assert world.call("GET", f"/v1/account/ledger{query}{other}").json_body["code"] == "invalid_cursor"
    assert found == lines(world)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("date_from=2025-02-01&date_to=2025-01-31", "date_from"),
        ("date_from=yesterday", "date_from"),
        ("limit=101", "limit"),
        ("kind=charge", "kind"),
    ],
)
def test_what_cannot_be_asked_is_refused(world: World, query: str, parameter: str) -> None:
    answer = world.call("GET", f"/v1/account/ledger?{query}")
    assert (answer.status_code, answer.json_body["code"]) == (422, "invalid_request")
    error = answer.json_body["errors"][0]
    assert (error.get("parameter") or error["pointer"].removeprefix("/")) == parameter


def test_days_are_of_utc(world: World) -> None:
    assert [line["kind"] for line in lines(world, "?date_from=2025-01-01")] == ["grant"]
    assert lines(world, "?date_to=2025-01-01") == []


def test_a_test_key_reads_the_account_it_is_of_and_strangers_nothing(world: World) -> None:
    assert lines(world, key=world.test) == lines(world)
    assert world.as_admin("GET", "/v1/admin/accounts/acc_no/ledger").json_body["code"] == "not_found"
    assert world.call("GET", f"/v1/admin/accounts/{ACCOUNT.id}/ledger").json_body["code"] == "wrong_role"
