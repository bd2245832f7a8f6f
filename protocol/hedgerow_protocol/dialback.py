"""Whether our own addresses work: two peers are asked to dial each of them, and only what they reach is advertised.

A peer's "reached" counts only when the dial also showed at our own door, so nobody can talk us into advertising what
does not work; its "no" counts only together with the other's. Spec: docs/protocol/relaying.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from hedgerow_protocol import relay_limits
from hedgerow_protocol.chance import Chance
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.messages import DIAL_NONCE_BYTES, DialBack, DialedBack
from hedgerow_protocol.neighbourhood import Neighbourhood, is_local
from hedgerow_protocol.ports import Entropy, Instant, Now
from hedgerow_protocol.relay_values import SendMessage

ASKED_AT_ONCE = 2
"""Peers. Asked about one address, where so many are at hand."""


@dataclass(frozen=True, slots=True)
class AddressTested:
    """An address of ours was reached from outside for the first time, or is no longer, or was not."""

    address: str
    reached: bool


SelfTestOutput: TypeAlias = SendMessage | AddressTested


class Reach(Enum):
    """What is known of an address."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class _Asker:
    """A peer that can be asked."""

    link: int
    peer: NodeId
    neighbourhood: Neighbourhood
    free: Instant
    """When it can be asked again."""


@dataclass(slots=True, eq=False)
class _Question:
    """One peer was asked about one address."""

    link: int
    peer: NodeId
    nonce: bytes
    until: Instant
    said: bool | None = None
    seen: bool = False
    """The peer's dial has shown at our door."""
    lost: bool = False
    """No answer will come, or none that counts."""

    @property
    def yes(self) -> bool:
        return self.said is True and self.seen

    @property
    def settled(self) -> bool:
        return self.lost or self.said is False or self.yes


@dataclass(slots=True, eq=False)
class _Test:
    """One address."""

    address: str
    due: Instant
    reach: Reach = Reach.PENDING
    wait: float = relay_limits.RETEST_FAILED_SECONDS
    refusals: int = 0
    """Rounds in a row in which nobody reached it."""
    questions: list[_Question] = field(default_factory=list)


