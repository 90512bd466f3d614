"""From an SMSC's message id, which is unique per gateway and for a while only, to our message and part."""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.store import dynamo

KEPT_SECONDS: Final = 7 * 86_400  # no operator's validity is longer; afterwards ids come again


class PointerTable(dynamo.Table):
    class Meta:
        suffix = "receipts"

    pointer = UnicodeAttribute(hash_key=True)
    account = UnicodeAttribute()
    message = UnicodeAttribute()
    part = NumberAttribute()
    parts = NumberAttribute()
    expires = NumberAttribute()


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of which message a gateway's SMSC calls by `smsc_message_id` (as its response gave it)."""

    gateway: str
    smsc_message_id: str
    account: str
    message: str
    part: int
    parts: int
    at_ms: int

    @property
    def name(self) -> str:
        return name_of(self.gateway, self.smsc_message_id)


def name_of(gateway: str, smsc_message_id: str) -> str:
    """The pointer's key."""
    return f"{gateway}#{smsc_message_id}"


def put(pointers: Iterable[Pointer]) -> None:
    """Write the pointers; of an id that came again the newer stands. Raises dynamo.Overloaded."""
    dynamo.put_all(
        PointerTable(
            pointer.name,
            account=pointer.account,
            message=pointer.message,
            part=pointer.part,
            parts=pointer.parts,
            expires=pointer.at_ms // 1000 + KEPT_SECONDS,
        )
        for pointer in pointers
    )


def find(sought: Iterable[tuple[str, Iterable[str]]]) -> dict[str, Pointer]:
    """The pointers that exist among (gateway, id forms) pairs, by `name_of`. Raises dynamo.Overloaded."""
    names = [name_of(gateway, form) for gateway, forms in sought for form in forms]
    return {str(item.pointer): _pointer(item) for item in dynamo.get_all(PointerTable, names)}


def _pointer(item: PointerTable) -> Pointer:
    gateway, _, smsc_message_id = str(item.pointer).partition("#")
    return Pointer(
        gateway=gateway,
        smsc_message_id=smsc_message_id,
        account=str(item.account),
        message=str(item.message),
        part=int(item.part),
        parts=int(item.parts),
        at_ms=(int(item.expires) - KEPT_SECONDS) * 1000,
    )
