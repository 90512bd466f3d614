"""One of each thing that paths name, of the world's customer; and the plainest request for any operation."""

from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from chalicelib.api.operation import Operation
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.text import Encoding
from chalicelib.services.begin_session import begin
from chalicelib.store import inbound, job_files
from tests.chalicelib.api.callers import HOME, person
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World

GATEWAY: Final = {"id": "gw", "name": "x", "host": "h", "port": 1, "system_id": "x", "password": "x"}
HOOK: Final = "https://customer.example/hook"
# A required field of any body or query, by its name → what is right anywhere.
FIELDS: Final[dict[str, Any]] = {
    "account": ACCOUNT.id,
    "action": "hold",
    "address": "reader@example.com",
    "amount": "1",
    "code": "123456",
    "country": "ES",
    "credit_limit": "1",
    "default_gateway": "real",
    "default_price": "1",
    "current": "correct horse battery",
    "date_from": "2026-11-01",
    "date_to": "2026-11-02",
    "email": "somebody@example.com",
    "host": "smsc.example",
    "id": "plain",
    "kind": "word",
    "languages": [],
    "lines": [],
    "modules": ["credits"],
    "name": "x",
    "new": "battery horse staple 7",
    "number": NUMBER,
    "off": [],
    "password": "x",
    "patterns": ["x"],
    "port": 2775,
    "prefix": "346",
    "operator": "Movistar ES",
    "price": "1",
    "role": "viewer",
    "cost": "1",
    "system_id": "plain",
    "targets": [{"gateway": "real"}],
    "text": "hola",
    "time_zone": "Europe/Madrid",
    "to": NUMBER,
    "url": HOOK,
    "version": 1,
    "why": "test",
}


class Things:
    """The customer's things, by the names that paths have for them."""

    def __init__(self, world: World) -> None:
        self._world = world
        upload = world.call("POST", "/v1/uploads").json_body["id"]
        key = job_files.upload_key(ACCOUNT.id, upload)
        job_files.put(key, f"number\n{NUMBER}\n".encode())
        user = person(world, "viewer")
        self._administrator = person(world, "routing").id
        group = self._make("/v1/groups", {"name": "g"})
        self._make("/v1/contacts", {"number": NUMBER, "group_ids": [group]})
        webhook = self._make("/v1/webhooks", {"url": HOOK})
        self.ids: dict[str, str] = {
            "message": world.send().json_body["id"],
            "job": self._make("/v1/jobs", {"text": "x", "recipients": [{"to": NUMBER}], "dry_run": True}),
            "group": group,
            "msisdn": NUMBER,
            "contact_import": self._make("/v1/contact-imports", {"upload_id": upload}),
            "contact_export": self._make("/v1/contact-exports", {}),
            "cdr_export": self._make("/v1/cdr-exports", {"date_from": "2026-11-01", "date_to": "2026-11-02"}),
            "webhook": webhook,
            "delivery": self._make(f"/v1/webhooks/{webhook}/test", None),
            "inbound_message": self._inbound(),
            "user": user.id,
            "session": begin(user, HOME, world.now_ms()).session.id,
            "forward": self._make("/v1/forwards", {"modules": ["credits"], "address": "reader@example.com"}),
            "account": ACCOUNT.id,
            "upload": upload,
        }
        world.call("POST", "/v1/opt-outs", {"number": NUMBER})
        route = {"targets": [{"gateway": "real"}], "price": "1"}
        self.ids["route"] = self._admin(f"/v1/admin/accounts/{ACCOUNT.id}/routes", route)
        self.ids["gateway"] = self._admin("/v1/admin/gateways", GATEWAY)
        self.ids["rate_plan"] = self._admin("/v1/admin/rate-plans", {"id": "plan", "name": "Plan"})

    def path(self, operation: Operation) -> str:
        """The operation's path with the customer's things."""
        missing = set(operation.path_types) - set(self.ids)
        assert not missing, f"make one of these in tests/chalicelib/api/things.py: {missing} ({operation.path})"
        house = {"user": self._administrator} if operation.path.startswith("/v1/admin/administrators/") else {}
        return operation.path.format_map({**self.ids, **house})

    def body(self, operation: Operation) -> Any:
        """The plainest body that is right by its shape."""
        given = {"from": self.ids["group"], "upload_id": self.ids["upload"]} if operation.role == "customer" else {}
        if operation.id == "move_contact":
            given["to"] = self._make("/v1/groups", {"name": "to"})
        return plain(operation.body, {**FIELDS, **given})

    def _make(self, path: str, body: Any) -> str:
        answer = self._world.call("POST", path, body)
        assert answer.status_code in (200, 201, 202), (path, answer.json_body)
        return str(answer.json_body.get("id") or answer.json_body)

    def _admin(self, path: str, body: Any) -> str:
        answer = self._world.as_admin("POST", path, body)
        assert answer.status_code == 201, (path, answer.json_body)
        return str(answer.json_body["id"])

    def _inbound(self) -> str:
        message = Inbound(
            id=f"in_{new_ulid(self._world.now_ms())}",
            account=ACCOUNT.id,
            at_ms=self._world.now_ms(),
            sender=NUMBER,
            recipient="12345",
            gateway="sim",
            encoding=Encoding.GSM7,
            text="x",
        )
        inbound.keep(message, 1)
        return message.id


def plain(kind: Any, fields: dict[str, Any]) -> Any:
    """The plainest value of a type that a body or query is decoded to: its required fields; an empty list."""
    if kind is None:
        return None
    if hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return []
    needed = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    missing = [name for name in needed if name not in fields]
    assert not missing, f"say in tests/chalicelib/api/things.py what is right for {missing} ({kind.__name__})"
    return {name: _choice(kind, name, fields[name]) for name in needed}


def _choice(kind: Any, name: str, value: Any) -> Any:
    """Of a literal, the first choice; of a list of them that is not to be empty, it alone."""
    held = next(one for one in msgspec.structs.fields(kind) if one.encode_name == name).type
    while hasattr(held, "__metadata__"):
        held = get_args(held)[0]
    if get_origin(held) is Literal:
        return get_args(held)[0]
    if value and get_origin(held) is tuple and get_origin(get_args(held)[0]) is Literal:
        return [get_args(get_args(held)[0])[0]]
    return value
