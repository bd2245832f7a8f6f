"""https with the node's own certificate: real TLS on loopback, judged by OpenSSL as a member's device would."""

import asyncio
import socket
import ssl
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import ClientConnectorCertificateError, ClientSession, TCPConnector, WSMsgType
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from command_line import CommandLine
from hedgerow_node.app import Node, running_node
from hedgerow_node.app.certificates import open_certificates
from hedgerow_node.config import Config
from hedgerow_node.fingerprint import hex_of, words_of
from hedgerow_node.http.first_byte import BothServer
from hedgerow_node.tls.authority import RENEW_DAYS, SERVER_DAYS, is_from, read_authority, read_certificate
from hedgerow_node.tls.files import load, load_fresh, set_up
from hedgerow_node.tls.names import (
    AUTHORITY_CERTIFICATE,
    AUTHORITY_KEY,
    FILES,
    SERVER_CERTIFICATE,
    SERVER_KEY,
    TlsError,
    read_names,
)
from hedgerow_protocol.ports import Timestamp
from net_ends import until

NAME = "hedgerow.local"
DAY = 86_400


def now() -> Timestamp:
    return Timestamp(int(time.time()))


class Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]  # fmt: skip

    async def close(self) -> None:
        pass


def trusting(folder: Path) -> ssl.SSLContext:
    """A device that was told to trust this authority and nothing else."""
    return ssl.create_default_context(cafile=str(folder / AUTHORITY_CERTIFICATE))


@asynccontextmanager
async def device(folder: Path) -> AsyncIterator[ClientSession]:
    async with ClientSession(connector=TCPConnector(resolver=Here(), ssl=trusting(folder))) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "hedgerow.toml").write_text("")
    set_up(data, read_names([NAME], ["192.168.7.7"]), now())
    return data


@asynccontextmanager
async def node_on(folder: Path) -> AsyncIterator[Node]:
    async with running_node(Config(data=folder, port=0, tls="local"), version="0.0.0") as node:
        yield node


# --- what a device makes of it


async def test_one_port_speaks_https_to_those_who_trust_it_and_http_to_the_others(folder: Path) -> None:
    async with node_on(folder) as node, device(folder) as session:
        port = node.street.port
        async with session.get(f"https://{NAME}:{port}/about") as answer:
            assert answer.status == 200
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        async with session.get(f"http://127.0.0.1:{port}/about") as answer:
            assert answer.status == 200
        async with session.get(f"http://{NAME}:{port}/safe-connection/ca.crt") as answer:
            assert answer.content_type == "application/x-x509-ca-cert"
            got = x509.load_der_x509_certificate(await answer.read())
        assert got.fingerprint(hashes.SHA256()) == load(folder).fingerprint
        async with session.get(f"http://{NAME}:{port}/safe-connection") as answer:
            page = await answer.text()
        assert " ".join(words_of(load(folder).fingerprint)) in page
        assert hex_of(load(folder).fingerprint)[:47] in page
        assert f"https://{NAME}:{port}/" in page


async def test_websocket_comes_through_tls(folder: Path) -> None:
    async with node_on(folder) as node, device(folder) as session:
        await until(lambda: not node.network.door.closed, "the gate is open")
        async with session.ws_connect(f"wss://{NAME}:{node.street.port}/peer") as peer:
            await peer.send_str("a text is no way to begin")
            assert (await peer.receive(timeout=10)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)


async def test_a_device_that_does_not_trust_it_is_not_talked_into_it(folder: Path) -> None:
    async with node_on(folder) as node:
        async with ClientSession(connector=TCPConnector(resolver=Here())) as session:
            with pytest.raises(ClientConnectorCertificateError):
                await session.get(f"https://{NAME}:{node.street.port}/")
        async with device(folder) as session, session.get(f"https://{NAME}:{node.street.port}/healthz") as answer:
            assert answer.status == 200


