"""People through the packaged API: invited, let in, put out, with an authenticator; and the audit log's view of it."""

import base64
import hashlib
import json
import time
from typing import Any, Final

from chalicelib.domain import totp
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import Journey

SECRET: Final = "a-token-of-a-mail"
PASSWORDS: Final = ("plover tangerine 41", "quince marimba 27 x")
STEP_SECONDS: Final = 30


def let_people_in(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """An owner who keeps users, an administrator with an authenticator who acts as the account; and who looks at it."""
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    account = own["id"]
    owner = _invited(
        journey, admin, "/v1/admin/users", {"email": "boss@example.com", "role": "owner", "account": account}
    )
    _keep_users(journey, _logged_in(journey, cloud, owner))
    root = _invited(journey, admin, "/v1/admin/administrators", {"email": "root@example.com", "role": "super"})
    _impersonate(journey, _with_authenticator(journey, cloud, root), account)
    at, them = f"/v1/admin/users/{owner['id']}", f"/v1/admin/administrators/{root['id']}"
    journey.call(
        admin,
        ("GET", "/v1/admin/users", None),
        ("GET", f"/v1/admin/users?account={account}", None),
        ("GET", "/v1/admin/users?email=boss@example.com", None),
        ("POST", f"{at}/unlock", None),
        ("POST", f"{at}/end-sessions", None),
        ("POST", f"{at}/mail-link", None),
        ("POST", f"{them}/remove-two-factor", None),
        ("DELETE", at, None),
        ("DELETE", them, None),
    )
    told = journey.call(
        admin,
        ("GET", "/v1/admin/audit", None),
        ("GET", f"/v1/admin/audit?account={account}", None),
        ("GET", f"/v1/admin/audit?who=user:{root['id']}", None),
        ("GET", f"/v1/admin/audit?subject=user/{owner['id']}", None),
    )
    assert all(page["data"] for page in told)
    cloud.take_all("mails")


def _invited(journey: Journey, admin: str, path: str, terms: dict[str, str]) -> dict[str, Any]:
    (user,) = journey.call(admin, ("POST", path, {"name": "Somebody", **terms}))
    assert user["invited"]
    return dict(user)


def _logged_in(journey: Journey, cloud: Cloud, user: dict[str, Any], code: str | None = None) -> str:
    """A session, after one failure; its password is set with a token as mails have it, whose digest alone is kept."""
    until = int(time.time()) + 600
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    item = {
        "user": {"S": user["id"]},
        "token_sha256": {"S": digest},
        "expires_ms": {"N": str(until * 1000)},
        "expires": {"N": str(until)},
    }
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-password_resets", Item=item)
    given = {"email": user["email"], "password": PASSWORDS[0]}
    journey.call(
        None,
        ("POST", "/v1/password-reset", {"email": user["email"]}),
        ("POST", "/v1/password-reset/confirm", {"token": f"{user['id']}.{SECRET}", "password": PASSWORDS[0]}),
    )
    (failed,) = journey.answers(None, ("POST", "/v1/login", given | {"password": "another one"}))
    assert (failed["statusCode"], json.loads(failed["body"])["code"]) == (401, "invalid_login")
    return _login(journey, given, code)


def _login(journey: Journey, given: dict[str, str], code: str | None = None) -> str:
    (login,) = journey.call(None, ("POST", "/v1/login", given if code is None else given | {"code": code}))
    return str(login["token"])


def _keep_users(journey: Journey, token: str) -> None:
    """All that an owner does with people: with itself, and with another."""
    me, other, *_ = journey.call(
        token,
        ("GET", "/v1/profile", None),
        ("POST", "/v1/users", {"email": "eva@example.com", "role": "viewer", "name": "Eva"}),
        ("PUT", "/v1/profile", {"name": "Boss", "time_zone": "Europe/Madrid", "language": "es"}),
        ("PUT", "/v1/profile/mails", {"off": ["summary_daily"]}),
        ("PUT", "/v1/profile/password", {"current": PASSWORDS[0], "new": PASSWORDS[1]}),
        ("GET", "/v1/sessions", None),
        ("POST", "/v1/sessions/end-others", None),
        ("GET", "/v1/users", None),
    )
    at = f"/v1/users/{other['id']}"
    changed = {"email": "eva@example.org", "role": "sender", "name": "Eva", "state": "suspended", "version": 1}
    journey.call(
        token,
        ("PUT", at, changed),
        ("POST", f"{at}/end-sessions", None),
        ("DELETE", at, None),
        ("POST", "/v1/logout", None),
    )
    again = _login(journey, {"email": me["email"], "password": PASSWORDS[1]})
    journey.call(again, ("DELETE", f"/v1/sessions/{again.split('_')[2]}", None))


def _with_authenticator(journey: Journey, cloud: Cloud, user: dict[str, Any]) -> str:
    """The session of an administrator, who confirms an authenticator, takes another one, and confirms that."""
    token = _logged_in(journey, cloud, user)
    (refused,) = journey.answers(token, ("GET", "/v1/admin/accounts", None))
    assert json.loads(refused["body"])["code"] == "second_factor_missing"
    first = _confirm(journey, token)
    journey.call(token, ("POST", "/v1/profile/two-factor/remove", {"code": first[0]}))
    codes = _confirm(journey, token)
    return _login(journey, {"email": user["email"], "password": PASSWORDS[0]}, codes[0])


def _confirm(journey: Journey, token: str) -> list[str]:
    """The recovery codes."""
    for _ in range(2):  # enrolled again, as after an answer that was lost
        (enrolled,) = journey.call(token, ("POST", "/v1/profile/two-factor", None))
    secret = base64.b32decode(enrolled["secret"])
    code = totp.code_at(secret, int(time.time()) // STEP_SECONDS)
    (told,) = journey.call(token, ("POST", "/v1/profile/two-factor/confirm", {"code": code}))
    return list(told["recovery_codes"])


def _impersonate(journey: Journey, token: str, account: str) -> None:
    """A look as the account, which is in the audit log."""
    (acting,) = journey.call(token, ("POST", f"/v1/admin/accounts/{account}/impersonate", {"role": "viewer"}))
    (seen,) = journey.call(acting["token"], ("GET", "/v1/account", None))
    assert seen["id"] == account
