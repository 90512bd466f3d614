"""Every PDU written out octet by octet from the field layouts of SMPP 3.4 section 4: (octets, what they say)."""

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.multi import Destination, DistributionList, Unsuccessful
from smpp_bridge.protocol.pdu import (
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)


def octets(*lines: str) -> bytes:
    """Hexadecimal with spaces; what stands behind a # is for the reader."""
    return bytes.fromhex("".join(line.partition("#")[0] for line in lines))


VECTORS: dict[str, tuple[bytes, Pdu]] = {
    # 4.1.1; the example of section 3.2.5 is this PDU
    "bind_transmitter": (
        octets(
            "00 00 00 2F  # command_length 47",
            "00 00 00 02  # command_id",
            "00 00 00 00  # command_status",
            "00 00 00 01  # sequence_number",
            "53 4D 50 50 33 54 45 53 54 00  # system_id SMPP3TEST",
            "73 65 63 72 65 74 30 38 00  # password secret08",
            "53 55 42 4D 49 54 31 00  # system_type SUBMIT1",
            "00  # interface_version",
            "01  # addr_ton",
            "01  # addr_npi",
            "00  # address_range",
        ),
        BindTransmitter(
            sequence=1,
            system_id="SMPP3TEST",
            password="secret08",
            system_type="SUBMIT1",
            interface_version=0,
            addr_ton=1,
            addr_npi=1,
        ),
    ),
    # 4.1.2
    "bind_transmitter_resp": (
        octets("0000001D 80000002 00000000 00000001", "53 4D 50 50 33 54 45 53 54 30 31 32 00  # system_id"),
        BindTransmitterResp(sequence=1, system_id="SMPP3TEST012"),
    ),
    "bind_transmitter_resp, refused, without a body": (
        octets("00000010 80000002 0000000E 00000001"),
        BindTransmitterResp(sequence=1, status=0x0E),
    ),
    # 4.1.3
    "bind_receiver": (
        octets(
            "0000001C 00000001 00000000 00000002",
            "61 00  # system_id",
            "62 00  # password",
            "00  # system_type",
            "34  # interface_version",
            "02 08  # addr_ton, addr_npi",
            "35 32 2A 00  # address_range",
        ),
        BindReceiver(sequence=2, system_id="a", password="b", addr_ton=2, addr_npi=8, address_range="52*"),
    ),
    # 4.1.4, with sc_interface_version (5.3.2.25)
    "bind_receiver_resp": (
        octets("00000017 80000001 00000000 00000002", "61 00", "0210 0001 34"),
        BindReceiverResp(sequence=2, system_id="a", tlvs=((0x0210, b"\x34"),)),
    ),
    # 4.1.5
    "bind_transceiver": (
        octets("00000017 00000009 00000000 7FFFFFFF", "00 00 00 34 00 00 00"),
        BindTransceiver(sequence=0x7FFFFFFF),
    ),
    # 4.1.6
    "bind_transceiver_resp": (
        octets("00000011 80000009 00000000 7FFFFFFF", "00"),
        BindTransceiverResp(sequence=0x7FFFFFFF),
    ),
    # 4.2.1, 4.2.2
    "unbind": (octets("00000010 00000006 00000000 00000003"), Unbind(sequence=3)),
    "unbind_resp": (octets("00000010 80000006 00000000 00000003"), UnbindResp(sequence=3)),
    # 4.3.1: the sequence_number is NULL where the original could not be decoded
    "generic_nack": (octets("00000010 80000000 00000003 00000000"), GenericNack(status=3)),
    # 4.4.1
    "submit_sm": (
        octets(
            "00 00 00 4B  # command_length 75",
            "00 00 00 04  # command_id",
            "00 00 00 00  # command_status",
            "00 00 00 05  # sequence_number",
            "43 4D 54 00  # service_type CMT",
            "05  # source_addr_ton alphanumeric",
            "00  # source_addr_npi",
            "43 68 61 73 71 75 69 00  # source_addr Chasqui",
            "01  # dest_addr_ton international",
            "01  # dest_addr_npi ISDN",
            "35 32 35 35 31 32 33 34 00  # destination_addr 52551234",
            "40  # esm_class UDHI",
            "7F  # protocol_id",
            "02  # priority_flag",
            "00  # schedule_delivery_time",
            "30 30 30 30 30 31 30 30 30 30 30 30 30 30 30 52 00  # validity_period 000001000000000R",
            "01  # registered_delivery",
            "00  # replace_if_present_flag",
            "00  # data_coding",
            "00  # sm_default_msg_id",
            "08  # sm_length",
            "05 00 03 CC 02 01 48 69  # short_message: header, Hi",
        ),
        SubmitSm(
            sequence=5,
            service_type="CMT",
            source_addr_ton=5,
            source_addr="Chasqui",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="52551234",
            esm_class=0x40,
            protocol_id=0x7F,
            priority_flag=2,
            validity_period="000001000000000R",
            registered_delivery=1,
            short_message=b"\x05\x00\x03\xcc\x02\x01Hi",
        ),
    ),
    "submit_sm with SAR, a reference and a vendor's parameter": (
        octets(
            "00000041 00000004 00000000 00000006",
            "00 00 00 00 00 00 31 00  # service_type, source, destination 1",
            "00 00 00 00 00  # esm_class, protocol_id, priority_flag, both times",
            "00 00 08 00  # registered_delivery, replace_if_present_flag, data_coding UCS2, sm_default_msg_id",
            "02 00 48  # sm_length, short_message",
            "020C 0002 1234  # sar_msg_ref_num",
            "020E 0001 02  # sar_total_segments",
            "020F 0001 01  # sar_segment_seqnum",
            "0204 0002 BEEF  # user_message_reference",
            "1400 0003 010203  # a vendor's",
        ),
        SubmitSm(
            sequence=6,
            destination_addr="1",
            data_coding=8,
            short_message=b"\0H",
            tlvs=(
                (0x020C, b"\x12\x34"),
                (0x020E, b"\x02"),
                (0x020F, b"\x01"),
                (0x0204, b"\xbe\xef"),
                (0x1400, b"\x01\x02\x03"),
            ),
        ),
    ),
    # 4.4.2
    "submit_sm_resp": (
        octets("00000015 80000004 00000000 00000005", "31 61 32 62 00  # message_id 1a2b"),
        SubmitSmResp(sequence=5, message_id="1a2b"),
    ),
    "submit_sm_resp, throttled, without a body": (
        octets("00000010 80000004 00000058 00000005"),
        SubmitSmResp(sequence=5, status=0x58),
    ),
    # 4.6.1: a delivery receipt
    "deliver_sm": (
        octets(
            "0000003C 00000005 00000000 00000007",
            "00  # service_type",
            "01 01 35 32 00  # source 52",
            "05 00 43 00  # destination C",
            "04  # esm_class: receipt",
            "00 00 00 00  # protocol_id, priority_flag, both times",
            "00 00 00 00  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id",
            "05 69 64 3A 31 61  # sm_length, id:1a",
            "001E 0003 31 61 00  # receipted_message_id",
            "0427 0001 02  # message_state DELIVERED",
            "0423 0003 03 0000  # network_error_code",
        ),
        DeliverSm(
            sequence=7,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="52",
            dest_addr_ton=5,
            destination_addr="C",
            esm_class=4,
            short_message=b"id:1a",
            tlvs=((0x001E, b"1a\0"), (0x0427, b"\x02"), (0x0423, b"\x03\0\0")),
        ),
    ),
    # 4.6.2: message_id is unused and NULL
    "deliver_sm_resp": (octets("00000011 80000005 00000000 00000007", "00"), DeliverSmResp(sequence=7)),
    # 4.7.1
    "data_sm": (
        octets(
            "00000021 00000103 00000000 00000008",
            "00  # service_type",
            "00 00 00  # source",
            "01 01 35 00  # destination 5",
            "00  # esm_class",
            "01  # registered_delivery",
            "04  # data_coding",
            "0424 0002 CAFE  # message_payload",
        ),
        DataSm(
            sequence=8,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="5",
            registered_delivery=1,
            data_coding=4,
            tlvs=((0x0424, b"\xca\xfe"),),
        ),
    ),
    # 4.7.2
    "data_sm_resp": (octets("00000012 80000103 00000000 00000008", "41 00"), DataSmResp(sequence=8, message_id="A")),
    # 4.8.1, 4.8.2
    "query_sm": (
        octets("00000016 00000003 00000000 00000009", "41 00", "01 01", "35 00"),
        QuerySm(sequence=9, message_id="A", source_addr_ton=1, source_addr_npi=1, source_addr="5"),
    ),
    "query_sm_resp": (
        octets("00000015 80000003 00000000 00000009", "41 00", "00", "02", "07"),
        QuerySmResp(sequence=9, message_id="A", message_state=2, error_code=7),
    ),
    # 4.9.1, 4.9.2
    "cancel_sm": (
        octets("0000001A 00000008 00000000 0000000A", "00", "41 00", "01 01 35 00", "00 00 00"),
        CancelSm(sequence=10, message_id="A", source_addr_ton=1, source_addr_npi=1, source_addr="5"),
    ),
    "cancel_sm_resp": (octets("00000010 80000008 00000000 0000000A"), CancelSmResp(sequence=10)),
    # 4.10.1, 4.10.2
    "replace_sm": (
        octets(
            "0000002C 00000007 00000000 0000000D",
            "41 00  # message_id",
            "01 01 35 00  # source 5",
            "00  # schedule_delivery_time",
            "30 30 30 30 30 31 30 30 30 30 30 30 30 30 30 52 00  # validity_period 000001000000000R",
            "01 00 01 48  # registered_delivery, sm_default_msg_id, sm_length, H",
        ),
        ReplaceSm(
            sequence=13,
            message_id="A",
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="5",
            validity_period="000001000000000R",
            registered_delivery=1,
            short_message=b"H",
        ),
    ),
    "replace_sm_resp": (octets("00000010 80000007 00000000 0000000D"), ReplaceSmResp(sequence=13)),
    # 4.5.1, with both kinds of destinations (4.5.1.1, 4.5.1.2)
    "submit_multi": (
        octets(
            "00000031 00000021 00000000 0000000E",
            "00  # service_type",
            "00 00 43 00  # source C",
            "02  # number_of_dests",
            "01 01 01 35 32 00  # dest_flag SME, 52",
            "02 4C 00  # dest_flag distribution list, L",
            "00 00 00 00 00  # esm_class, protocol_id, priority_flag, both times",
            "01 00 08 00  # registered_delivery, replace_if_present_flag, data_coding UCS2, sm_default_msg_id",
            "02 00 48  # sm_length, short_message",
            "0204 0002 BEEF  # user_message_reference",
        ),
        SubmitMulti(
            sequence=14,
            source_addr="C",
            destinations=(Destination("52", 1, 1), DistributionList("L")),
            registered_delivery=1,
            data_coding=8,
            short_message=b"\0H",
            tlvs=((0x0204, b"\xbe\xef"),),
        ),
    ),
    # 4.5.2
    "submit_multi_resp": (
        octets("0000001C 80000021 00000000 0000000E", "41 00", "01  # no_unsuccess", "01 01 35 32 00  0000000B"),
        SubmitMultiResp(sequence=14, message_id="A", unsuccessful=(Unsuccessful(Destination("52", 1, 1), 0x0B),)),
    ),
    # 4.11.1, 4.11.2
    "enquire_link": (octets("00000010 00000015 00000000 0000000B"), EnquireLink(sequence=11)),
    "enquire_link_resp": (octets("00000010 80000015 00000000 0000000B"), EnquireLinkResp(sequence=11)),
    # 4.12.1, with ms_availability_status (5.3.2.30)
    "alert_notification": (
        octets("0000001C 00000102 00000000 0000000C", "01 01 35 00", "00 00 00", "0422 0001 00"),
        AlertNotification(
            sequence=12, source_addr_ton=1, source_addr_npi=1, source_addr="5", tlvs=((0x0422, b"\x00"),)
        ),
    ),
}
