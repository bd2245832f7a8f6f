"""Any two sets are reconciled exactly, any bytes are refused or understood, and the live set is a sorted list."""

import contextlib

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.reconcile import Initiator, Responder, payloads
from hedgerow_protocol.reconcile.lthash import LtHash
from hedgerow_protocol.reconcile.negentropy import fingerprint
from hedgerow_protocol.reconcile.negentropy_codec import Reader
from hedgerow_protocol.reconcile.salting import Salt
from hedgerow_protocol.reconcile.session import Session, is_opening
from hedgerow_protocol.reconcile.session_view import SessionView
from hedgerow_protocol.reconcile.sketch import CELL_BYTES, Decoder, DoubtfulError, pack, put, symbol
from hedgerow_protocol.reconcile.sorted_blocks import SortedBlocks, key_of
from reconcile_pair import Item, Pair, item, live_set, rid

# Sets are given by numbers: a seed for what both have, and how many of each kind.
shapes = st.tuples(
    st.integers(0, 700), st.integers(0, 60) | st.integers(0, 500), st.integers(0, 60) | st.integers(0, 500),
    st.integers(0, 2**16),
)  # fmt: skip
seconds = st.sampled_from([0, 0, 1, 1_800_000_000, 1_800_003_600]) | st.integers(0, 2**40)
items = st.dictionaries(st.integers(0, 400), seconds, max_size=120)


def two_sets(shape: tuple[int, int, int, int]) -> tuple[list[Item], list[Item], set[bytes], set[bytes]]:
    """The sets of two nodes, and what each has alone."""
    shared, left, right, seed = shape
    numbers = range(seed * 1_000, seed * 1_000 + shared + left + right)
    both = [item(number) for number in numbers[:shared]]
    one = [item(number) for number in numbers[shared : shared + left]]
    other = [item(number) for number in numbers[shared + left :]]
    return both + one, both + other, {each for _, each in one}, {each for _, each in other}


def spelled(chosen: dict[int, int]) -> list[Item]:
    return [(when, rid(number)) for number, when in chosen.items()]


def negentropy(
    ours: list[Item], theirs: list[Item], limits: tuple[int, int]
) -> tuple[set[bytes], set[bytes], list[bytes]]:
    initiator, responder = Initiator(ours, limits[0]), Responder(theirs, limits[1])
    have: set[bytes] = set()
    need: set[bytes] = set()
    messages: list[bytes] = []
    message: bytes | None = initiator.start()
    while message is not None:
        messages += [message, responder.receive(message)]
        message, more_have, more_need = initiator.receive(messages[-1])
        have.update(more_have)
        need.update(more_need)
        assert len(messages) < 2_000
    return have, need, messages


frame_limits = st.just(0) | st.integers(4_096, 9_000)


@given(items, items, st.tuples(frame_limits, frame_limits))
@settings(max_examples=150, deadline=None)
def test_any_two_sets_give_exactly_their_difference(
    ours: dict[int, int], theirs: dict[int, int], limits: tuple[int, int]
) -> None:
    # The same id under two times is two records to Negentropy, but one to whoever asks for ids: keep them apart.
    theirs = {number: ours.get(number, when) for number, when in theirs.items()}
    have, need, messages = negentropy(spelled(ours), spelled(theirs), limits)
    assert have == {rid(number) for number in ours.keys() - theirs.keys()}
    assert need == {rid(number) for number in theirs.keys() - ours.keys()}
    for place, message in enumerate(messages):
        assert not limits[place % 2] or len(message) <= limits[place % 2]


@given(shapes, frame_limits)
@settings(max_examples=25, deadline=None)
@example((700, 500, 500, 1), 4_096)
def test_larger_sets_give_exactly_their_difference(shape: tuple[int, int, int, int], limit: int) -> None:
    ours, theirs, only_ours, only_theirs = two_sets(shape)
    have, need, messages = negentropy(ours, theirs, (limit, limit))
    assert (have, need) == (only_ours, only_theirs)
    assert not limit or max(map(len, messages)) <= limit


STORE = [item(number) for number in range(100)]


