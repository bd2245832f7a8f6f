"""nginx, as Debian brings it, in a process of the test's own with a configuration of the test's own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

needs_nginx = pytest.mark.skipif(
    NGINX is None and os.environ.get("REQUIRE_NGINX") != "1",
    reason="nginx is not installed (apt-get install nginx-light); REQUIRE_NGINX=1 makes this a failure",
)

_MODULES = "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; master_process off;"

_SITE = """
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location /groups/ {{
      proxy_pass http://127.0.0.1:{target}{path};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 60s;
    }}
  }}
}}
"""


def free_port() -> int:
    """A port nobody listens at, now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(folder: Path, target: int, *, keeps_prefix: bool = True, port: int = 0) -> Iterator[str]:
    """A proxy that shows what listens at ``target`` below ``/groups``; with or without that prefix in its requests."""
    assert NGINX is not None, "REQUIRE_NGINX=1, and nginx is not installed"
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    config = folder / "nginx.conf"
    config.write_text(
        _MODULES.format(folder=folder)
        + _SITE.format(folder=folder, port=port, target=target, path="" if keeps_prefix else "/")
    )
    command = [NGINX, "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}/groups"
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"nginx did not start: {process.communicate()[1].decode()}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
