"""smpplib's PDU classes with a type: untyped, every attribute of their subclasses would pass as Any."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:

    class Command: ...

    class BindTransmitter(Command): ...

    class BindReceiver(Command): ...

    class BindTransceiver(Command): ...

    class BindTransmitterResp(Command): ...

    class BindReceiverResp(Command): ...

    class BindTransceiverResp(Command): ...

    class SubmitSM(Command): ...

    class SubmitSMResp(Command): ...

    class DeliverSM(Command): ...

    class DeliverSMResp(Command): ...

    class DataSM(Command): ...

    class DataSMResp(Command): ...

    class QuerySM(Command): ...

    class QuerySMResp(Command): ...

    class EnquireLink(Command): ...

    class EnquireLinkResp(Command): ...

    class Unbind(Command): ...

    class UnbindResp(Command): ...

    class AlertNotification(Command): ...

    class GenericNAck(Command): ...

else:
    from smpplib.command import (
        AlertNotification,
        BindReceiver,
        BindReceiverResp,
        BindTransceiver,
        BindTransceiverResp,
        BindTransmitter,
        BindTransmitterResp,
        Command,
        DataSM,
        DataSMResp,
        DeliverSM,
        DeliverSMResp,
        EnquireLink,
        EnquireLinkResp,
        GenericNAck,
        QuerySM,
        QuerySMResp,
        SubmitSM,
        SubmitSMResp,
        Unbind,
        UnbindResp,
    )

__all__ = [
    "AlertNotification",
    "BindReceiver",
    "BindReceiverResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "Command",
    "DataSM",
    "DataSMResp",
    "DeliverSM",
    "DeliverSMResp",
    "EnquireLink",
    "EnquireLinkResp",
    "GenericNAck",
    "QuerySM",
    "QuerySMResp",
    "SubmitSM",
    "SubmitSMResp",
    "Unbind",
    "UnbindResp",
]
