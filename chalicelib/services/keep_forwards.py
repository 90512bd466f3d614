"""Keep an account's forwards: ask an address whether it wants its notifications, and heed its answer."""

import secrets
from typing import Any, Final

import msgspec

from chalicelib.domain import email_address, ids
from chalicelib.domain.credentials import digest
from chalicelib.domain.forward import (
    ASK_AGAIN_MS,
    CONFIRM_MS,
    MAX_ASKED,
    MAX_ASKED_A_DAY,
    MAX_FORWARDS,
    Forward,
    Forwards,
    Token,
    confirms,
    parse_token,
    stops,
)
from chalicelib.domain.mail import Kind, Language, Module, Notice
from chalicelib.domain.trail import Actor
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.notify import notify
from chalicelib.store import forwards

FORWARD: Final = "forward"
_SECRET_BYTES: Final = 24
_LATER_SECONDS: Final = 3_600


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What an account sets of a forward."""

    modules: tuple[Module, ...]
    language: Language = "en"


def all_forwards(account: str) -> tuple[Forward, ...]:
    """The account's forwards, oldest first."""
    return forwards.get(account).forwards


def add(account: str, address: str, given: Given, now_ms: int) -> Forward:
    """A forward that waits for its reader's yes, who is asked. Raises Fault `invalid_request`, `too_many`,
    `already_exists`."""
    parsed = _parsed(address)
    made = Forward(
        id=ids.new_id("fwd", now_ms),
        address=parsed,
        modules=tuple(dict.fromkeys(given.modules)),
        language=given.language,
        created_ms=now_ms,
        stop=secrets.token_urlsafe(_SECRET_BYTES),
    )

    def added(held: Forwards) -> Forwards:
        if len(held.forwards) >= MAX_FORWARDS:
            raise Fault("too_many", f"an account has {MAX_FORWARDS} forwards at most")
        if any(email_address.key(one.address) == email_address.key(parsed) for one in held.forwards):
            raise Fault("already_exists", "notifications are forwarded to this address already, or it was asked")
        return held.of((*held.forwards, made))

    forwards.change(account, added)
    _recorded(None, made)
    return ask(account, made.id, now_ms)


