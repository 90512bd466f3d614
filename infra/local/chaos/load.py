"""The customers of a run and what they send: bundles, composed as a sending job composes them.

The API takes single messages so far. What it does to one, `services.check`, is done to each of a bundle here, and the
bundle goes on ⟨accepted⟩ as accept's does; it counts as accepted once SQS has it.
"""

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from math import ceil
from typing import Any, Final

import httpx
import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account, RefundPolicy
from chalicelib.domain.content import Priority
from chalicelib.domain.rules import Unanswered
from chalicelib.services.check import Submission, check
from chalicelib.store import accounts, queues
from chalicelib.wire import MAX_BUNDLE_MESSAGES, AcceptedBundle, Draft
from infra.local.card import Keys
from infra.local.chaos.plan import Size
from infra.local.children import RunFailed
from infra.local.demo import authorization
from infra.local.place import HOST, Place

PRICE_MICROS: Final = 40_000
CREDIT: Final = "100000"
RESPONSE_TIMEOUT_SECONDS: Final = 10.0
PRIORITIES: Final[tuple[Priority, ...]] = ("normal", "normal", "bulk", "bulk", "high")
GATEWAYS: Final[dict[str, Unanswered]] = {"careful": "hold", "eager": "resend", "mixed": "by_priority"}
_POLICIES: Final[tuple[RefundPolicy, ...]] = ("rejected", "not_delivered")
# How messages end, by the last digits of the number (infra.local.smsc.outcomes); "" is delivered. What has no end of
# its own, or breaks the connection, is not among them: ends and broken connections are what is counted.
_SUFFIXES: Final = (*("",) * 90, "0001", "0001", "0002", "0003", "0010", "0010", "0022", "0040", "0041", "0043")
_PARTS: Final = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)
_MESSAGES_A_SHARD: Final = 625  # of all customers' messages: emulators read a long partition slowly
_CATCHES_UP: Final = 3.0  # submits a second that the gateways allow together, to messages a second that come
_PART_LETTERS: Final = 140  # GSM letters, so that n times as many take n parts


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was accepted, as far as it is needed for the account of it."""

    id: str
    to: str
    parts: int
    priority: Priority
    account: str
    gateway: str
    bundle: str


class Customer(msgspec.Struct, frozen=True):
    """An account with a route of its own to one gateway."""

    account: Account
    gateway: str


def open_customers(where: Place, keys: Keys, size: Size) -> list[Customer]:
    """Gateways of each setting, and of each two accounts: made and published through the API. Raises RunFailed."""
    rate = round(size.messages_per_second * _CATCHES_UP / len(GATEWAYS), 1)
    shards = min(ids.MAX_SHARDS, ceil(size.messages / _MESSAGES_A_SHARD))
    with httpx.Client(base_url=where.base_url, headers=authorization(keys.admin_key), timeout=60) as client:
        for gateway, unanswered in GATEWAYS.items():
            _post(client, "gateways", _gateway(where, gateway, unanswered, rate))
        opened = [_open(client, gateway, policy, shards) for gateway in GATEWAYS for policy in _POLICIES]
        _post(client, "rules/publish", {"note": "for chaos"})
    return [Customer(account, gateway) for id_, gateway in opened if (account := accounts.get(id_))]


def _gateway(where: Place, gateway: str, unanswered: Unanswered, submits_per_second: float) -> dict[str, Any]:
    return {
        "id": gateway,
        "name": f"An operator: {unanswered}",
        "host": HOST,
        "port": where.smsc_port,
        "system_id": gateway,
        "password": "secret",
        "sessions": 2,
        "window": 50,
        "messages_per_second": submits_per_second,
        "response_timeout_seconds": RESPONSE_TIMEOUT_SECONDS,
        "unanswered": unanswered,
    }


def _open(client: httpx.Client, gateway: str, policy: RefundPolicy, shards: int) -> tuple[str, str]:
    account = str(
        _post(client, "accounts", {"name": f"{gateway} {policy}", "shards": shards, "refund_policy": policy})["id"]
    )
    _post(client, f"accounts/{account}/credits", {"amount": CREDIT, "why": "for chaos"})
    price = str(PRICE_MICROS / 1_000_000)
    _post(client, "routes", {"account": account, "targets": [{"gateway": gateway}], "price": price})
    return account, gateway


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/v1/admin/{path}", json=body)
    if not answer.is_success:
        raise RunFailed(f"POST {path}: {answer.status_code} {answer.text}")
    return dict(answer.json())


class Load:
    """So many messages, bundle by bundle. What they are follows from the seed; when, from the driver."""

    def __init__(self, seed: str, messages: int, customers: Sequence[Customer]) -> None:
        self._dice = random.Random(f"{seed}/load")
        self._customers = customers
        self._left = messages
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(count)  # by suffix
        self.sent: list[Sent] = []

    @property
    def over(self) -> bool:
        """Whether all is sent."""
        return not self._left

    def send_some(self) -> None:
        """Send the next bundle. Raises whatever SQS raises; then nothing counts as accepted."""
        now_ms = time.time_ns() // 1_000_000
        customer = self._dice.choice(self._customers)
        size = min(self._left, self._dice.choice((1, 10, 50, MAX_BUNDLE_MESSAGES, MAX_BUNDLE_MESSAGES)))
        drafts = tuple(self._draft(customer.account, now_ms) for _ in range(size))
        bundle = AcceptedBundle(id=ids.new_ulid(now_ms), account=customer.account.id, messages=drafts)
        if size == 1:
            bundle = msgspec.structs.replace(bundle, id=ids.bundle_of_single(drafts[0].id))
        queues.send(queues.ACCEPTED, bundle)
        self._left -= size
        self.sent += [
            Sent(
                id=draft.id,
                to=draft.content.to,
                parts=draft.content.parts,
                priority=draft.content.priority,
                account=customer.account.id,
                gateway=customer.gateway,
                bundle=bundle.id,
            )
            for draft in drafts
        ]

    def _draft(self, account: Account, now_ms: int) -> Draft:
        dice = self._dice
        suffix = dice.choice(_SUFFIXES)
        to = recipient(next(self._numbers[suffix]), suffix)
        text = f"To {to}. ".ljust(_PART_LETTERS * dice.choice(_PARTS) - 20, "x")
        submission = Submission(to=to, sender="Chasqui", text=text, priority=dice.choice(PRIORITIES))
        content = check(submission, account, now_ms)
        return Draft(id=ids.new_message_id(now_ms, account.shards), at_ms=now_ms, content=content)


def recipient(number: int, suffix: str) -> str:
    """The `number`-th Spanish mobile, from 0, that ends in the suffix; without one, in no magic digits.

    There are 10,000 of a suffix, and 50 million without.
    """
    if suffix:
        return f"+346{number:04}{suffix}"
    return f"+346{number // 5000:04}{5000 + number % 5000}"
