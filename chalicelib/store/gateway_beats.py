"""Gateways' beats: how each bridge's share of a gateway fares, over what the bridge told before.

A write unit or two a beat: some 0.5 $ a month for a gateway and bridge.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.domain.gateway_beat import GatewayBeat
from chalicelib.store import dynamo

KEPT_SECONDS: Final = 86_400  # after which TTL sweeps up what a bridge that is gone has told
_decoder: Final = msgspec.json.Decoder(GatewayBeat)


class BeatTable(dynamo.Table):
    class Meta:
        suffix = "gateway_beats"

    gateway = UnicodeAttribute(hash_key=True)
    bridge = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    expires = NumberAttribute()


def put(beats: Iterable[GatewayBeat]) -> None:
    """Write the beats over those before, 25 a request. Raises dynamo.Overloaded."""
    dynamo.put_all(
        BeatTable(
            beat.gateway,
            beat.bridge,
            body=msgspec.json.encode(beat).decode(),
            expires=beat.at_ms // 1000 + KEPT_SECONDS,
        )
        for beat in beats
    )


def of(gateway: str) -> list[GatewayBeat]:
    """The last beat of each bridge that has had a share of the gateway within a day."""
    return [_decoder.decode(item.body) for item in BeatTable.query(gateway)]


def everyone() -> list[GatewayBeat]:
    """The last beats of all gateways: some hundred rows."""
    return [_decoder.decode(item.body) for item in BeatTable.scan()]
