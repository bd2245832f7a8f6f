"""Speaking to a running node through ``DIR/control.sock``: HTTP over a unix socket that only its owner can open.

``POST /accept`` takes one wire-encoded array of envelopes and answers their outcomes; ``POST /keeper-link`` answers a
one-time address; ``GET /status`` answers what ``/api/v1/status`` does. Here are the words both ends share and the
client; the server is in :mod:`hedgerow_node.app.control`.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, assert_never

from hedgerow_node.directory.outcome import Known, Outcome, Refused, Stored, Superseded, Waiting
from hedgerow_protocol import ids, limits, wire
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import RecordId

BATCH_ENVELOPES_MAX = 100
"""Envelopes. One call of accept, which is one transaction: about a fifth of a second of work."""

BATCH_BYTES_MAX = BATCH_ENVELOPES_MAX * (limits.ENVELOPE_BYTES_MAX + 8)
"""Bytes. A full batch of the largest envelopes."""

SOCKET_PATH_BYTES_MAX = 100
"""Bytes. Unix sockets' paths end at 104 (macOS) or 108 (Linux) with their terminator."""

ANSWER_SECONDS_MAX = 120.0
"""Seconds. A batch on a slow board whose disk is busy."""


class ControlError(Exception):
    """The running node did not do it; ``str()`` is a sentence."""


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A path to the same socket that is short enough for the system: through a link in the temporary folder."""
    if len(str(path).encode()) <= SOCKET_PATH_BYTES_MAX:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="hg-") as folder:
        link = Path(folder) / "d"
        link.symlink_to(path.parent, target_is_directory=True)
        yield str(link / path.name)


def encode_batch(envelopes: Sequence[bytes]) -> bytes:
    """The body of ``POST /accept``."""
    return wire.encode(tuple(envelopes))


def decode_batch(body: bytes) -> list[bytes]:
    """The inverse. Raises :class:`RemoteError`."""
    value = wire.decode(body, size_max=BATCH_BYTES_MAX)
    if type(value) is not tuple or len(value) > BATCH_ENVELOPES_MAX:
        raise RemoteError(Code.MALFORMED, f"A batch is an array of at most {BATCH_ENVELOPES_MAX} envelopes.")
    envelopes = [each for each in value if type(each) is bytes]
    if len(envelopes) != len(value):
        raise RemoteError(Code.MALFORMED, "A batch holds envelopes only.")
    return envelopes


def outcome_to_json(outcome: Outcome) -> dict[str, str]:
    """One outcome in the answer of ``POST /accept``."""
    match outcome:
        case Stored(rid=rid):
            return {"outcome": "stored", "rid": ids.to_text(rid)}
        case Known(rid=rid):
            return {"outcome": "known", "rid": ids.to_text(rid)}
        case Superseded(rid=rid):
            return {"outcome": "superseded", "rid": ids.to_text(rid)}
        case Waiting(rid=rid):
            return {"outcome": "waiting", "rid": ids.to_text(rid)}
        case Refused(code=code, reason=reason):
            return {"outcome": "refused", "code": str(code), "reason": reason}
        case _:
            assert_never(outcome)


def outcome_from_json(value: dict[str, str]) -> Outcome:
    """The inverse. Raises :class:`ControlError`."""
    kinds: dict[str, type[Stored | Known | Superseded | Waiting]] = {
        "stored": Stored,
        "known": Known,
        "superseded": Superseded,
        "waiting": Waiting,
    }
    try:
        if value["outcome"] == "refused":
            return Refused(Code(value["code"]), value["reason"])
        rid = RecordId(ids.from_text(value["rid"], ids.RECORD_ID_BYTES))
        return kinds[value["outcome"]](rid)
    except (KeyError, ValueError, RemoteError) as error:
        raise ControlError("The running node answered in a way this version does not understand.") from error


async def call(socket: Path, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """Ask the running node. Raises :class:`ConnectionError` when none listens, :class:`ControlError` on a refusal."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    try:
        with short_path(socket) as short:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=short), timeout=timeout) as session,
                session.request(method, f"http://node{path}", data=body) as response,
            ):
                raw = await response.read()
                status = response.status
    except aiohttp.ClientConnectorError as error:
        raise ConnectionError("No node listens there.") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ControlError("The running node did not answer. Look at its log, or start it again.") from error
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise ControlError("The running node answered in a way this version does not understand.") from error
    if status != 200 or not isinstance(value, dict):
        detail = value.get("detail") if isinstance(value, dict) else None
        raise ControlError(detail or f"The running node refused ({status}).")
    return value