@st.composite
def damaged_message(draw: st.DrawFn) -> bytes:
    """A real message with bytes changed, cut off or put in."""
    real = [
        Initiator(STORE[:90]).start(),
        Initiator(STORE[:20]).start(),
        Responder(STORE).receive(b"\x61\x00\x00\x02\x00"),
    ]
    data = bytearray(draw(st.sampled_from(real)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                del data[at:]
            case _:
                data[at:at] = draw(st.binary(max_size=5))
        if not data:
            break
    return bytes(data)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda rest: b"\x61" + rest) | damaged_message())
@settings(max_examples=400, deadline=None)
@example(b"")
@example(b"\x61\x00")
@example(bytes.fromhex("6100000102"))
@example(b"\x61\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
@example(b"\x61" + b"\xff" * 40)
def test_any_message_is_answered_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteError):
        Responder(STORE).receive(data)
    initiator = Initiator(STORE)
    initiator.start()
    with contextlib.suppress(RemoteError):
        initiator.receive(data)


@given(
    st.sampled_from([Initiator(STORE).start(), Responder(STORE).receive(Initiator([]).start())]), st.integers(1, 400)
)
@settings(max_examples=100, deadline=None)
def test_a_message_cut_within_a_range_is_refused(message: bytes, cut: int) -> None:
    whole = {1}
    reader = payload_ends(message)
    whole.update(reader)
    cut = min(cut, len(message) - 1)
    if cut in whole:
        return
    try:
        Responder(STORE).receive(message[:cut])
    except RemoteError:
        return
    raise AssertionError("a cut message was answered")


def payload_ends(message: bytes) -> set[int]:
    """The places at which a range of a message ends."""
    ends = set()
    for size in range(1, len(message) + 1):
        with contextlib.suppress(RemoteError):
            reader = Reader(message[:size])
            reader.version()
            while reader.more:
                reader.range()
            ends.add(size)
    return ends


# --- the live set against a sorted list


class LiveSetIsASortedList(RuleBasedStateMachine):
    """Whatever comes and goes, a LiveSet is what a plain sorted list would be."""

    @initialize(count=st.sampled_from([0, 0, 1, 200, 600]))
    def begin(self, count: int) -> None:
        self.model = {(when % 50, each) for when, each in (item(number) for number in range(count))}
        self.live = live_set(self.model)

    @rule(number=st.integers(0, 700), when=st.integers(0, 50))
    def add(self, number: int, when: int) -> None:
        new = (when, rid(number)) not in self.model
        assert self.live.add(when, rid(number)) is new
        self.model.add((when, rid(number)))

    @rule(number=st.integers(0, 700), when=st.integers(0, 50))
    def remove(self, number: int, when: int) -> None:
        there = (when, rid(number)) in self.model
        assert self.live.remove(when, rid(number)) is there
        self.model.discard((when, rid(number)))

    @rule(data=st.data())
    def remove_one_that_is_there(self, data: st.DataObject) -> None:
        if self.model:
            when, each = data.draw(st.sampled_from(sorted(self.model)))
            assert self.live.remove(when, each)
            self.model.discard((when, each))

    @rule(count=st.integers(1, 400), when=st.integers(0, 50), remove=st.booleans())
    def change_many(self, count: int, when: int, remove: bool) -> None:
        several = [(when, rid(number)) for number in range(1_000, 1_000 + count)]
        changed = self.model.intersection(several) if remove else set(several) - self.model
        assert self.live.change([] if remove else several, several if remove else []) == len(changed)
        self.model = self.model - changed if remove else self.model | changed

    @rule(count=st.integers(0, 20), when=st.integers(0, 50))
    def exchange(self, count: int, when: int) -> None:
        went = sorted(self.model)[:count]
        come = [(when, rid(number)) for number in range(2_000, 2_000 + count)]
        expected = self.model - set(went) | set(come)
        changed = len(went) + len(set(come) - (self.model - set(went)))
        assert self.live.change(come, went) == changed
        self.model = expected

    @rule(begin=st.integers(0, 1_000), size=st.integers(0, 700))
    def look(self, begin: int, size: int) -> None:
        ordered = sorted(self.model)
        begin = min(begin, len(ordered))
        end = min(begin + size, len(ordered))
        records = self.live.records
        assert [key_of(*each) for each in ordered[begin:end]] == list(records.entries(begin, end))
        plain = sum(int.from_bytes(each, "little") for _, each in ordered[begin:end]) % 2**256
        assert records.sum(begin, end) == plain
        if begin < end:
            between = [each for each in ordered if ordered[begin] <= each < ordered[end - 1]]
            assert list(self.live.between(ordered[begin], ordered[end - 1])) == between

    @invariant()
    def the_same(self) -> None:
        assert len(self.live) == self.live.count == len(self.model)
        assert list(self.live) == sorted(self.model)
        assert all(each in self.live for each in list(self.model)[:5])
        assert (51, rid(1)) not in self.live

    def teardown(self) -> None:
        if hasattr(self, "live"):
            assert self.live.digest(b"key") == live_set(self.model).digest(b"key")


