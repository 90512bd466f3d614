"""Identifiers: time-ordered, and enough to find a message without an index.

ULIDs are made here: python-ulid counts up within a millisecond, so that ids whose last character is given (the shard)
would meet, and it adds 30 ms to a cold start.
"""

import secrets
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAX_SHARDS: Final = len(CROCKFORD)  # the shard is the last character of a message id
MESSAGE_PREFIX: Final = "msg_"
# Of a dispatch, claimed together. One write for ten messages is 6 cents a million messages; after a crash few are in
# doubt that were not submitted. All that runs at the same time must agree on it.
SLICE_MESSAGES: Final = 10
JOB_SLICE_MESSAGES: Final = 25  # of a job's: six calls less for a hundred messages, some more in doubt
RUN_DIGITS: Final = 7  # of a message's number within its run: ten million, so that they sort as text
RELEASED: Final = "+released"
_ULID_LENGTH: Final = 26
_MAX_MS: Final = 253_402_300_799_999  # the end of the year 9999, after which dates have no name; ULIDs go on to 10889
_TIME_LENGTH: Final = 10  # of them for the time
_TIMES_HELD: Final = 1024  # that ids were made at: a run's messages all have one
_RANDOM_BITS: Final = 80
_SHIFTS: Final = range(5 * (_ULID_LENGTH - 1), -1, -5)


class BadId(ValueError):
    """The text is no id that Chasqui has given out."""


def new_ulid(now_ms: int) -> str:
    """26 characters (github.com/ulid/spec): 48 bits of epoch milliseconds, then 80 random bits."""
    value = now_ms << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(CROCKFORD[value >> shift & 31] for shift in _SHIFTS)


def new_message_id(now_ms: int, shards: int = 1) -> str:
    """`msg_` + ULID whose last character is the shard (0 … shards - 1) that the message is kept in."""
    body = new_ulid(now_ms)
    shard = CROCKFORD.index(body[-1]) % shards
    return f"{MESSAGE_PREFIX}{body[:-1]}{CROCKFORD[shard]}"


def part_id(group: str, number: int) -> str:
    """The id of part `number` (0 to 255) of a message that its sender cut, from `group`, any of its ids.

    It differs in two characters only, which say the number: each part's id leads to the first one's.
    """
    high, low = divmod(number, len(CROCKFORD))
    return f"{group[:-3]}{CROCKFORD[high]}{CROCKFORD[low]}{group[-1]}"


def new_id(kind: str, now_ms: int) -> str:
    """`<kind>_<ULID>`, as `acc_…`, `rte_…`; the kind is the record's short name."""
    return f"{kind}_{new_ulid(now_ms)}"


def bundle_of_single(message_id: str) -> str:
    """The bundle id of a message that was sent alone: its ULID."""
    return message_id.removeprefix(MESSAGE_PREFIX)


def new_run_id(now_ms: int, shards: int = 1) -> str:
    """The ULID of a job's run, whose last character tells over how many shards its messages are spread.

    The account's setting may change while the run lasts; where its messages are kept must not.
    """
    return f"{new_ulid(now_ms)[:-1]}{CROCKFORD[shards - 1]}"


def shards_of_run(run: str) -> int:
    """Over how many shards a run's messages are spread."""
    return CROCKFORD.index(run[-1]) + 1


def run_message_id(run: str, number: int) -> str:
    """`msg_<run ULID>-<number>`: the id of a run's message, from 0; the same one each time it is made."""
    return f"{MESSAGE_PREFIX}{run}-{number:0{RUN_DIGITS}}"


def run_bundle_id(run: str, first: int) -> str:
    """The bundle of a run's messages that begins with that one. It is named after it, so that they sort together."""
    return f"{run}-{first:0{RUN_DIGITS}}"


def run_of(message_id: str) -> str | None:
    """The run that made the message; None where no job did."""
    run, dash, _ = message_id.removeprefix(MESSAGE_PREFIX).partition("-")
    return run if dash else None


