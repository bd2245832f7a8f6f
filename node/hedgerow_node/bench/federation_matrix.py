"""Two Matrix Synapse servers on this machine that federate with each other, for comparison. Nothing leaves loopback.

Synapse is never a dependency: whoever has it installed somewhere names that interpreter (``--synapse PYTHON``). It runs
as ``pip install matrix-synapse`` leaves it: one process, SQLite, TLS between the servers with a certificate made here.
Rate limits, presence and trusted key servers are switched off, and passwords are hashed cheaply.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from hedgerow_node.bench.federation_world import Line
from hedgerow_node.bench.rooms_dialects import ID
from hedgerow_node.bench.rooms_load import Sample
from hedgerow_node.bench.rooms_servers import Server, free_port, wait_for
from hedgerow_protocol.base64url import encode as b64

API: Final = "/_matrix/client/v3"

QUIET_SECONDS: Final = 10.0
"""Seconds. Without anything new, after which what is missing is not waited for."""

PATIENCE_SECONDS: Final = 120.0
"""Seconds. For the first event to come."""

_ANY: Final = {"per_second": 1_000_000, "burst_count": 1_000_000}
_LIMITS: Final = {
    "rc_message": _ANY,
    "rc_registration": _ANY,
    "rc_login": {"address": _ANY, "account": _ANY, "failed_attempts": _ANY},
    "rc_joins": {"local": _ANY, "remote": _ANY},
    "rc_joins_per_room": _ANY,
    "rc_invites": {"per_room": _ANY, "per_user": _ANY, "per_issuer": _ANY},
    "rc_federation": {
        "window_size": 1,
        "sleep_limit": 1_000_000,
        "sleep_delay": 1,
        "reject_limit": 1_000_000,
        "concurrent": 100,
    },
    "rc_room_creation": _ANY,
}

_CERTIFICATE: Final = """
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
now = datetime.datetime.now(datetime.timezone.utc)
address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
    .add_extension(address, False).sign(key, hashes.SHA256()))
open("tls.crt", "wb").write(made.public_bytes(s.Encoding.PEM))
open("tls.key", "wb").write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
"""


def version(python: str) -> str | None:
    """The version of Synapse that this interpreter has; ``None`` when it has none."""
    script = "import synapse, synapse.app.homeserver; print(synapse.__version__)"
    try:
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


@dataclass
class Person:
    """A user of one of the servers, on one connection that is kept."""

    server: Server
    host: str
    port: int
    token: str = ""
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = self.connect()

    def connect(self) -> Line:
        """A new connection to this server's client API."""
        return Line(self.host, self.port, timeout=60)

    def ask(self, method: str, path: str, said: Any = None) -> dict[str, Any]:
        """What the server answers. Raises RuntimeError for anything but 200."""
        status, data = self.raw(method, path, said)
        if status != 200:
            raise RuntimeError(f"Synapse answered {method} {path.split('?')[0]} with {status}: {data[:300]!r}")
        told: dict[str, Any] = json.loads(data)
        return told

    def raw(self, method: str, path: str, said: Any = None, on: Line | None = None) -> tuple[int, bytes]:
        """The same, as it comes."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return (on or self.line).answer(method, API + path, json.dumps(said) if said is not None else None, headers)

    def register(self, name: str) -> "Person":
        """Make the account."""
        said = {"auth": {"type": "m.login.dummy"}, "username": name, "password": b64(os.urandom(12))}
        self.token = self.ask("POST", "/register", said)["access_token"]
        return self


@dataclass(frozen=True, slots=True)
class Synapse:
    """One running server."""

    name: str
    server: Server
    port: int

    def person(self, name: str) -> Person:
        """A new user."""
        return Person(self.server, "127.0.0.1", self.port).register(name)


def _settings(folder: Path, clients: int, servers: int) -> dict[str, Any]:
    def listener(port: int, what: str, *, tls: bool) -> dict[str, Any]:
        resources = [{"names": [what], "compress": False}]
        return {"port": port, "type": "http", "tls": tls, "bind_addresses": ["127.0.0.1"], "resources": resources}

    (folder / "log.yaml").write_text(json.dumps({"version": 1, "root": {"level": "ERROR"}}))
    return {
        "server_name": f"127.0.0.1:{servers}",
        "pid_file": str(folder / "pid"),
        "listeners": [listener(clients, "client", tls=False), listener(servers, "federation", tls=True)],
        "tls_certificate_path": str(folder / "tls.crt"),
        "tls_private_key_path": str(folder / "tls.key"),
        "federation_verify_certificates": False,
        "ip_range_blacklist": [],
        "ip_range_whitelist": ["127.0.0.0/8"],
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "log_config": str(folder / "log.yaml"),
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "macaroon_secret_key": b64(os.urandom(32)),
        "registration_shared_secret": b64(os.urandom(32)),
        "form_secret": b64(os.urandom(32)),
        "bcrypt_rounds": 4,
        "presence": {"enabled": False},
        "report_stats": False,
        "filter_timeline_limit": -1,
        "use_frozen_dicts": False,
        **_LIMITS,
    }


@contextmanager
def _synapse(python: str, folder: Path) -> Iterator[Synapse]:
    folder.mkdir(parents=True)
    clients, servers = free_port(), free_port()
    settings = _settings(folder, clients, servers)
    file = folder / "homeserver.yaml"
    file.write_text(json.dumps(settings))
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([python, "-c", _CERTIFICATE], check=True, **quiet)
    command = [python, "-m", "synapse.app.homeserver", "-c", str(file)]
    subprocess.run([*command, "--generate-keys"], check=True, **quiet)
    with subprocess.Popen(command, **quiet) as started:
        try:
            wait_for(clients)
            wait_for(servers)
            address = f"http://127.0.0.1:{clients}{API}"
            yield Synapse(settings["server_name"], Server("synapse", started.pid, address), clients)
        finally:
            started.kill()


@contextmanager
def pair(python: str, folder: Path) -> Iterator[tuple[Synapse, Synapse]]:
    """Two of them."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(_synapse(python, folder / "one")),
            stack.enter_context(_synapse(python, folder / "two")),
        )


