"""Letters: what nodes say to one another about rooms, each a value, each a canonical array ``[type, field, …]``.

Letters travel in messages of type 22 between nodes that both have the feature ``rooms``. Fields of a later version may
follow the known ones and are ignored; a type that this version does not know is no error, but the value
:class:`Unknown`. Spec: docs/protocol/federation.md.
"""

from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias, cast

from hedgerow_protocol import limits, wire
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import (
    ASK_ID_BYTES,
    BLOB_HASH_BYTES,
    INVITE_ID_BYTES,
    Entry,
    Head,
    RoomId,
)
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.federation import fields as read
from hedgerow_protocol.federation.moving import MOVE_NUMBER_MAX
from hedgerow_protocol.federation.values import (
    PROOF_BYTES,
    REQUEST_ID_BYTES,
    TAG_BYTES,
    AnswerBody,
    Asked,
    AskGone,
    AskLetter,
    AskTold,
    BlobBytes,
    BlobGet,
    BlobPut,
    Busy,
    Claimed,
    CopyFetch,
    CopyPart,
    Done,
    DropFetch,
    DropLeft,
    DropsFound,
    Follow,
    Following,
    InviteFound,
    InviteRead,
    KeyPackageClaim,
    MailboxTold,
    Moved,
    MoveRead,
    Note,
    PutBack,
    RefusalAnswer,
    RequestBody,
    RoomAsk,
    Status,
    Submit,
    SubmitAccepted,
    SubmitConflict,
    Unfollow,
    UnknownKind,
    WelcomeLetter,
    status_of,
)
from hedgerow_protocol.field_readers import Reader, bad, flag, many, number, optional
from hedgerow_protocol.ids import NodeId

FEATURE: Final = "rooms"
"""What a node says in its Hello when it reads letters."""


