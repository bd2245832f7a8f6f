"""A whole node against the least its libraries cost: start, memory, requests, and the bytes of the first page."""

import gzip
import http.client
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from hedgerow_node.bench import pages
from hedgerow_node.bench.measure import Figure, median

LIBRARIES: Final = "import aiohttp.web, nacl.signing, zeroconf.asyncio, msgpack, sqlite_utils"

BARE_SERVER: Final = """
import asyncio
from aiohttp import web

async def answer(request):
    return web.Response(text="ok")

async def main():
    app = web.Application()
    app.router.add_get("/healthz", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

REQUESTS: Final = 1_500
ROUNDS: Final = 3
_TICKS_PER_SECOND: Final = 100


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process and the address in the first line it prints."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as started:
        try:
            assert started.stdout is not None  # noqa: S101 - a pipe was asked for
            found = re.search(r"https?://[^\s\"]+", started.stdout.readline())
            if found is None:
                raise RuntimeError("the process did not print its address")
            yield started, found.group().rstrip("/") + "/"
        finally:
            started.kill()


def _connect(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
    answer = connection.getresponse()
    return answer, answer.read()


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a process has used, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def _resident_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1024 if found else 0.0


def _libraries() -> tuple[float, float]:
    """Seconds and MiB that importing the libraries alone costs."""
    start = time.perf_counter()
    script = f"{LIBRARIES}\nprint(open('/proc/self/status').read())"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    seconds = time.perf_counter() - start
    found = re.search(r"VmRSS:\s+(\d+)", said)
    return seconds, int(found.group(1)) / 1024 if found else 0.0


def _node(data: Path) -> tuple[str, ...]:
    return ("-m", "hedgerow_node", "serve", "--data", str(data), "--port", "0")


def _start(data: Path) -> tuple[float, float]:
    """Seconds to the first answer and MiB when idle."""
    start = time.perf_counter()
    with process(*_node(data)) as (started, address):
        connection = _connect(address)
        answer, _body = _get(connection, urlsplit(address).path + "healthz")
        seconds = time.perf_counter() - start
        assert answer.status == 200, answer.status  # noqa: S101 - else nothing was measured
        time.sleep(1.0)
        return seconds, _resident_mib(started.pid)


def _request_seconds(pid: int, address: str, path: str) -> float:
    """CPU seconds of the server for one request."""
    connection = _connect(address)
    for _ in range(50):
        _get(connection, path)
    before = cpu_seconds(pid)
    for _ in range(REQUESTS):
        _get(connection, path)
    return (cpu_seconds(pid) - before) / REQUESTS


def figures(data: Path) -> list[Figure]:
    """Start, memory, requests and sizes of a node on this data folder."""
    starts, memories = [], []
    for _ in range(ROUNDS):
        bare_seconds, bare_mib = _libraries()
        seconds, mib = _start(data)
        starts.append(seconds / bare_seconds)
        memories.append(mib / bare_mib)
    found = [
        Figure("cold_start", median(starts), "times", 2.0, "to the first answer; importing the five libraries"),
        Figure("idle_memory", median(memories), "times", 1.5, "importing the five libraries"),
    ]
    with process(*_node(data)) as (node, address), process("-c", BARE_SERVER) as (bare, bare_address):
        root = urlsplit(address).path
        ratios, first_pages = [], []
        for _ in range(ROUNDS):
            reference = _request_seconds(bare.pid, bare_address, "/healthz")
            ratios.append(_request_seconds(node.pid, address, root + "healthz") / reference)
            first_pages.append(_request_seconds(node.pid, address, root) / reference)
        found.append(Figure("http_request", median(ratios), "times", 2.0, "/healthz; a bare aiohttp handler"))
        found.append(Figure("http_first_page", median(first_pages), "times", None, "the directory page"))
        found += _sizes(address)
        found += pages.lighthouse(address)
    return found


def _sizes(address: str) -> list[Figure]:
    """Bytes over the wire of the first page and of its scripts."""
    connection = _connect(address)
    _answer, body = _get(connection, urlsplit(address).path)
    page = gzip.decompress(body).decode() if body[:2] == b"\x1f\x8b" else body.decode()
    scripts = re.findall(r"<script[^>]+src=\"([^\"]+)\"", page)
    styles = re.findall(r"<link[^>]+rel=\"stylesheet\"[^>]+href=\"([^\"]+)\"", page)
    sizes = {path: len(_get(connection, urlsplit(urljoin(address, path)).path)[1]) for path in (*scripts, *styles)}
    javascript = sum(sizes[path] for path in scripts)
    return [
        Figure("first_page", (len(body) + sum(sizes.values())) / 1000, "KB", 50.0, "with its styles and scripts"),
        Figure("first_page_javascript", javascript / 1000, "KB", 40.0, "compressed"),
    ]