class SelfTest:
    """The asking side."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._chance = Chance(entropy)
        self._tests: dict[str, _Test] = {}
        self._askers: dict[int, _Asker] = {}
        self._asked: dict[NodeId, Instant] = {}

    def states(self) -> dict[str, Reach]:
        """What is known of each address."""
        return {address: test.reach for address, test in self._tests.items()}

    def addresses(self, addresses: Iterable[str], now: Now) -> list[SelfTestOutput]:
        """The addresses to test, all of them. Those that did not work are tested again at once."""
        wanted = dict.fromkeys(addresses)
        self._tests = {address: self._tests.get(address) or _Test(address, now.instant) for address in wanted}
        for test in self._tests.values():
            if test.reach is not Reach.VERIFIED:
                test.due = min(test.due, now.instant)
                test.wait = relay_limits.RETEST_FAILED_SECONDS
        return self._settle(now.instant)

    def link_up(
        self, link: int, peer: NodeId, *, relayed: bool, can_dial_back: bool, neighbourhood: Neighbourhood, now: Now
    ) -> list[SelfTestOutput]:
        """A link is open and greeted. ``can_dial_back``: the peer's Hello names the feature."""
        if can_dial_back and not relayed:
            free = self._asked.get(peer, now.instant)
            self._askers[link] = _Asker(link, peer, neighbourhood, free)
        return self._settle(now.instant)

    def link_down(self, link: int, now: Now) -> list[SelfTestOutput]:
        """A link has ended; nothing happens for one that never was up here."""
        self._askers.pop(link, None)
        for question in self._questions():
            if question.link == link:
                question.lost = True
        return self._settle(now.instant)

    def dialled_us(self, peer: NodeId, now: Now) -> list[SelfTestOutput]:
        """A channel with this peer was opened to us from outside: to be told of each, also of mere probes."""
        for question in self._questions():
            if question.peer == peer:
                question.seen = True
        return self._settle(now.instant)

    def handle(self, link: int, message: DialedBack, now: Now) -> list[SelfTestOutput]:
        """A peer answers. What was not asked, or not over this link, or is too late, is ignored."""
        for question in self._questions():
            if question.link == link and question.nonce == message.nonce and question.said is None:
                question.said = message.reached
                patience = Instant(now.instant + relay_limits.DIAL_BACK_SEEN_SECONDS)
                question.until = min(question.until, patience)
        return self._settle(now.instant)

    def tick(self, now: Now) -> list[SelfTestOutput]:
        """Let time pass."""
        return self._settle(now.instant)

    def next_due(self) -> Instant | None:
        """When :meth:`tick` has something to do, if nothing else happens before."""
        dues: list[Instant] = []
        free = min((asker.free for asker in self._askers.values()), default=None)
        for test in self._tests.values():
            if test.questions:
                dues.extend(each.until for each in test.questions if not each.settled)
            elif free is not None:
                dues.append(max(test.due, free))
        return min(dues, default=None)

    def _questions(self) -> list[_Question]:
        return [question for test in self._tests.values() for question in test.questions]

    def _settle(self, now: Instant) -> list[SelfTestOutput]:
        out: list[SelfTestOutput] = []
        for question in self._questions():
            question.lost = question.lost or (question.until <= now and not question.settled)
        for test in self._tests.values():
            if test.questions and (
                any(each.yes for each in test.questions) or all(each.settled for each in test.questions)
            ):
                out += self._conclude(test, now)
        # Who has waited longest comes first, or one address would use up every peer's minute.
        for test in sorted(self._tests.values(), key=lambda each: each.due):
            if not test.questions and test.due <= now:
                out += self._ask(test, now)
        return out

    def _conclude(self, test: _Test, now: Instant) -> list[SelfTestOutput]:
        """A round has ended."""
        reached = any(each.yes for each in test.questions)
        refused = any(each.said is False for each in test.questions)
        test.questions = []
        before = test.reach
        if reached:
            test.reach = Reach.VERIFIED
            test.refusals = 0
            test.wait = relay_limits.RETEST_FAILED_SECONDS
            test.due = Instant(now + relay_limits.RETEST_SECONDS)
        else:
            test.due = Instant(now + test.wait)
            test.wait = min(2 * test.wait, relay_limits.RETEST_SECONDS)
            test.refusals += refused
            # What has worked is given up only when it fails twice: a line may be down for a minute.
            if refused and (before is not Reach.VERIFIED or test.refusals > 1):
                test.reach = Reach.FAILED
        return [AddressTested(test.address, reached)] if test.reach is not before else []

    def _ask(self, test: _Test, now: Instant) -> list[SelfTestOutput]:
        """Ask up to two peers of different neighbourhoods, any of those that were not asked lately."""
        out: list[SelfTestOutput] = []
        chosen: list[_Asker] = []
        while len(chosen) < ASKED_AT_ONCE:
            fit = [
                each
                for each in self._askers.values()
                if each.free <= now
                and all(
                    each.peer != other.peer
                    and (is_local(each.neighbourhood) or each.neighbourhood != other.neighbourhood)
                    for other in chosen
                )
            ]
            if not fit:
                break
            asker = self._chance.pick(fit)
            chosen.append(asker)
            nonce = self._entropy(DIAL_NONCE_BYTES)
            until = Instant(now + relay_limits.DIAL_BACK_ANSWER_SECONDS)
            test.questions.append(_Question(asker.link, asker.peer, nonce, until))
            self._mark(asker.peer, now)
            out.append(SendMessage(asker.link, DialBack(test.address, nonce)))
        return out

    def _mark(self, peer: NodeId, now: Instant) -> None:
        """This peer has its minute of peace, over whichever link."""
        free = Instant(now + relay_limits.DIAL_BACK_ASK_SECONDS)
        self._asked = {who: when for who, when in self._asked.items() if when > now} | {peer: free}
        for each in self._askers.values():
            if each.peer == peer:
                each.free = free
