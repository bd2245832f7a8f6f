"""Hypothesis strategies for letters between nodes: every kind, with every field anywhere in its range."""

from hashlib import sha256

from hypothesis import strategies as st

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import Entry, EntryKind, Head, Position, Submission, WelcomeOut
from hedgerow_protocol.federation import letters as of
from hedgerow_protocol.federation import values as v

seqs = st.integers(0, limits.SEQUENCE_MAX)
times = st.integers(0, limits.TIMESTAMP_MAX)
b16 = st.binary(min_size=16, max_size=16)
b32 = st.binary(min_size=32, max_size=32)
heads = st.builds(Head, st.builds(Position, seqs, b32, times), st.binary(min_size=64, max_size=64))
bodies = st.binary(min_size=1, max_size=80)
lines = st.text(alphabet="abcdéß日 '’", max_size=40)
nodes = st.lists(b32, max_size=4, unique=True).map(tuple)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """One whose hash stands for nothing."""
    payload = draw(st.none() | bodies)
    payload_hash = draw(b32) if payload is None else sha256(payload).digest()
    seq = draw(st.integers(1, limits.SEQUENCE_MAX))
    kind = draw(st.sampled_from(EntryKind))
    return Entry(seq, draw(times), kind, draw(seqs), draw(b16), payload, payload_hash, draw(b32))  # type: ignore[arg-type]


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    """Commits with Welcomes to newcomers here and elsewhere, and messages without any."""
    kind = draw(st.sampled_from(EntryKind))
    here = st.builds(WelcomeOut, b32, bodies)
    elsewhere = st.builds(WelcomeOut, b32, bodies, b32, b16)
    commit = kind is EntryKind.COMMIT
    welcomes = draw(st.lists(here | elsewhere, max_size=3)) if commit else []
    removes = draw(st.lists(b16, max_size=3)) if commit else []
    return Submission(
        draw(b32), draw(b16), draw(b16), kind, draw(seqs), draw(seqs), draw(bodies), tuple(welcomes), tuple(removes)  # type: ignore[arg-type]
    )  # fmt: skip


offsets = st.integers(0, limits.BLOB_BYTES_MAX)
requests = st.one_of(
    st.builds(v.KeyPackageClaim, b32, st.binary(min_size=1, max_size=64), b16),
    st.builds(v.InviteRead, b16, b32),
    st.builds(v.AskLetter, b16, b32, bodies),
    st.builds(v.Submit, submissions()),
    st.builds(v.WelcomeLetter, b32, seqs, b32, bodies, b16, heads),
    st.builds(v.Follow, b32, seqs, st.lists(b16, max_size=4, unique=True).map(tuple)),
    st.builds(v.Unfollow, b32, b16),
    st.builds(v.PutBack, b32, b16, b16, seqs),
    st.builds(v.MailboxTold, b32, b16, st.none() | heads),
    st.builds(v.RoomAsk, b32, b16, bodies),
    st.builds(v.AskTold, b32, b16, st.none() | b16, bodies, times),
    st.builds(v.AskGone, b32, b16),
    st.builds(v.BlobGet, b32, b32, offsets),
    st.builds(v.BlobPut, b32, b32, offsets, offsets, st.binary(max_size=80)),
    st.builds(v.DropLeft, b32, bodies),
    st.builds(v.DropFetch, st.lists(b16, max_size=4, unique=True).map(tuple)),
)
answers = st.one_of(
    st.builds(v.Claimed, bodies, b16),
    st.builds(v.InviteFound, lines, times, st.binary(max_size=80)),
    st.builds(v.Asked, b16),
    st.builds(v.SubmitAccepted, seqs, times, b32),
    st.builds(v.SubmitConflict, seqs, seqs),
    st.builds(v.Following, heads, nodes),
    st.builds(v.BlobBytes, offsets, st.binary(max_size=80)),
    st.builds(v.DropsFound, st.lists(bodies, max_size=4).map(tuple), st.booleans()),
    st.builds(v.Done),
    st.builds(v.RefusalAnswer, st.sampled_from(Refusal), lines, st.integers(0, limits.WAIT_SECONDS_MAX)),
    st.builds(v.Busy, st.integers(0, limits.WAIT_SECONDS_MAX)),
)
letters = st.one_of(
    st.builds(of.Request, b16, requests),
    st.builds(of.Answer, b16, answers),
    st.builds(of.Notify, b32, heads, b32, st.lists(entries(), max_size=5).map(tuple), st.booleans()),
    st.builds(of.Acknowledge, b32, seqs),
    st.builds(of.Fetch, b32, seqs),
    st.builds(of.Part, seqs, st.integers(0, 127), st.integers(2, 128), st.binary(min_size=1, max_size=80)),
    st.builds(of.Heads, b32, heads),
    st.builds(of.Followers, b32, nodes),
    st.builds(of.Forked, st.binary(min_size=1, max_size=80)),
)