TestLiveSetIsASortedList = LiveSetIsASortedList.TestCase
TestLiveSetIsASortedList.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@given(st.lists(st.binary(max_size=40), unique=True, max_size=20), st.data())
@settings(max_examples=60, deadline=None)
def test_the_running_hash_depends_on_the_set_alone(members: list[bytes], data: st.DataObject) -> None:
    straight = LtHash()
    straight.add_all(members)
    wandering = LtHash()
    others = data.draw(st.lists(st.binary(min_size=41, max_size=50), unique=True, max_size=10))
    for each in data.draw(st.permutations(members + others)):
        wandering.add(each)
    for each in others:
        wandering.remove(each)
    assert wandering.state() == straight.state()
    assert wandering.digest(b"k", 3) == straight.digest(b"k", 3) != straight.digest(b"k", 4)
    if members:
        straight.remove(members[0])
        assert straight.state() != wandering.state()


# --- the sketch


@given(shapes, st.binary(min_size=16, max_size=16))
@settings(max_examples=40, deadline=None)
def test_a_sketch_gives_the_difference_or_says_that_it_cannot(shape: tuple[int, int, int, int], key: bytes) -> None:
    ours, theirs, only_ours, only_theirs = two_sets(shape)
    salt = Salt(key)
    views = SessionView(salt, SortedBlocks.of(ours).blocks), SessionView(salt, SortedBlocks.of(theirs).blocks)
    for view in views:
        list(view.prepare_cells(512))
    decoder = Decoder(salt, views[0].cells)
    for cell in views[1].cells:
        decoder.feed(pack([cell]))
        if decoder.finished:
            break
    if decoder.finished:
        assert {views[0].named(name)[0] for name in decoder.ours} == only_ours
        assert {views[1].named(name)[0] for name in decoder.theirs} == only_theirs
    else:
        assert len(only_ours) + len(only_theirs) > 250


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 79), st.binary(min_size=13, max_size=13)), min_size=1))
@settings(max_examples=150, deadline=None)
def test_a_sketch_of_any_bytes_ends(count: int, changes: list[tuple[int, bytes]]) -> None:
    salt = Salt(bytes(16))
    cells = [0] * 80
    for number in range(count):
        put(cells, *symbol(salt, salt.salted(rid(number))[:8]))
    data = bytearray(pack(cells))
    for at, change in changes:
        data[at * CELL_BYTES : (at + 1) * CELL_BYTES] = change
    decoder = Decoder(salt, [0] * 80)
    with contextlib.suppress(DoubtfulError):
        decoder.feed(bytes(data))
        assert len(decoder.ours) + len(decoder.theirs) <= 80


# --- sessions


def exact(pair: Pair, only_ours: set[bytes], only_theirs: set[bytes]) -> None:
    assert pair.opener.last is not None
    assert pair.answerer.last is not None
    assert (pair.opener.last.failed, pair.answerer.last.failed) == (None, None)
    assert sorted(pair.opener.gave) == sorted(only_ours)
    assert sorted(pair.answerer.gave) == sorted(only_theirs)
    assert (pair.opener.expected, pair.answerer.expected) == (len(only_theirs), len(only_ours))
    assert pair.opener.last.done
    assert pair.answerer.last.done
    assert not pair.opener.last.again
    assert pair.settle()