@dataclass(frozen=True, slots=True)
class Request:
    """Please do this. Sent again, with the same id, until it is answered."""

    id: bytes
    """16 random bytes."""
    body: RequestBody

    @property
    def kind(self) -> str:
        """The word for what is asked, as the wire says it."""
        return kind_of(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """To the request with this id."""

    id: bytes
    body: AnswerBody

    @property
    def status(self) -> Status:
        """What became of the request."""
        return status_of(self.body)


@dataclass(frozen=True, slots=True)
class Notify:
    """From the hub: what the log has after what you hold. Without entries: only where it stands."""

    room: RoomId
    head: Head
    """Of the last entry here: so the hub has signed whatever it ever told. Without entries, the log's newest."""
    before: bytes
    """The hash before the first entry here: 32 zero bytes before the log's first, and where there are no entries."""
    entries: tuple[Entry, ...]
    """Numbered without a gap."""
    more: bool
    """Whether entries after these are there already."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """To the hub: everything up to this seq is on this follower's disk."""

    room: RoomId
    seq: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """To the hub: go back and tell me everything after this seq once more. Answered by :class:`Notify`."""

    room: RoomId
    after: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a letter that is too large for one frame."""

    id: int
    """Of the letter; counts up on one link."""
    index: int
    count: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Heads:
    """Between followers of a room: this is the newest head that I have seen signed by the hub."""

    room: RoomId
    head: Head


@dataclass(frozen=True, slots=True)
class Followers:
    """From the hub: these other nodes follow the room now; instead of those you were told of before."""

    room: RoomId
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class Forked:
    """Between followers of a room: its hub told two stories, and here is what proves it (:mod:`.forks`)."""

    proof: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A letter of a later version; to be ignored."""

    type: int


Letter: TypeAlias = Request | Answer | Notify | Acknowledge | Fetch | Part | Heads | Followers | Forked | Unknown

_ask = read.exact(ASK_ID_BYTES)
_invite = read.exact(INVITE_ID_BYTES)
_blob = read.exact(BLOB_HASH_BYTES)
_proof = read.exact(PROOF_BYTES)
_tag = read.exact(TAG_BYTES)
_body = read.sized(limits.ASK_BYTES_MAX, 1)
_consent = read.sized(limits.CONSENT_BYTES_MAX, 1)
_piece = read.sized(limits.BLOB_PIECE_BYTES_MAX)
_key_package = read.sized(limits.KEY_PACKAGE_BYTES_MAX, 1)
_welcome = read.sized(limits.WELCOME_BYTES_MAX, 1)
_note = read.sized(limits.INVITE_NOTE_BYTES_MAX)
_member_note = read.sized(limits.ROOM_NOTE_BYTES_MAX, 1)
_move_number = number(1, MOVE_NUMBER_MAX)
_sentence = read.line(limits.SHORT_CHARACTERS_MAX)
_drop = read.sized(limits.DROP_BYTES_MAX, 1)
_drop_ids = read.several(read.exact(16), limits.DROPS_TOLD_MAX)
_drops = many(_drop, limits.DROPS_TOLD_MAX)
_seconds = number(0, limits.WAIT_SECONDS_MAX)
_bytes_of_blob = number(0, limits.BLOB_BYTES_MAX)
_request_id = read.exact(REQUEST_ID_BYTES)


def _refusal(value: Any) -> Refusal:
    if type(value) is not str:
        bad("A refusal begins with a word.")
    try:
        return Refusal(value)
    except ValueError:
        return Refusal.BAD


# Word, class, one reader for each field. Words are never used again for something else.
_Table: TypeAlias = tuple[tuple[str, type[Any], tuple[Reader, ...]], ...]
_REQUESTS: Final[_Table] = (
    ("key-package-claim", KeyPackageClaim, (read.ref, _consent, _tag)),
    ("invite-read", InviteRead, (_invite, _proof)),
    ("ask", AskLetter, (_invite, _proof, _body)),
    ("submit", Submit, (read.submission,)),
    ("welcome", WelcomeLetter, (read.room, read.seq, read.ref, _welcome, read.mailbox, read.head)),
    ("follow", Follow, (read.room, read.seq, read.mailboxes)),
    ("unfollow", Unfollow, (read.room, read.mailbox)),
    ("put-back", PutBack, (read.room, read.mailbox, read.mailbox, read.seq)),
    ("mailbox-told", MailboxTold, (read.room, read.mailbox, read.optional_head)),
    ("room-ask", RoomAsk, (read.room, _tag, _body)),
    ("ask-told", AskTold, (read.room, _ask, optional(_invite), _body, read.time)),
    ("ask-gone", AskGone, (read.room, _ask)),
    ("blob", BlobGet, (read.room, _blob, _bytes_of_blob)),
    ("blob-put", BlobPut, (read.room, _blob, _bytes_of_blob, _bytes_of_blob, _piece)),
    ("note", Note, (read.room, _member_note)),
    ("copy-fetch", CopyFetch, (read.room, _move_number, read.seq)),
    ("move-read", MoveRead, (read.room, _move_number, read.mailboxes)),
    ("drop", DropLeft, (read.node, _drop)),
    ("drop-fetch", DropFetch, (_drop_ids,)),
)
_ANSWERS: Final[_Table] = (
    ("claimed", Claimed, (_key_package, read.mailbox)),
    ("invite-found", InviteFound, (_sentence, read.time, _note)),
    ("asked", Asked, (_ask,)),
    ("accepted", SubmitAccepted, (read.seq, read.time, read.hash_)),
    ("conflict", SubmitConflict, (read.seq, read.seq)),
    ("following", Following, (read.head, read.followers)),
    ("blob-bytes", BlobBytes, (_bytes_of_blob, _piece)),
    ("copy", CopyPart, (read.head, read.entries, flag)),
    ("moved", Moved, (read.optional_head,)),
    ("drops", DropsFound, (_drops, flag)),
    ("done", Done, ()),
    ("refused", RefusalAnswer, (_refusal, _sentence, _seconds)),
    ("busy", Busy, (_seconds,)),
)
_BY_WORD: Final = {table: {word: (kind, readers) for word, kind, readers in table} for table in (_REQUESTS, _ANSWERS)}
_OF_BODY: Final = {kind: (word, readers) for word, kind, readers in _REQUESTS + _ANSWERS}
_word = read.line(32)


def kind_of(body: RequestBody | AnswerBody) -> str:
    """The word of a request or an answer, as the wire says it."""
    return body.kind if isinstance(body, UnknownKind) else _OF_BODY[type(body)][0]


def _body_reader(table: _Table) -> Reader:
    def read_body(value: Any) -> Any:
        word, row = read.row(value, 2)
        known = _BY_WORD[table].get(_word(word))
        if known is None:
            return UnknownKind(word)
        return _filled(*known, row)

    return read_body


def _filled(kind: type[Any], readers: tuple[Reader, ...], row: Any) -> Any:
    values = (reader(value) for reader, value in zip(readers, read.row(row, len(readers)), strict=True))
    return kind(*values)


def _row_of(said: Any, readers: tuple[Reader, ...]) -> tuple[wire.Value, ...]:
    values = (getattr(said, each.name) for each in fields(said))
    return tuple(
        _WRITERS[reader](value) if reader in _WRITERS else value for reader, value in zip(readers, values, strict=True)
    )


def _write_body(body: RequestBody | AnswerBody) -> wire.Value:
    if isinstance(body, UnknownKind):
        raise LocalError("Nobody sends what they do not know.")
    word, readers = _OF_BODY[type(body)]
    return (word, _row_of(body, readers))


_request_body, _answer_body = _body_reader(_REQUESTS), _body_reader(_ANSWERS)
_WRITERS: Final[dict[Reader, read.Writer]] = {
    **read.WRITERS,
    _refusal: lambda said: str(said.value),
    _request_body: _write_body,
    _answer_body: _write_body,
}
PARTS_MAX: Final = 128
"""Parts. Of one letter: 5 MiB in pieces of 60 KiB are 86."""

# Type number, class, one reader for each field. Numbers are never used again for something else.
_LETTERS: Final[tuple[tuple[int, type[Any], tuple[Reader, ...]], ...]] = (
    (1, Request, (_request_id, _request_body)),
    (2, Answer, (_request_id, _answer_body)),
    (3, Notify, (read.room, read.head, read.hash_, read.entries, flag)),
    (4, Acknowledge, (read.room, read.seq)),
    (5, Fetch, (read.room, read.seq)),
    (6, Part, (read.seq, number(0, PARTS_MAX - 1), number(2, PARTS_MAX), read.sized(limits.LETTER_FRAME_BYTES_MAX, 1))),
    (7, Heads, (read.room, read.head)),
    (8, Followers, (read.room, read.followers)),
    (9, Forked, (read.sized(limits.FORK_PROOF_BYTES_MAX, 1),)),
)
_BY_TYPE: Final = {number: (kind, readers) for number, kind, readers in _LETTERS}
_TYPE_OF: Final = {kind: (number, readers) for number, kind, readers in _LETTERS}


def encode(letter: Letter) -> bytes:
    """The bytes of a letter; :mod:`.parts` takes those apart that are too large for one frame."""
    if isinstance(letter, Unknown):
        raise LocalError("Nobody sends what they do not know.")
    type_number, readers = _TYPE_OF[type(letter)]
    data = wire.encode((type_number, *_row_of(letter, readers)))
    if len(data) > limits.LETTER_BYTES_MAX:
        raise LocalError(f"A letter has at most {limits.LETTER_BYTES_MAX} bytes.")
    return data


def decode(data: bytes) -> Letter:
    """The letter of at most ``LETTER_BYTES_MAX`` bytes. Raises only :class:`RemoteError`."""
    found = wire.decode(data, size_max=limits.LETTER_BYTES_MAX)
    if type(found) is not tuple or not found or type(found[0]) is not int or found[0] < 0:
        raise RemoteError(Code.MALFORMED, "A letter begins with the number of its type.")
    known = _BY_TYPE.get(found[0])
    if known is None:
        return Unknown(found[0])
    return cast(Letter, _filled(*known, found[1:]))
