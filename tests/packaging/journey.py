"""A message's way through the packaged functions: an administrator sets up a customer, the bridge's part is played."""

import json
import sysconfig
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.domain.status import Status
from tests.packaging.cloud import Cloud, Outcome, request

API: Final = "app.app"
ROUTE: Final = "functions.routing.route"
CHARGE: Final = "functions.billing.charge"
SETTLE: Final = "functions.delivery.settle"
SHELVE: Final = "functions.dead_letters.shelve"
ON_QUEUES: Final = {ROUTE: "accepted", CHARGE: "billing", SETTLE: "outcomes", SHELVE: "dead"}
GATEWAY: Final = "operator"
GATEWAY_BODY: Final = {
    "id": GATEWAY, "name": "Operator", "host": "smsc.example", "port": 2775, "system_id": "us", "password": "secret"
}  # fmt: skip
PLAN: Final = [{"prefix": "346", "country": "ES", "operator": "Movistar ES", "mcc": "214", "mnc": "07"}]
SMSC_ID: Final = "4711"


class Step(msgspec.Struct, frozen=True):
    """A run of a handler."""

    handler: str
    outcome: Outcome


class Journey:
    """Calls handlers, and remembers every run."""

    def __init__(self, cloud: Cloud, paths: dict[str, Any]) -> None:
        self.steps: list[Step] = []
        self.told: list[Any] = []  # what the customer reads at the end
        self.key_id = ""  # the customer's
        self._cloud = cloud
        self._paths = paths

    def runs_of(self, handler: str) -> list[Outcome]:
        """What a handler did, run by run."""
        return [step.outcome for step in self.steps if step.handler == handler]

    def run(self, handler: str, *events: dict[str, Any]) -> Outcome:
        """Run a handler, which may fail."""
        outcome = self._cloud.run(handler, *events)
        self.steps.append(Step(handler, outcome))
        return outcome

    def call(self, key: str | None, *calls: tuple[str, str, Any]) -> list[Any]:
        """Call the API: (method, path, body) each, in one run; the answers' bodies, none of them an error."""
        answers = self.answers(key, *calls)
        assert all(answer["statusCode"] < 300 for answer in answers), answers
        return [json.loads(answer["body"]) for answer in answers]

    def answers(self, key: str | None, *calls: tuple[str, str, Any]) -> list[dict[str, Any]]:
        """The same, as Lambda answers it, errors and all."""
        events = [request(self._paths, method, path, key=key, body=body) for method, path, body in calls]
        outcome = self.run(API, *events)
        assert outcome.failures == []
        return outcome.answers

    def twice(self, key: str, path: str, body: Any) -> list[Any]:
        """The answers to the very same POST made twice, as after an answer that was lost."""
        event = request(self._paths, "POST", path, key=key, body=body)
        return [json.loads(answer["body"]) for answer in self.run(API, event, event).answers]

    def customer(self, admin: str) -> str:
        """Set up all that a customer needs; its key."""
        (account,) = self.call(
            admin, ("POST", "/v1/admin/accounts", {"name": "Acme", "refund_policy": "not_delivered"})
        )
        path = f"/v1/admin/accounts/{account['id']}"
        *_, key = self.call(
            admin,
            ("POST", f"{path}/credits", {"amount": "10", "why": "to begin with"}),
            ("PUT", f"{path}/credit-limit", {"credit_limit": "5"}),
            ("POST", "/v1/admin/gateways", GATEWAY_BODY),
            ("POST", "/v1/admin/routes", {"targets": [{"gateway": GATEWAY}], "price": "0.05", "country": "ES"}),
            ("POST", "/v1/admin/numbering", PLAN),
            ("POST", "/v1/admin/rules/publish", {"note": "the first"}),
            ("POST", f"{path}/keys", {"name": "program"}),
        )
        self.key_id = key["id"]
        return str(key["key"])

    def look_at_everything(self, admin: str) -> None:
        """The operations that a message does not need, so that their permissions are seen too."""
        account, gateway, route = (
            self.call(admin, ("GET", f"/v1/admin/{kind}", None))[0]["data"][0]
            for kind in ("accounts", "gateways", "routes")
        )
        path = f"/v1/admin/accounts/{account['id']}"
        self.call(
            admin,
            ("GET", path, None),
            ("PUT", path, {"name": "Acme Ltd", "version": account["version"]}),
            ("GET", f"{path}/ledger", None),
            ("GET", f"{path}/keys", None),
            ("GET", "/v1/admin/keys", None),
            ("POST", "/v1/admin/keys", {"name": "another administrator"}),
            ("POST", f"/v1/admin/keys/{self.key_id}/revoke", None),
            ("GET", f"/v1/admin/gateways/{GATEWAY}", None),
            ("PUT", f"/v1/admin/gateways/{GATEWAY}", _changed(gateway) | {"password": "rotated"}),
            ("GET", f"/v1/admin/routes/{route['id']}", None),
            ("PUT", f"/v1/admin/routes/{route['id']}", _changed(route)),
            ("GET", "/v1/admin/numbering", None),
            ("DELETE", "/v1/admin/numbering/346", None),
            ("GET", "/v1/admin/rules", None),
            ("GET", "/v1/admin/rules/1", None),
            ("POST", "/v1/admin/rules/1/rollback", {"note": "as it was"}),
            ("DELETE", f"/v1/admin/routes/{route['id']}", None),
            ("DELETE", f"/v1/admin/gateways/{GATEWAY}", None),
        )

    def step(self, handler: str) -> None:
        """Run a queue's function on what waits there and on a record that is none, which it buries."""
        queue = ON_QUEUES[handler]
        self._cloud.send(queue, "no bundle")
        event = self._cloud.receive(queue)
        assert len(event["Records"]) == 2
        assert self.run(handler, event).failures == []
        assert len(self._cloud.take_all(queue)) == 1  # Lambda deletes it; the other one the function has deleted

    def resurrect(self, admin: str, dispatch: wire.DispatchBundle) -> list[str]:
        """Keep what the steps buried, and a dispatch that SQS gave up; have each sent again: by which queue."""
        self._cloud.send("dead", wire.encode(dispatch))
        event = self._cloud.receive("dead")
        assert self.run(SHELVE, event, event).failures == []
        (listed,) = self.call(admin, ("GET", "/v1/admin/dead-letters", None))
        paths = [f"/v1/admin/dead-letters/{letter['id']}" for letter in listed["data"]]
        self.call(admin, ("GET", paths[0], None), ("DELETE", paths[0], None))
        again = self.call(admin, *(("POST", f"{path}/resend", None) for path in paths))
        return sorted(letter["queue"] for letter in again)

    def dispatched(self) -> wire.DispatchBundle:
        """What the bridge finds."""
        (record,) = self._cloud.take_all(f"gateway-{GATEWAY}")
        bundle = wire.decode(record["body"])
        assert isinstance(bundle, wire.DispatchBundle)
        return bundle

    def tell(self, *outcomes: wire.Outcome) -> None:
        """Tell outcomes as the bridge would."""
        self._cloud.send("outcomes", wire.encode(wire.OutcomeBundle(id="01" * 13, outcomes=outcomes)))

    def outcomes(self) -> list[wire.OutcomeBundle]:
        """Take all outcomes, but tell none of receipts: one that came early is looked at again whenever it may be."""
        told = [wire.decode(record["body"]) for record in self._cloud.take_all("outcomes")]
        bundles = [one for one in told if isinstance(one, wire.OutcomeBundle)]
        return [one for one in bundles if not isinstance(one.outcomes[0], wire.ReceiptOutcome)]


def ended(bundle: wire.DispatchBundle, status: Status, state: str) -> tuple[wire.SubmitOutcome, wire.ReceiptOutcome]:
    """What the bridge tells of a single part that the SMSC took and sent a receipt for."""
    at_ms = time.time_ns() // 1_000_000
    (dispatch,) = bundle.messages
    submitted = wire.SubmitOutcome(
        account=bundle.account, message=dispatch.id, at_ms=at_ms, part=1, parts=1,
        gateway=GATEWAY, smsc_message_id=SMSC_ID, session="operator/0/trx",
    )  # fmt: skip
    receipt = wire.ReceiptOutcome(at_ms=at_ms + 1, gateway=GATEWAY, ids=(SMSC_ID,), status=status, state=state)
    return submitted, receipt


def _changed(held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name != "id"}


def strange_files(outcome: Outcome, folder: Path) -> set[str]:
    """The files of the modules that a run used, but for those in the folder and the standard library's."""
    library = sysconfig.get_paths()["stdlib"]
    return {
        file
        for file in outcome.files
        if file
        and not file.startswith((f"{folder}/", "frozen", "<frozen"))
        and (not file.startswith(library) or "site-packages" in file)
        and not file.endswith("tests/packaging/invoke.py")
    }