def ask(account: str, id_: str, now_ms: int) -> Forward:
    """Ask the address, once more where it was. Raises Fault `not_found`, `wrong_state`, `rate_limited`."""

    day = ids.day_at(now_ms)

    def asked(held: Forwards) -> Forwards:
        forward = _found(held, id_)
        if forward.state == "confirmed":
            raise Fault("wrong_state", "the address is confirmed")
        if forward.asked >= MAX_ASKED:
            raise Fault("wrong_state", f"the address was asked {MAX_ASKED} times: it does not want to")
        wait_ms = forward.asked_ms + ASK_AGAIN_MS - now_ms
        if forward.asked and wait_ms > 0:
            raise Fault("rate_limited", "the address was asked a moment ago", retry_after_seconds=wait_ms // 1000 + 1)
        if held.asked_of(day) >= MAX_ASKED_A_DAY:
            raise Fault("rate_limited", "enough addresses were asked today", retry_after_seconds=_LATER_SECONDS)
        return held.with_(msgspec.structs.replace(forward, asked=forward.asked + 1, asked_ms=now_ms)).asked_at(day)

    forward = _found(forwards.change(account, asked), id_)
    # By the address, not by the forward: to take it out and put it in again asks nobody more often. Names are logged.
    name = f"{account}/{digest(email_address.key(forward.address))[:16]}/{day}/{forward.asked}"
    words = ", ".join(forward.modules)
    notify(Notice(Kind.FORWARD_CONFIRM, name, account=account, forward=id_, values={"modules": words}), now_ms)
    return forward


def change(account: str, id_: str, given: Given) -> Forward:
    """The forward with other modules. Raises Fault `not_found`."""

    def changed(held: Forwards) -> Forwards:
        modules = tuple(dict.fromkeys(given.modules))
        return held.with_(msgspec.structs.replace(_found(held, id_), modules=modules, language=given.language))

    before = forwards.get(account).get(id_)
    forward = _found(forwards.change(account, changed), id_)
    _recorded(before, forward)
    return forward


def remove(account: str, id_: str) -> None:
    """Nothing is forwarded there any more, what waits to be sent included. Raises Fault `not_found`."""

    def without(held: Forwards) -> Forwards:
        gone = _found(held, id_)
        return held.of(tuple(one for one in held.forwards if one.id != gone.id))

    before = forwards.get(account).get(id_)
    forwards.change(account, without)
    _recorded(before, None)


def mint(account: str, id_: str, now_ms: int) -> str | None:
    """A new token that confirms the forward, in place of an earlier one; None where there is nothing to confirm.

    Made where the mail is sent: only its digest is kept.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)

    def minted(held: Forwards) -> Forwards:
        forward = held.get(id_)
        if forward is None or forward.state == "confirmed":
            return held
        new = msgspec.structs.replace(forward, token_sha256=digest(secret), until_ms=now_ms + CONFIRM_MS)
        return held.with_(new)

    forward = forwards.change(account, minted).get(id_)
    if forward is None or forward.token_sha256 != digest(secret):
        return None
    return str(Token(account, id_, secret))


def confirm(text: str, now_ms: int) -> Forward:
    """The address said yes. Again, it is still yes. Raises Fault `not_found` for a token that is none (any more)."""
    token = _token(text)

    def confirmed(held: Forwards) -> Forwards:
        forward = held.get(token.forward)
        if forward is None or not confirms(forward, token.secret, now_ms):
            raise not_found("link, or it is over")
        _acting(token)
        if forward.state == "confirmed":
            return held
        return held.with_(msgspec.structs.replace(forward, state="confirmed", settled_ms=now_ms))

    settled = _found(forwards.change(token.account, confirmed), token.forward)
    record_change.changed(FORWARD, settled.id, None, _plain(settled))
    return settled


def stop(text: str, now_ms: int) -> Forward:
    """The address wants no more. Raises Fault `not_found`."""
    token = _token(text)

    def stopped(held: Forwards) -> Forwards:
        forward = held.get(token.forward)
        if forward is None or not stops(forward, token.secret):
            raise not_found("link, or it is over")
        _acting(token)
        if forward.state == "stopped":
            return held
        # The link that confirmed it confirms no more.
        gone = msgspec.structs.replace(forward, state="stopped", settled_ms=now_ms, token_sha256="", until_ms=0)
        return held.with_(gone)

    settled = _found(forwards.change(token.account, stopped), token.forward)
    record_change.changed(FORWARD, settled.id, None, _plain(settled))
    return settled


def _acting(token: Token) -> None:
    """Tell the audit log whose link it is, now that it was found right."""
    record_change.acting(Actor(who=f"forward:{token.forward}", role="reader"), token.account)


def _recorded(before: Forward | None, after: Forward | None) -> None:
    """Tell the audit log, without what confirms or ends a forward."""
    held = after or before
    if held is not None:
        record_change.changed(FORWARD, held.id, before and _plain(before), after and _plain(after))


def _plain(forward: Forward) -> dict[str, Any]:
    return {
        "address": forward.address,
        "modules": forward.modules,
        "language": forward.language,
        "state": forward.state,
    }


def _parsed(address: str) -> str:
    try:
        return email_address.parse(address)
    except email_address.BadAddress as error:
        raise invalid_field("/address", "invalid_address", str(error)) from None


def _found(held: Forwards, id_: str) -> Forward:
    forward = held.get(id_)
    if forward is None:
        raise not_found(FORWARD)
    return forward


def _token(text: str) -> Token:
    token = parse_token(text)
    if token is None:
        raise not_found("link, or it is over")
    return token
