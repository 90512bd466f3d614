"""The simulator over TLS, with a certificate as a local run makes it."""

import asyncio
import ssl
from pathlib import Path

from infra.local import certificate
from infra.local.smsc import Config, Smsc
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.pdu import BindTransceiver, BindTransceiverResp


def test_a_session_binds_over_tls(tmp_path: Path) -> None:
    file, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.make(file, key)

    async def whole() -> None:
        async with Smsc(Config(certificate=str(file), key=str(key), admin_port=None)) as smsc:
            trust = ssl.create_default_context(cafile=str(file))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", smsc.port, ssl=trust, server_hostname="localhost"
            )
            writer.write(encode(BindTransceiver(sequence=1, system_id="demo")))
            head = await reader.readexactly(16)
            answer = decode(head + await reader.readexactly(int.from_bytes(head[:4]) - 16))
            assert isinstance(answer, BindTransceiverResp)
            assert (answer.status, answer.system_id, answer.sc_interface_version) == (0, "chasqui-smsc", 0x34)
            writer.close()

    asyncio.run(whole())


def test_a_certificate_is_made_anew_over_the_one_before_and_its_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    file, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.make(file, key)
    first = file.read_bytes()
    certificate.make(file, key)
    assert file.read_bytes() != first
    assert key.stat().st_mode & 0o777 == 0o600
