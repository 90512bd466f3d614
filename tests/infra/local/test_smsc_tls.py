"""The simulator over TLS."""

import asyncio
import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.smsc import Config, Smsc
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.pdu import BindTransceiver, BindTransceiverResp


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def test_a_session_binds_over_tls(tmp_path: Path) -> None:
    certificate, key = certificate_in(tmp_path)

    async def whole() -> None:
        async with Smsc(Config(certificate=str(certificate), key=str(key), admin_port=None)) as smsc:
            trust = ssl.create_default_context(cafile=str(certificate))
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