def certificate_for(folder: Path, name: x509.GeneralName) -> tuple[bytes, bytes]:
    """What somebody with a stolen authority key would make."""
    authority = read_authority((folder / AUTHORITY_CERTIFICATE).read_bytes(), (folder / AUTHORITY_KEY).read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    made = read_certificate((folder / SERVER_CERTIFICATE).read_bytes())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made.not_valid_before_utc)
        .not_valid_after(made.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
    )
    signed = builder.sign(authority.key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.public_bytes(serialization.Encoding.PEM), secret


async def is_accepted(folder: Path, host: str) -> bool:
    """Whether a device that trusts the authority takes what a thief of its key made for this host."""
    try:
        name: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    certificate, key = certificate_for(folder, name)
    (folder / "stolen.crt").write_bytes(certificate)
    (folder / "stolen.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "stolen.crt", folder / "stolen.key")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(folder), server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            if "permitted subtree violation" not in str(error):
                raise
            return False
        writer.close()
        return True


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        (NAME, True),
        ("192.168.7.7", True),
        ("bank.example.org", False),
        ("printer.local", False),
        ("hedgerow.local.example.org", False),
        ("192.168.7.8", False),
        ("2001:db8::1", False),
    ],
)
async def test_a_stolen_authority_key_vouches_for_nothing_else(folder: Path, host: str, accepted: bool) -> None:
    assert await is_accepted(folder, host) is accepted


async def test_a_kind_of_name_that_was_not_chosen_is_not_free(tmp_path: Path) -> None:
    for number, (names, addresses) in enumerate((([NAME], []), ([], ["192.168.7.7"]), ([], ["fd00::7"]))):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = set_up(folder, read_names(names, addresses), now())
        assert (list(made.names.names), [str(each) for each in made.names.addresses]) == (names, addresses)
        for host in (NAME, "example.org", "192.168.7.7", "192.168.7.8", "fd00::7"):
            assert await is_accepted(folder, host) is (host in (*names, *addresses)), (names, addresses, host)


# --- renewal


def test_the_server_certificate_is_made_anew_when_little_time_is_left(folder: Path) -> None:
    first = load(folder)
    life = first.server.not_valid_after_utc - first.server.not_valid_before_utc
    assert life.total_seconds() < SERVER_DAYS * DAY
    early = Timestamp(int(first.server.not_valid_after_utc.timestamp()) - (RENEW_DAYS + 1) * DAY)
    same, renewed = load_fresh(folder, early)
    assert not renewed
    assert same.server == first.server
    second, renewed = load_fresh(folder, Timestamp(early + 2 * DAY))
    assert renewed
    assert second.server.not_valid_after_utc > first.server.not_valid_after_utc
    assert second.server.public_key() != first.server.public_key()
    assert second.authority == first.authority
    assert is_from(second.server, first.authority)


async def test_a_node_that_runs_takes_the_new_one_up_without_a_pause(folder: Path) -> None:
    before = load(folder).server
    certificates = open_certificates(Config(data=folder, tls="local"), now())
    later = Timestamp(int(before.not_valid_after_utc.timestamp()) - DAY)

    async def shown() -> bytes:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certificates.context)
        async with server:
            asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=asking, server_hostname=NAME)
            got = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            assert isinstance(got, bytes)
            return got

    assert await shown() == before.public_bytes(serialization.Encoding.DER)
    assert not certificates.renew(now())
    assert certificates.renew(later)
    assert await shown() == load(folder).server.public_bytes(serialization.Encoding.DER)
    assert load(folder).server != before


@pytest.mark.parametrize("name", [SERVER_CERTIFICATE, SERVER_KEY])
@pytest.mark.parametrize("how", ["lost", "broken", "of another"])
def test_half_a_pair_is_made_whole(folder: Path, tmp_path: Path, name: str, how: str) -> None:
    if how == "lost":
        (folder / name).unlink()
    elif how == "broken":
        (folder / name).write_bytes(b"nothing")
    else:
        other = tmp_path / "other"
        other.mkdir()
        set_up(other, read_names([NAME], []), now())
        (folder / name).write_bytes((other / name).read_bytes())
    made, renewed = load_fresh(folder, now())
    assert renewed
    assert made.context() is not None


def test_near_the_authoritys_end_nothing_is_made_anew_in_vain_and_after_it_a_sentence_stops_the_start(
    folder: Path,
) -> None:
    ends = int(load(folder).authority.not_valid_after_utc.timestamp())
    last, renewed = load_fresh(folder, Timestamp(ends - 20 * DAY))
    assert renewed
    assert last.server.not_valid_after_utc == last.authority.not_valid_after_utc
    assert load_fresh(folder, Timestamp(ends - 10 * DAY)) == (last, False)
    with pytest.raises(TlsError, match="--replace"):
        load_fresh(folder, Timestamp(ends))