@given(shapes, st.none() | st.integers(0, 2_000), st.booleans(), st.integers(0, 1_000))
@settings(max_examples=60, deadline=None)
@example((0, 0, 1, 0), None, True, 0)
@example((700, 500, 500, 0), 3, True, 0)
@example((5, 0, 500, 0), 3, False, 0)
def test_a_session_gives_each_side_exactly_what_it_lacks(
    shape: tuple[int, int, int, int], hint: int | None, dialled: bool, seed: int
) -> None:
    ours, theirs, only_ours, only_theirs = two_sets(shape)
    pair = Pair(live_set(ours), live_set(theirs), seed=seed, opener_dialled=dialled).run(hint)
    exact(pair, only_ours, only_theirs)


@given(
    st.tuples(st.integers(100, 700), st.integers(0, 60), st.integers(0, 60), st.integers(0, 2**16)),
    st.integers(0, 200), st.integers(1, 255),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_session_with_a_corrupted_sketch_ends_by_ranges(
    shape: tuple[int, int, int, int], at: int, change: int
) -> None:
    ours, theirs, only_ours, only_theirs = two_sets(shape)

    changed: list[bool] = []

    def tamper(data: bytes) -> bytes:
        payload = payloads.decode(data)
        if not isinstance(payload, payloads.Cells) or changed:
            return data
        changed.append(True)
        cells = bytearray(payload.cells)
        cells[at % len(cells)] ^= change
        return payloads.encode(payloads.Cells(payload.tag, bytes(cells)))

    pair = Pair(live_set(ours), live_set(theirs), tamper=tamper).run()
    exact(pair, only_ours, only_theirs)


ANY_PAYLOADS = [
    payloads.Open(bytes(16), 5, None, False, b""),
    payloads.Answer(bytes(4), bytes(16), 5, payloads.Method.SKETCH, b"", 64),
    payloads.Cells(bytes(4), bytes(26)),
    payloads.More(bytes(4), 500),
    payloads.Turn(bytes(4)),
    payloads.Ranges(bytes(4), Initiator(STORE).start(), bytes(8), 3),
    payloads.End(bytes(4), bytes(8), 2, True),
]


@given(
    st.lists(
        st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"\x01" + rest)
        | st.sampled_from(ANY_PAYLOADS).map(payloads.encode),
        max_size=8,
    ),
    st.booleans(), st.booleans(),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_session_bears_any_payloads(heard: list[bytes], opened: bool, dialled: bool) -> None:
    pair = Pair(live_set(STORE), live_set(STORE[:50]), opener_dialled=dialled)
    pair.opener.entropy = pair.answerer.entropy = bytes  # type: ignore[assignment]  # zeros, so that tags agree
    if opened:
        pair.open(pair.opener, pair.answerer)
        session = pair.opener.session
    else:
        session = pair.answering(pair.opener, pair.answerer)
    assert isinstance(session, Session)
    for each in heard:
        is_opening(each)
        step = session.handle(each, pair.now)
        while step.busy:
            step = session.tick(pair.now)
        assert step.failed is None or step.done
        assert len(step.give) <= len(STORE)
        for sent in step.send:
            assert len(sent) <= payloads.PAYLOAD_BYTES_MAX
            assert payloads.encode(payloads.decode(sent)) == sent  # type: ignore[arg-type]


def test_fingerprints_of_ranges_are_those_of_small_sets() -> None:
    """Cached sums give what hashing the records of a range would."""
    store = SortedBlocks.of(item(number) for number in range(2_000))
    every = list(store.entries(0, 2_000))
    for begin, end in [(0, 2_000), (1, 1_999), (250, 260), (191, 193), (100, 900), (1_999, 2_000), (7, 7)]:
        plain = SortedBlocks()
        plain.extend(every[begin:end])
        assert fingerprint(store, begin, end) == fingerprint(plain, 0, end - begin)
