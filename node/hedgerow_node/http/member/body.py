"""Bodies of requests: a size for each address, a deadline that follows from it, and a bound on all of them together."""

import asyncio
from dataclasses import dataclass

from aiohttp import hdrs, web

from hedgerow_node.http import bounds
from hedgerow_node.http.member.fields import Fields, parse_object, parse_objects
from hedgerow_node.http.problems import Problem


@dataclass(slots=True)
class Bodies:
    """Bytes of requests in memory now, over all connections."""

    held_max: int = bounds.MEMBER_BODIES_BYTES_MAX
    held: int = 0

    def hold(self, size: int) -> None:
        """Count so many more in. Raises Problem (503)."""
        if self.held + size > self.held_max:
            raise Problem(503, "Too much is arriving at once. Try again in a moment.", headers=(("Retry-After", "5"),))
        self.held += size


BODIES = web.AppKey("bodies", Bodies)
_HELD = web.RequestKey("held", int)


async def read_body(request: web.Request, size_max: int) -> bytes:
    """The whole body. Raises Problem when it is too large, too slow, compressed, or one too many at this moment."""
    bodies = request.app[BODIES]
    announced = request.content_length
    if announced is None and request.body_exists and size_max > bounds.ANNOUNCED_BODY_BYTES_MAX:
        raise Problem(411, "Say how long the body is (Content-Length) before you send it.")
    if announced is not None and announced > size_max:
        raise _too_large(size_max)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise Problem(415, "Send the body as it is: compressed bodies are not taken.")
    if announced is not None and request.content.is_eof():
        # It came with its headers, as most do: nothing is waited for.
        body = request.content.read_nowait()
        _hold(request, bodies, len(body))
        return body
    seconds = bounds.BODY_SECONDS_MAX + (announced or size_max) / bounds.BODY_BYTES_PER_SECOND_MIN
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > size_max:
                    raise _too_large(size_max)
                _hold(request, bodies, len(chunk))
                chunks.append(chunk)
    except ValueError as error:  # aiohttp's reader of chunked bodies
        raise Problem(400, "The body arrived broken. Send it again.") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _hold(request: web.Request, bodies: Bodies, size: int) -> None:
    bodies.hold(size)
    request[_HELD] = request.get(_HELD, 0) + size


def let_go(request: web.Request) -> None:
    """The request is answered: what its body took is free again."""
    held = request.get(_HELD, 0)
    if held:
        request.app[BODIES].held -= held
        request[_HELD] = 0


def _too_large(size_max: int) -> Problem:
    return Problem(413, f"What was sent is larger than the {size_max} bytes that this address takes.")


async def read_fields(request: web.Request, size_max: int = bounds.MEMBER_JSON_BYTES_MAX) -> Fields:
    """The JSON object in the body. Raises Problem."""
    body = await read_body(request, size_max)
    if len(body) > bounds.JSON_INLINE_BYTES_MAX:
        return await asyncio.to_thread(parse_object, body)
    return parse_object(body)


async def read_all_fields(request: web.Request, many_max: int, size_max: int) -> list[Fields]:
    """The objects of the JSON array in the body. Raises Problem."""
    return parse_objects(await read_body(request, size_max), many_max)
