"""A job at a gateway that takes only so many a second, overtaken by a single message and stopped in the middle."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import httpx

from infra.local.smsc import journal
from infra.local.smsc.journal import Taken
from infra.local.smsc.outcomes import OUTCOMES, SUFFIX_DIGITS
from tests.flows.audited import audited
from tests.flows.platform import Administrator, Customer, Smsc

GATEWAY: Final = "slow"
COUNTRY: Final = "EC"  # nobody else's in the flows
PRICE: Final = Decimal("0.02")
QUIET_SECONDS: Final = 3.0  # after the stop; then nothing more is to come


@dataclass(frozen=True)
class Told:
    """What the job showed. Seconds by the clock that the simulator's journal has too."""

    submitted: int  # of the job
    waited: int  # were charged and not submitted when it was stopped
    overtook_seconds: float  # from the single message's answer to its submit
    last_submit_seconds: float  # after the stop's answer; negative: before it
    owed: Decimal  # the balance as the journal says it must be
    balance: Decimal
    canceled: int  # by the job's progress
    audit: tuple[int, int]  # its exit code, and the differences


@dataclass(frozen=True)
class SlowJob:
    """One run of it: `rows` recipients, `per_second` at the gateway, stopped once `until` were submitted."""

    card: dict[str, Any]
    journal: Path
    folder: Path  # for files of its own
    rows: int
    per_second: float
    until: int
    seconds: float = 120.0  # at most, for each thing that it waits for

    def run(self) -> Told:
        administrator = Administrator(self.card["base_url"], self.card["admin_key"])
        self._open_gateway(administrator)
        credit = PRICE * (self.rows + 10)
        customer = administrator.customer(str(credit), default_sender="Chasqui")
        single, *recipients = islice(numbers(), self.rows + 1)
        job = self._start(customer, recipients)
        self._until(lambda: len(self._taken()) >= self.until)
        answered, overtook = self._overtake(customer, single)
        customer.call("POST", f"/v1/jobs/{job}/stop").raise_for_status()
        stopped = time.time()
        time.sleep(QUIET_SECONDS)
        progress = self._over(customer, job)
        mine = [one for one in self._taken() if one.destination != single.removeprefix("+")]
        owed = credit - PRICE * (len(mine) + 1)
        self._until(lambda: Decimal(customer.balance()) >= owed, strict=False)
        account = customer.call("GET", "/v1/account").raise_for_status().json()["id"]
        code, told = audited(self.card, self.folder, "--account", account, "--pause", "5")
        return Told(
            submitted=len(mine),
            waited=progress["handed_over"] - len(mine),
            overtook_seconds=overtook - answered,
            last_submit_seconds=max(one.at for one in mine) - stopped,
            owed=owed,
            balance=Decimal(customer.balance()),
            canceled=progress["by_status"].get("canceled", 0),
            audit=(code, told["differences"]),
        )

    def _open_gateway(self, administrator: Administrator) -> None:
        smsc = Smsc(self.card["smsc"]["admin_url"])
        sessions = smsc.stats()["sessions"]
        gateway = {
            "id": GATEWAY,
            "name": "A slow one",
            "host": self.card["smsc"]["host"],
            "port": self.card["smsc"]["port"],
            "system_id": GATEWAY,
            "password": "secret",
            "messages_per_second": self.per_second,
        }
        administrator.create("gateways", gateway)
        administrator.create("routes", {"country": COUNTRY, "targets": [{"gateway": GATEWAY}], "price": str(PRICE)})
        administrator.publish()
        self._until(lambda: smsc.stats()["sessions"] > sessions)
        time.sleep(1.5)  # CHASQUI_RULES_POLL_SECONDS of a local run, and a little

    def _start(self, customer: Customer, recipients: list[str]) -> str:
        upload = customer.call("POST", "/v1/uploads").raise_for_status().json()
        raw = "".join(f"{to}\r\n" for to in recipients).encode()
        httpx.put(upload["url"], content=raw, timeout=600).raise_for_status()
        body = {"upload_id": upload["id"], "text": "Hola"}
        return str(customer.call("POST", "/v1/jobs", body).raise_for_status().json()["id"])

    def _overtake(self, customer: Customer, single: str) -> tuple[float, float]:
        """When the single message was answered, and when it was submitted."""
        customer.send(single, priority="high")
        answered = time.time()

        def submitted() -> list[float]:
            return [one.at for one in self._taken() if one.destination == single.removeprefix("+")]

        self._until(lambda: bool(submitted()))
        return answered, submitted()[0]

    def _over(self, customer: Customer, job: str) -> dict[str, Any]:
        """The job's progress, once all that was handed over has ended."""
        told: dict[str, Any] = {}

        def over() -> bool:
            told.update(customer.call("GET", f"/v1/jobs/{job}").raise_for_status().json()["progress"])
            return bool(told["ended"] == told["handed_over"] > 0)

        self._until(over)
        return told

    def _taken(self) -> list[Taken]:
        return [one for one in journal.read(self.journal) if one.system_id == GATEWAY]

    def _until(self, condition: Callable[[], bool], *, strict: bool = True) -> None:
        end = time.monotonic() + self.seconds
        while not condition():
            if time.monotonic() > end:
                assert not strict, "it did not come to pass"
                return
            time.sleep(0.1)


def numbers() -> Iterator[str]:
    """Different numbers of the country, none of them one of the simulator's magic ones."""
    every = (f"+59399{at:07}" for at in count())
    return (number for number in every if number[-SUFFIX_DIGITS:] not in OUTCOMES)