def number_of(message_id: str) -> int:
    """The number of a run's message within it, from 0."""
    return int(message_id.rpartition("-")[2])


def released_bundle(message_id: str) -> str:
    """The bundle id of a message that was held, and then let go: another ledger entry than the one that held it."""
    return f"{bundle_of_single(message_id)}{RELEASED}"


def is_released(bundle: str) -> bool:
    """Whether the bundle is of a message that a person has let go."""
    return bundle.endswith(RELEASED)


def dispatch_id(bundle: str, messages: int, queue: str) -> str:
    """The name under which a bridge, or cancel, claims a bundle of `messages` messages on a gateway's `queue`.

    A message sent alone is claimed by its bundle alone, so that cancel knows the name before it is routed; a larger
    bundle may go to several gateways, each of which has its own name.
    """
    return bundle.removesuffix(RELEASED) if messages == 1 else f"{bundle}/{queue}"


def slice_messages(dispatch: str) -> int:
    """How many messages of the dispatch are claimed together: a run's bundle has a dash behind its ULID."""
    return JOB_SLICE_MESSAGES if dispatch[_ULID_LENGTH : _ULID_LENGTH + 1] == "-" else SLICE_MESSAGES


def slice_id(dispatch: str, place: int) -> str:
    """The name by which a dispatch's message at that place, from 0, is claimed: the first slice has the dispatch's."""
    begins = place - place % slice_messages(dispatch)
    return f"{dispatch}#{begins}" if begins else dispatch


def hop_id(bundle: str, message_id: str, number: int) -> str:
    """The name of a message's dispatch once it was handed on, alone, the `number`-th time, to a gateway or back."""
    return f"{bundle}/{message_id}/{number}"


def next_hop(dispatch: str, message_id: str) -> str:
    """The name of a message's next dispatch: `<bundle ULID>/<message id>/<n>`, the same one for a replay."""
    root, *hop = root_of(dispatch).split("/")  # a bundle's first dispatch is `<bundle ULID>/<queue>`
    number = int(hop[1]) + 1 if len(hop) > 1 else 1
    return hop_id(root, message_id, number)


def root_of(dispatch: str) -> str:
    """The dispatch's name without the place of what was handed on of it."""
    return dispatch.partition("#")[0]


def check_message_id(text: str) -> str:
    """The id itself. Raises BadId where it is not one."""
    body, dash, number = text.removeprefix(MESSAGE_PREFIX).partition("-")
    if not text.startswith(MESSAGE_PREFIX) or len(body) != _ULID_LENGTH or body[0] > "7":
        raise BadId("not a message id")
    if dash and not (len(number) == RUN_DIGITS and number.isascii() and number.isdigit()):
        raise BadId("not a message id")
    if any(character not in CROCKFORD for character in body):
        raise BadId("not a message id")
    if created_ms_of(text) > _MAX_MS:
        raise BadId("not a message id")
    return text


def created_ms_of(message_id: str) -> int:
    """Epoch milliseconds at which the id was made."""
    return _ms_of(message_id.removeprefix(MESSAGE_PREFIX)[:_TIME_LENGTH])


@lru_cache(_TIMES_HELD)
def _ms_of(characters: str) -> int:
    value = 0
    for character in characters:
        value = value << 5 | CROCKFORD.index(character)
    return value


def floor_at(at_ms: int) -> str:
    """The text that every ULID of that instant or later comes after, and every earlier one before."""
    shifts = range(5 * (_TIME_LENGTH - 1), -1, -5)
    return "".join(CROCKFORD[at_ms >> shift & 31] for shift in shifts)


def day_of(message_id: str) -> str:
    """The UTC day (YYYY-MM-DD) whose log holds the message."""
    return day_at(created_ms_of(message_id))


def day_at(at_ms: int) -> str:
    """The UTC day (YYYY-MM-DD) of an instant."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def shard_of(message_id: str) -> int:
    """The shard of its account's day that holds the message."""
    body, dash, number = message_id.partition("-")
    last = CROCKFORD.index(body[-1])
    return int(number) % (last + 1) if dash else last
