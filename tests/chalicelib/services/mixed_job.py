"""A job to many who must not be written to and some who may, carried from its file to what gateways are given."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.job import Survey, Tally
from chalicelib.domain.marks import LEFT, SUBMITTED
from chalicelib.store import accounts, dnd, job_tallies, opt_outs
from chalicelib.store.dnd import Disturbed
from chalicelib.store.opt_outs import OptOut
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, waiting

Kind = Literal["dnd", "opted_out", "both", "plain", "left_another"]
# Who the recipients are, in turns: ten of twelve must not be written to, as often by one list as by the other.
KINDS: Final[tuple[Kind, ...]] = (
    *("dnd", "opted_out", "plain", "both", "dnd", "opted_out"),
    *("opted_out", "dnd", "left_another", "dnd", "both", "opted_out"),
)
MAY: Final = frozenset[Kind]({"plain", "left_another"})
OTHER_ACCOUNT: Final = "acc_two"
# A number is who it is however a file writes it.
FORMS: Final[tuple[Callable[[str], str], ...]] = (
    lambda digits: f"+34{digits}",
    lambda digits: digits,
    lambda digits: f"0034 {digits[:3]} {digits[3:6]} {digits[6:]}",
    lambda digits: f"(34) {digits[:3]}-{digits[3:]}",
    lambda digits: f"34{digits}",
)


class Outcome(NamedTuple):
    """What became of the job's recipients."""

    survey: Survey
    tally: Tally
    dispatched: Counter[str]  # by number
    suppressed: frozenset[str]
    reachable: frozenset[str]

    @property
    def reached_in_vain(self) -> int:
        """Messages on their way to somebody who must not be written to."""
        return sum(count for number, count in self.dispatched.items() if number in self.suppressed)


def run(suppressed: int) -> Outcome:
    """The job with `suppressed` such recipients, a multiple of ten, and a fifth as many others among them."""
    turns = suppressed * len(KINDS) // (len(KINDS) - sum(kind in MAY for kind in KINDS))
    people = {f"+34{_digits(at)}": KINDS[at % len(KINDS)] for at in range(turns)}
    account = world.open_world()
    row = accounts.versioned(account.id)
    assert row is not None
    assert accounts.change(account.id, row.version, msgspec.structs.replace(row.value, has_opt_outs=True))
    _plant(people)
    made = world.create_from_file(_file(turns))
    dispatched = _carry_on()
    job = world.row(made.job.id).job
    assert job.survey is not None
    return Outcome(
        survey=job.survey,
        tally=world.tally(job.id),
        dispatched=dispatched,
        suppressed=frozenset(number for number, kind in people.items() if kind not in MAY),
        reachable=frozenset(number for number, kind in people.items() if kind in MAY),
    )


def _digits(at: int) -> str:
    return f"600{at:06}"


def _file(rows: int) -> bytes:
    lines = (FORMS[at // len(KINDS) % len(FORMS)](_digits(at)) for at in range(rows))
    return "".join(f"{line}\r\n" for line in ("phone", *lines)).encode()


def _plant(people: dict[str, Kind]) -> None:
    """Straight into the lists, as imports leave them."""
    dnd.put(Disturbed(number, "ES", NOW_MS) for number, kind in people.items() if kind in ("dnd", "both"))
    opt_outs.put_many(
        OptOut(account=whom, number=number, left=True, at_ms=NOW_MS, way="import")
        for number, kind in people.items()
        for whom in _left_by(kind)
    )


def _left_by(kind: Kind) -> Iterator[str]:
    if kind in ("opted_out", "both"):
        yield ACCOUNT
    if kind == "left_another":
        yield OTHER_ACCOUNT


def _carry_on() -> Counter[str]:
    """Feed, charge and take what gateways are given, until all is; how often each number is written to."""
    dispatched: Counter[str] = Counter()
    while world.carry_on(turns=1):
        fed = world.charge_all()
        taken = [bundle for bundle in waiting(f"gateway-{GATEWAY}-bulk") if isinstance(bundle, wire.DispatchBundle)]
        dispatched.update(message.content.to for bundle in taken for message in bundle.messages)
        for bundle in taken:
            numbers = frozenset(ids.number_of(message.id) for message in bundle.messages)
            run_ = ids.run_of(bundle.messages[0].id) or ""
            count = job_tallies.Count(run=run_, step=f"test-{bundle.id}", marks={SUBMITTED: numbers, LEFT: numbers})
            job_tallies.put([count], NOW_MS)
        if not fed:
            break
    return dispatched