def test_files_are_the_owners_alone_and_a_key_that_others_may_read_is_refused(folder: Path) -> None:
    for name in FILES:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    (folder / AUTHORITY_KEY).chmod(0o644)
    with pytest.raises(TlsError, match="chmod 600"):
        load_fresh(folder, now())


# --- one port for both


async def test_silent_connections_end_and_are_counted(folder: Path) -> None:
    async with node_on(folder) as node:
        server, door = node.street.server, node.street.door
        assert isinstance(server, BothServer)
        door.head_seconds, door.per_address_max, door.limit_loopback = 0.3, 3, True
        silent = [await asyncio.open_connection("127.0.0.1", node.street.port) for _ in range(3)]
        half = silent[0][1]
        half.write(b"\x16\x03\x01")  # the beginning of a handshake that never goes on
        too_many, _ = await asyncio.open_connection("127.0.0.1", node.street.port)
        assert await _end(too_many) == b""
        for reader, writer in silent:
            assert await _end(reader) == b""
            writer.close()
        assert door.refused >= 3
        assert server.waiting == 0
        reader, writer = await asyncio.open_connection("127.0.0.1", node.street.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 200 " in await _end(reader)
        writer.close()


async def _end(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_it_closes_with_connections_that_have_said_nothing(folder: Path) -> None:
    async with node_on(folder) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.street.port)
        port = node.street.port
    assert await _end(reader) == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


# --- the command


def test_the_command_makes_it_and_says_what_to_compare(hedgerow: CommandLine) -> None:
    out, _ = hedgerow.run("tls")
    assert "hedgerow tls --name" in out
    made = hedgerow.json("tls", "--name", "Hedgerow.Local.", "--address", "192.168.7.7")
    assert made["names"] == [NAME]
    assert made["urls"] == ["https://hedgerow.local:8470/", "https://192.168.7.7:8470/"]
    assert len(made["words"]) == 8
    assert 390 * DAY < made["server_until"] - time.time() < SERVER_DAYS * DAY
    again = hedgerow.json("tls")
    assert (again["on"], again["fingerprint"]) == (True, made["fingerprint"])
    assert hedgerow.json("tls", "--name", NAME, "--address", "192.168.7.7")["fingerprint"] == made["fingerprint"]
    assert 'tls = "local"' in (hedgerow.data / "hedgerow.toml").read_text()
    out, _ = hedgerow.run("tls")
    assert " ".join(made["words"]) in out
    assert made["fingerprint"][:47] in out
    assert "--replace" in hedgerow.fails("tls", "--name", "other.local")
    other = hedgerow.json("tls", "--name", "other.local", "--replace")
    assert other["fingerprint"] != made["fingerprint"]
    hedgerow.run("tls", "--off")
    assert hedgerow.json("tls")["on"] is False


@pytest.mark.parametrize(
    "said",
    [
        ("--name", "localhost"),
        ("--name", "com"),
        ("--name", "*.example.org"),
        ("--name", "home.arpa"),
        ("--name", "a" * 64 + ".local"),
        ("--name", "192.168.7.7"),
        ("--address", "127.0.0.1"),
        ("--address", "0.0.0.0"),
        ("--address", "hedgerow.local"),
        ("--address", "fe80::1%eth0"),
        ("--replace",),
    ],
)
def test_names_that_would_vouch_for_others_or_nobody_are_refused(hedgerow: CommandLine, said: tuple[str, ...]) -> None:
    assert "hedgerow" not in [each.name for each in hedgerow.data.parent.iterdir() if each == hedgerow.data]
    assert hedgerow.fails("tls", *said).endswith(".")
    assert not (hedgerow.data / AUTHORITY_KEY).exists()


def test_a_backup_carries_it(hedgerow: CommandLine, tmp_path: Path) -> None:
    hedgerow.run("setup")
    made = hedgerow.json("tls", "--name", NAME)
    hedgerow.run("backup", tmp_path / "all.tar")
    restored = CommandLine(tmp_path / "new", hedgerow.capsys)
    restored.run("restore", tmp_path / "all.tar")
    assert restored.json("tls")["fingerprint"] == made["fingerprint"]
    assert stat.S_IMODE((restored.data / AUTHORITY_KEY).stat().st_mode) == 0o600


def test_without_the_files_the_start_stops_with_a_sentence(hedgerow: CommandLine) -> None:
    assert "hedgerow tls" in hedgerow.fails("serve", "--tls", "local", "--port", "0")
