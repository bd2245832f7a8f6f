"""Submissions over the live socket: ``POST /rooms/{id}/log`` without a request for each.

Judged by the same functions, at the same pace, answered when they are on the disk. The answer goes out in one write
with the entries of the same commit. When the socket ends before it, the client submits again: the same id has the same
answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import hdrs

from hedgerow_node.delivery.doors import Outcome, Refused
from hedgerow_node.http import bounds
from hedgerow_node.http.answers import dump
from hedgerow_node.http.member.answering import accepted_members, conflict_members
from hedgerow_node.http.member.bearer import problem_of_failure
from hedgerow_node.http.member.body import Bodies
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import Fields
from hedgerow_node.http.member.frames import text_frame
from hedgerow_node.http.member.lines import Receiver
from hedgerow_node.http.member.rooms import submission_of
from hedgerow_node.http.problems import Problem, problem_document
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private.values import LogPage, Refetch
from hedgerow_protocol.delivery.values import ROOM_ID_BYTES, Accepted, RoomId
from hedgerow_protocol.ports import Timestamp

_NUMBER_MAX = 2**53 - 1


@dataclass(slots=True)
class Submissions:
    """What one receiver has submitted over its socket and not heard of yet."""

    desk: Desk
    bodies: Bodies
    receiver: Receiver
    now: Callable[[], Timestamp]
    under_way: int = 0
    _eased: "asyncio.Future[None] | None" = None
    _late: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def take(self, frame: dict[str, Any], size: int) -> None:
        """Take a frame of ``size`` bytes with ``submit`` in it, perhaps after a wait. Raises Problem: it is none.

        While it waits nothing more is read from the socket, which is what slows its sender.
        """
        number = frame.get("n")
        if type(number) is not int or not 0 <= number <= _NUMBER_MAX:
            raise Problem(400, "A submission has a number.")
        while self.under_way >= bounds.LIVE_SUBMISSIONS_MAX:
            self._eased = asyncio.get_running_loop().create_future()
            await self._eased
        try:
            await self.desk.pace.admit(str(self.receiver.session.device_row), size)
            self._hand_in(number, frame["submit"], size)
        except Problem as problem:
            self._say(_refused(number, problem))
        except (Refused, StoreError) as error:
            self._say(_refused(number, problem_of_failure(error)))

    def _hand_in(self, number: int, said: object, size: int) -> None:
        if not isinstance(said, dict):
            raise Problem(400, "A submission is a JSON object.", field="submit")
        fields = Fields(said)
        room = RoomId(fields.fixed("room", ROOM_ID_BYTES))
        submission = submission_of(room, fields)
        self.bodies.hold(size)

        def told(outcome: Outcome) -> None:
            self._let_go(size)
            self._answer(number, room, outcome)

        try:
            self.desk.delivery.hand_in(self.receiver.session, submission, told, now=self.now())
        except BaseException:
            self.bodies.held -= size
            raise
        self.under_way += 1

    def _let_go(self, size: int) -> None:
        self.under_way -= 1
        self.bodies.held -= size
        if self._eased is not None and not self._eased.done():
            self._eased.set_result(None)

    def _answer(self, number: int, room: RoomId, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            frame = text_frame(b'{"submitted":%d,' % number + accepted_members(outcome))
            if not self.desk.receivers.lines.behind:
                self._say(frame)
                return
            task = asyncio.get_running_loop().create_task(self._say_later(room, frame), name="an answer that waits")
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif isinstance(outcome, Refetch):
            self._say(_conflict(number, outcome.page))
        else:
            self._say(_refused(number, problem_of_failure(outcome)))

    async def _say_later(self, room: RoomId, frame: bytes) -> None:
        await self.desk.receivers.ease(room)
        self._say(frame)

    def _say(self, frame: bytes) -> None:
        self.desk.receivers.lines.owe(self.receiver, frame)


def _refused(number: int, problem: Problem) -> bytes:
    said = {"refused": number, **problem_document(problem)}
    wait = dict(problem.headers).get(hdrs.RETRY_AFTER)
    return text_frame(dump(said | ({"retry_after": int(wait)} if wait is not None else {})))


def _conflict(number: int, page: LogPage) -> bytes:
    if sum(map(len, page.entries)) > bounds.LIVE_FRAME_BYTES_MAX:
        page = replace(page, entries=())  # too much to be sent unasked: the log has it
    return text_frame(b'{"refused":%d,' % number + conflict_members(page))
