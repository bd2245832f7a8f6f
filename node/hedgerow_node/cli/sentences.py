"""What a person reads when something did not work."""

import logging
import os
from pathlib import PurePath

from hedgerow_node.config import ConfigError
from hedgerow_node.directory.door_control import ControlError
from hedgerow_node.directory.door_folder import FolderError
from hedgerow_node.directory.drafts import DraftError
from hedgerow_node.directory.import_plan import ImportRefusedError
from hedgerow_node.directory.keyfiles import KeyFileError
from hedgerow_node.directory.publishing import PublishError
from hedgerow_node.directory.publishing_form import FieldErrors
from hedgerow_node.directory.query import QueryError
from hedgerow_node.directory.versions import ClockError
from hedgerow_node.formats.report import FormatError
from hedgerow_node.store.errors import StoreError
from hedgerow_node.tls.names import TlsError
from hedgerow_protocol.errors import RemoteError

LOG = logging.getLogger(__name__)


class CommandError(Exception):
    """A command cannot be carried out; ``str()`` is a sentence."""


_SENTENCES = (
    ClockError,
    CommandError,
    ConfigError,
    ControlError,
    DraftError,
    FolderError,
    FormatError,
    ImportRefusedError,
    KeyFileError,
    PublishError,
    QueryError,
    RemoteError,
    StoreError,
    TlsError,
)
"""Exceptions whose text is written for people."""


def sentence_of(error: Exception) -> str:
    """One sentence (or several lines, one for each wrong field) for whatever went wrong."""
    if isinstance(error, FieldErrors):
        return "\n".join(f"{name}: {sentence}" for name, sentence in error.fields.items())
    if isinstance(error, _SENTENCES):
        return str(error)
    if isinstance(error, MemoryError | RecursionError):
        return "This is too large or too deeply nested for this machine."
    if isinstance(error, OSError):
        return _of_the_system(error)
    if os.environ.get("HEDGEROW_LOG") == "debug":
        LOG.exception("A bug")
    where = _where(error)
    return (
        f"Something went wrong inside Hedgerow ({type(error).__name__}{where}). "
        "If it happens again, set HEDGEROW_LOG=debug, repeat it, and send the developers what it says."
    )


def _of_the_system(error: OSError) -> str:
    import errno

    what = (error.strerror or str(error) or "unknown reason").rstrip(".")
    if error.errno == errno.EADDRINUSE:
        return "Another program already uses this port. Choose another one with --port, or stop the other program."
    if error.errno == errno.ENOSPC:
        return "The disk is full. Make room and try again: what was confirmed before is safe."
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{what}."


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" in {PurePath(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else ""
