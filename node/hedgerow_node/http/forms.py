"""Reading forms: a deadline, a size, a number of fields."""

import asyncio
from typing import Any

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from hedgerow_node.http import bounds
from hedgerow_node.http.problems import Problem


async def read_form(request: web.Request) -> MultiDictProxy[str]:
    """The text fields of a form. Raises Problem (too large, too slow: those come from aiohttp and the middleware)."""
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
        raise Problem(415, "A form is sent as application/x-www-form-urlencoded.")
    body = await _post(request)
    if len(body) > bounds.FIELDS_MAX:
        raise Problem(413, f"A form has at most {bounds.FIELDS_MAX} fields.", own_words=True)
    fields: MultiDict[str] = MultiDict()
    for name, value in body.items():
        if isinstance(value, str):
            fields.add(name, value.replace("\x00", ""))
    return MultiDictProxy(fields)


async def read_upload(request: web.Request, field: str) -> tuple[MultiDictProxy[str], bytes]:
    """A form with one file: its text fields and the file's bytes (empty when none was chosen)."""
    body = await _post(request)
    fields: MultiDict[str] = MultiDict()
    data = b""
    for name, value in body.items():
        if isinstance(value, str):
            fields.add(name, value)
        elif isinstance(value, web.FileField) and name == field:
            data = value.file.read(bounds.UPLOAD_BYTES_MAX + 1)
    if len(data) > bounds.UPLOAD_BYTES_MAX:
        raise Problem(413, f"The file is larger than {bounds.UPLOAD_BYTES_MAX // 1024} KB.", own_words=True)
    return MultiDictProxy(fields), data


async def _post(request: web.Request) -> MultiDictProxy[Any]:
    try:
        async with asyncio.timeout(bounds.BODY_SECONDS_MAX):
            return await request.post()
    except (ValueError, LookupError, RuntimeError, AssertionError) as error:
        # aiohttp's reader of multipart bodies and charsets says so in several ways.
        raise Problem(400, "This form arrived broken. Send it again.", own_words=True) from error
