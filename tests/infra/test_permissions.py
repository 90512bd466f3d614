"""What keeps recipients in peace asks AWS only for what its functions' policies allow."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.services import export_admin_report, limit_rate, reset_password
from chalicelib.services.charge import charge
from chalicelib.services.issue_key import Access, issue_customer_key
from chalicelib.services.route import route
from chalicelib.store import aws, cached, queues, rules
from infra.grants import GRANTS
from infra.policies import MOST_OCTETS, policy
from tests.chalicelib.api.test_people import token
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World
from tests.chalicelib.services.people_world import ANOTHER, EMAIL, PASSWORD, administrator, hash_quickly, person
from tests.chalicelib.services.world import waiting
from tests.packaging.permissions import Need, allows, needs
from tests.world import PREFIX

EVA = {"email": "eva@one.example", "name": "Eva", "role": "viewer"}


class Recorder:
    """What is asked of AWS, while somebody looks."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] | None = None
        for service in ("dynamodb", "sqs", "s3", "secretsmanager"):
            aws.client(service).meta.events.register("before-parameter-build.*", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self.calls is not None:
            service = model.service_model.service_name
            self.calls.append({"service": service, "operation": model.name, "params": params})

    @contextmanager
    def allowed(self, function: str) -> Iterator[None]:
        """All that is asked for meanwhile is what the function may."""
        self.calls = []
        yield
        asked, self.calls = self.calls, None
        given = policy(function, PREFIX)
        assert asked
        assert {need for call in asked for need in needs(call) if not allows(given, need)} == set[Need]()


@pytest.fixture
def world(aws: object) -> World:
    limit_rate.forget_all()
    return World()


def test_the_api_and_the_steps_may_do_what_suppression_rules_and_review_need(world: World) -> None:
    recorder = Recorder()
    admin: Callable[..., Any] = world.as_admin
    with recorder.allowed("api"):
        key = issue_customer_key(ACCOUNT.id, "live", "k", world.now_ms(), Access(requests_per_second=100)).text
        world.call("GET", "/v1/account", key=key)
        world.call("POST", "/v1/opt-outs", {"number": NUMBER})
        world.call("POST", "/v1/opt-outs/import", ["+34600000003"])
        world.call("GET", "/v1/opt-outs")
        world.call("DELETE", f"/v1/opt-outs/{NUMBER}")
        world.call("PUT", "/v1/opt-outs/keywords", {"languages": []})
        admin("POST", "/v1/admin/dnd", {"number": "+34600000004"})
        admin("POST", "/v1/admin/dnd/import", ["+34600000005"])
        admin("GET", "/v1/admin/dnd?country=ES")
        admin("DELETE", "/v1/admin/dnd/34600000005")
        rule = {"kind": "word", "patterns": ["x"], "action": "hold"}
        made = admin("POST", "/v1/admin/content-rules", rule).json_body["id"]
        for path in ("content-rules", f"content-rules/{made}", "sender-rules", "countries", "held"):
            assert admin("GET", f"/v1/admin/{path}").status_code == 200
        admin("PUT", "/v1/admin/countries/ES", {"time_zone": "Europe/Madrid"})
        gateway = {"id": "real", "name": "x", "host": "h", "port": 1, "system_id": "x"}
        admin("POST", "/v1/admin/routes", {"targets": [{"gateway": "real"}], "price": "1"})
    recorder.calls = None
    admin("POST", "/v1/admin/gateways", {**gateway, "password": "x"})
    assert admin("POST", "/v1/admin/rules/publish", {}).status_code == 201
    rules.forget()
    cached.forget_all()
    ids = [world.send({"text": "x"}).json_body["id"] for _ in range(2)]
    accepted = [one for one in waiting(queues.ACCEPTED) if isinstance(one, wire.AcceptedBundle)]
    with recorder.allowed("routing"):
        route(accepted, world.now_ms())
    routed = [one for one in waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)]
    with recorder.allowed("billing"):
        charge(routed, world.now_ms())
    with recorder.allowed("api"):
        assert admin("POST", f"/v1/admin/held/{ids[0]}/release").status_code == 200
        assert admin("POST", f"/v1/admin/held/{ids[1]}/drop").status_code == 200


