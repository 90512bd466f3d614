"""Runs `make chaos`. CHAOS_SEED has a run again; CHAOS_MESSAGES, _KILLS, _CUTS and _SPELLS make it smaller or larger.

CHAOS_VISIBILITY and CHAOS_GATEWAY_VISIBILITY are the seconds after which queues deliver what was not deleted again.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from chalicelib.services.audit import days
from chalicelib.store import dead_letters, queues
from infra import audit
from infra.local import card, faults
from infra.local.chaos.driver import Driver
from infra.local.chaos.load import Load, open_customers
from infra.local.chaos.plan import Size, plan
from infra.local.chaos.quiet import Stillness, shorten
from infra.local.chaos.reckoning import MOST_TOLD, Reckoning, Run, reckon
from infra.local.children import Crew, RunFailed
from infra.local.place import SMSC_JOURNAL, BadPlace, Place, place
from infra.local.smsc import journal
from infra.local.start import Stopped, crewed, start_platform

LOOK_AGAIN_SECONDS: Final = 5.0  # until the auditor reads again what differs
VISIBILITY_SECONDS: Final = 30  # of the functions' queues: a record whose function failed comes again so much later


def main() -> int:
    """0 where nothing is lost, paid twice, or submitted twice without a reason, and the books agree; else 1."""
    seed = os.environ.get("CHAOS_SEED") or str(random.randrange(10**6))
    size = Size(**{field: int(told) for field in _SIZES if (told := os.environ.get(f"CHAOS_{field.upper()}"))})
    try:
        where = place()
        _ask_for_faults(where, seed, size)
        with crewed(where) as crew:
            reckoning = _run(where, crew, seed, size)
    except (BadPlace, RunFailed) as failure:
        print(f"\nmake chaos: {failure}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 1
    print(msgspec.json.encode(reckoning).decode(), flush=True)
    return 0 if reckoning.is_clean else 1


_SIZES: Final = ("messages", "kills", "cuts", "spells")


def _ask_for_faults(where: Place, seed: str, size: Size) -> None:
    """What the run's processes read of it in their environment."""
    folder = where.run_dir / faults.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    noted = where.run_dir / "smsc-journal.log"
    noted.unlink(missing_ok=True)
    settings = faults.Settings(seed=seed, calls=size.calls, records=size.records)
    os.environ[SMSC_JOURNAL] = str(noted)
    os.environ[faults.WHILE] = str(folder / "on")
    os.environ[faults.SETTINGS] = msgspec.json.encode(settings).decode()


def _run(where: Place, crew: Crew, seed: str, size: Size) -> Reckoning:
    print(
        f"chaos with CHAOS_SEED={seed}: {size.messages} messages, {size.kills} kills, {size.cuts} cuts, {size.spells} "
        f"spells each of silence, slowness and throttling; {size.calls:.0%} of AWS calls fail, {size.records:.0%} of "
        f"records come twice; AWS by {where.backend}; logs in {where.run_dir}",
        flush=True,
    )
    keys = start_platform(where, crew)
    customers = open_customers(where, keys, size)
    shorten(
        functions=int(os.environ.get("CHAOS_VISIBILITY") or VISIBILITY_SECONDS),
        gateways=int(os.environ.get("CHAOS_GATEWAY_VISIBILITY") or 0),
    )
    card.write(where, keys)
    flag = where.run_dir / faults.FOLDER / "on"
    flag.touch()
    begun = time.time()
    load = Load(seed, size.messages, customers)
    driver = Driver(where, crew, load=load, size=size, steps=plan(seed, size), show=_show)
    driver.run()
    _show(f"all is sent and done after {time.time() - begun:.0f} s; waiting for every message to become final")
    known = Stillness(crew, driver, sent=load.sent, customers=customers, begun=begun, show=_show).wait()
    flag.unlink()
    _show(f"still after {time.time() - begun:.0f} s; counting")
    told = Run(load.sent, known, tuple(journal.read(where.run_dir / "smsc-journal.log")), tuple(driver.done))
    today = datetime.now(UTC).date()
    since = datetime.fromtimestamp(begun, UTC).date()
    audited = audit.run(days(since, today), [customer.account for customer in customers], LOOK_AGAIN_SECONDS, _ignore)
    for line in audited.accounts:
        for difference in line.differences:
            print(f"  the auditor: {difference}", flush=True)
    _tell_faults(where)
    _tell_dead_letters()
    return reckon(told, audited.differences)


def _tell_faults(where: Place) -> None:
    tally: Counter[str] = Counter()
    for log in (where.run_dir / faults.FOLDER).glob("*.log"):
        tally.update(line.split()[1] for line in log.read_text().splitlines())
    calls = sum(sum(line["calls"] for line in told["calls"].values()) for told in _meters(where))
    failed = sum(tally[failing.value] for failing in faults.Failing)
    told = ", ".join(f"{tally[failing.value]} {failing.value}" for failing in faults.Failing)
    print(f"  AWS calls: {calls}, of which {failed} failed on purpose: {told}", flush=True)
    print(f"  records delivered once more: {tally[faults.TWICE]}", flush=True)


def _meters(where: Place) -> list[dict[str, Any]]:
    """What the processes counted, those that were killed included."""
    return [json.loads(meter.read_text()) for meter in (where.run_dir / "meter").glob("*.json")]


def _tell_dead_letters() -> None:
    """They are no loss by themselves; a message that is not final because of one is."""
    letters = dead_letters.listing("waiting").items
    print(f"  dead letters: {len(letters)}, {queues.depth(queues.DEAD)} more under way", flush=True)
    for letter in letters[:MOST_TOLD]:
        print(f"    {letter.id} of {letter.queue}: {letter.reason}", flush=True)


def _show(text: str) -> None:
    print(f"  {datetime.now():%H:%M:%S}  {text}", flush=True)  # noqa: DTZ005 - the person's own time


def _ignore(_text: str) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
