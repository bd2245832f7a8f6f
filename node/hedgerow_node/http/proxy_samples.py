"""Lines for a reverse proxy with a certificate: what the page /safe-connection and docs/keeper.md show.

Both keep no record of addresses and queries, also when something fails. Both let WebSocket through (the members' live
connection, and other nodes at ``/peer``), and files of members, which are larger than nginx takes by itself.
"""

from typing import Final

NGINX: Final = """\
map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}

server {
    listen 443 ssl;
    server_name %(name)s;
    ssl_certificate     /etc/letsencrypt/live/%(name)s/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/%(name)s/privkey.pem;
    access_log off;
    error_log /var/log/nginx/error.log crit;

    location %(prefix)s/ {
        proxy_pass http://127.0.0.1:%(port)d%(prefix)s/;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 180s;
        client_max_body_size 12m;
    }
}
"""
"""``error_log`` at a lower level would write down addresses and queries whenever the node is away."""

CADDY: Final = """\
{
    log {
        exclude http.log.error
    }
}

%(name)s {
%(redirect)s    reverse_proxy %(matcher)s127.0.0.1:%(port)d
}
"""
"""Caddy gets a certificate by itself. Without ``exclude`` it notes addresses and queries when the node is away."""


def nginx_sample(name: str, port: int, prefix: str) -> str:
    """For a node that is to be reached under this name, below this path."""
    return NGINX % {"name": name, "port": port, "prefix": prefix}


def caddy_sample(name: str, port: int, prefix: str) -> str:
    """The same for Caddy."""
    redirect = f"    redir {prefix} {prefix}/\n" if prefix else ""
    return CADDY % {"name": name, "port": port, "redirect": redirect, "matcher": f"{prefix}/* " if prefix else ""}


def settings_sample(name: str, prefix: str) -> str:
    """What the node's settings file then says."""
    return f'base_url = "https://{name}{prefix}"\ntrusted_proxies = ["127.0.0.1"]\n'