def test_the_api_and_the_jobs_function_may_do_what_administrators_reports_need(world: World) -> None:
    recorder = Recorder()
    message = world.send().json_body["id"]
    reports = (
        *("messages", f"messages?message_id={message}", "messages?smsc_id=1", f"messages?number=%2B{NUMBER[1:]}"),
        *("binds", "binds?side=gateway&name=real", "webhooks", "charges", "wallets", "default-routing", "submits"),
        *("summary", f"summary?account={ACCOUNT.id}", "gateway-quality"),
    )
    with recorder.allowed("api"):
        for report in reports:
            assert world.as_admin("GET", f"/v1/admin/reports/{report}").status_code == 200, report
            base, mark, filters = report.partition("?")
            assert world.as_admin("GET", f"/v1/admin/reports/{base}/file{mark}{filters}").status_code == 202, report
        assert world.as_admin("GET", f"/v1/admin/reports/messages/{message}").status_code == 200
    works = [work for work in waiting(queues.JOBS) if isinstance(work, wire.JobWork)]
    with recorder.allowed("job"):
        for work in works:
            export_admin_report.export(work.job, world.now_ms())


def test_the_api_and_the_archive_may_do_what_prices_and_costs_need(world: World) -> None:
    recorder = Recorder()
    admin: Callable[..., Any] = world.as_admin
    gateway = {"id": "real", "name": "x", "host": "h", "port": 1, "system_id": "x", "password": "x"}
    admin("POST", "/v1/admin/gateways", gateway)
    plan, costs = "/v1/admin/rate-plans/std", "/v1/admin/costs/real"
    with recorder.allowed("api"):
        asked = [
            admin("POST", "/v1/admin/rate-plans", {"id": "std", "name": "Standard"}),
            admin("POST", costs, [{"country": "ES", "cost": "0.01"}]),
            admin("POST", f"{plan}/prices", [{"country": "ES", "price": "0.02"}]),
            admin("POST", "/v1/admin/rules/publish", {}),
            admin("PUT", f"/v1/admin/accounts/{ACCOUNT.id}", {"name": "One", "rate_plan": "std", "version": 1}),
            admin("POST", f"{plan}/prices", [{"country": "ES", "price": "0.03"}]),
            admin("POST", "/v1/admin/rules/publish", {}),  # and the account is told
            admin("POST", f"{plan}/preview", {"account": ACCOUNT.id}),
            *(admin("GET", path) for path in ("/v1/admin/rate-plans", plan, f"{plan}/file", costs, f"{costs}/file")),
            admin("PUT", plan, {"name": "Other", "version": 3}),
            admin("DELETE", costs),
        ]
        assert [answer.status_code for answer in asked if answer.status_code >= 300] == []
        assert admin("DELETE", plan).json_body["code"] == "in_use"
    rules.forget()
    with recorder.allowed("archive"):
        assert rules.numbered(2).costs.at("real", "ES", None, 0) is not None  # of what failed over


def test_the_api_and_the_mails_function_may_do_what_people_need(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)
    user, root = person(), administrator()
    recorder = Recorder()
    admin: Callable[..., Any] = world.as_admin
    with recorder.allowed("api"):
        own = token(world, EMAIL)
        asked = [
            world.call("PUT", "/v1/profile", {"name": "Ana"}, key=own),
            world.call("GET", "/v1/sessions", key=own),
            world.call("POST", "/v1/sessions/end-others", key=own),
            world.call("PUT", "/v1/profile/password", {"current": PASSWORD, "new": ANOTHER}, key=own),
            world.call("POST", "/v1/users", EVA, key=own),
            world.call("POST", "/v1/password-reset", {"email": EMAIL}, key=""),
            admin("GET", "/v1/admin/users"),
            admin("GET", "/v1/admin/administrators"),
            admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/impersonate", {}),
            world.call("POST", "/v1/profile/two-factor", key=token(world, root.email)),
        ]
        eva = asked[4].json_body
        asked += [
            admin("PUT", f"/v1/admin/users/{eva['id']}", {**EVA, "email": "eva@two.example", "version": 1}),
            admin("POST", f"/v1/admin/users/{eva['id']}/end-sessions"),
            admin("POST", f"/v1/admin/users/{eva['id']}/unlock"),
            admin("DELETE", f"/v1/admin/users/{eva['id']}"),
            admin("DELETE", f"/v1/admin/administrators/{root.id}"),
            world.call("POST", "/v1/logout", key=own),
        ]
        assert [answer.status_code for answer in asked if answer.status_code >= 300] == []
    with recorder.allowed("mails"):
        link = reset_password.mint(user.id, world.now_ms())
    with recorder.allowed("api"):
        done = {"token": link, "password": PASSWORD}
        assert world.call("POST", "/v1/password-reset/confirm", done, key="").status_code == 200


def test_no_policy_is_longer_than_iam_takes() -> None:
    longest = max(len(json.dumps(policy(name, "chasqui-prod"), separators=(",", ":"))) for name in GRANTS)
    assert longest < MOST_OCTETS