def room(founder: Person) -> str:
    """A room that anybody may join; a real one would have an invitation more."""
    return str(founder.ask("POST", "/createRoom", {"preset": "public_chat"})["room_id"])


def join(person: Person, room_id: str, through: Synapse) -> float:
    """Join a room of another server; seconds until the answer."""
    path = f"/join/{quote(room_id)}?{urlencode({'server_name': through.name, 'via': through.name})}"
    start = time.perf_counter()
    person.ask("POST", path, {})
    return time.perf_counter() - start


class Listener:
    """Somebody who polls ``/sync`` in a thread, for what :mod:`.rooms_load` sends."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._sample = Sample()
        self._stop = False
        self._trouble: Exception | None = None
        self._lock = threading.Lock()
        nothing: dict[str, Any] = {"types": []}
        wanted = {"timeline": {"limit": 10_000}, "state": {"lazy_load_members": True}, "ephemeral": nothing}
        self._filter = json.dumps({"presence": nothing, "account_data": nothing, "room": wanted})
        self._line = person.connect()
        self._since = str(self._poll("", 0)[1]["next_batch"])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _poll(self, since: str, wait_ms: int) -> tuple[bytes, dict[str, Any]]:
        asked = {"filter": self._filter, "timeout": wait_ms} | ({"since": since} if since else {})
        status, data = self._person.raw("GET", f"/sync?{urlencode(asked)}", None, self._line)
        if status != 200:
            raise RuntimeError(f"Synapse answered a sync with {status}")
        return data, json.loads(data)

    def _run(self) -> None:
        try:
            while not self._stop:
                data, said = self._poll(self._since, 1_000)
                self._since = str(said["next_batch"])
                if ID.search(data):
                    with self._lock:
                        self._sample.hear(data, time.monotonic_ns())
                        self._sample.rest = b""
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self._trouble = error

    def reset(self) -> None:
        """Forget what was heard."""
        with self._lock:
            self._sample = Sample()

    def settled(self, entries: int) -> list[float]:
        """Wait for so many, or until nothing more comes; how late each was, in seconds.

        What a server learns of later than of its successors is not always in a sync: clients page back for it.
        """
        many, since = 0, time.monotonic()
        while True:
            with self._lock:
                heard = list(self._sample.late.get(0, ()))
            if self._trouble is not None:
                raise self._trouble
            if len(heard) != many:
                many, since = len(heard), time.monotonic()
            if many >= entries or (many and time.monotonic() > since + QUIET_SECONDS):
                return heard
            if time.monotonic() > since + PATIENCE_SECONDS:
                raise RuntimeError(f"{entries} events were sent over Matrix, and none was heard")
            time.sleep(0.02)

    def close(self) -> None:
        """Stop polling."""
        self._stop = True
        self._thread.join()
