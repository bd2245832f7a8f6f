"""The headers every answer carries, and why."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

_DIRECTIVES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "hedgerow",
}


def _policy(**more: str) -> str:
    """The policy with some directives said anew (``img_src`` for ``img-src``)."""
    said = _DIRECTIVES | {name.replace("_", "-"): value for name, value in more.items()}
    return "; ".join(f"{name} {value}" for name, value in said.items())


CONTENT_SECURITY_POLICY = _policy()
"""Only this node's own files, no inline code, nobody's frame; one Trusted Types policy, for workers' addresses."""

PERMISSIONS_POLICY = ", ".join(
    (
        "accelerometer=()",
        "autoplay=()",
        "camera=()",
        "display-capture=()",
        "geolocation=(self)",
        "gyroscope=()",
        "magnetometer=()",
        "microphone=()",
        "midi=()",
        "payment=()",
        "usb=()",
    )
)
"""Names every current browser knows: an unknown one prints a warning. Geolocation is for "near my position", asked
for by the person and used in the browser only."""

ALWAYS: CIMultiDict[str] = CIMultiDict(
    {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
        "X-Frame-Options": "DENY",
    }
)

SECURE_ONLY: CIMultiDict[str] = CIMultiDict(
    {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Origin-Agent-Cluster": "?1",
    }
)
"""Browsers ignore these on insecure origins, with a warning on the console."""

ALWAYS_SECURE: CIMultiDict[str] = CIMultiDict([*ALWAYS.items(), *SECURE_ONLY.items()])
"""Both, as most answers carry them."""

OWN_ORIGIN = ("Cross-Origin-Resource-Policy", "same-origin")
ANY_ORIGIN = (("Access-Control-Allow-Origin", "*"), ("Cross-Origin-Resource-Policy", "cross-origin"))
"""For public data: another site's page may show this directory's listings."""

OWN_POLICY = web.RequestKey("own policy", Mapping[str, str])
"""Headers in which one answer differs from :data:`ALWAYS`."""


def open_to_every_origin(response: web.StreamResponse) -> None:
    """Let pages of any origin read this answer, and see when to come back."""
    for name, value in ANY_ORIGIN:
        response.headers[name] = value
    response.headers["Access-Control-Expose-Headers"] = "Retry-After"


def app_policy(host: str, *, camera: bool) -> Mapping[str, str]:
    """What the member app's pages may do beyond the others, and why.

    Pictures and sound that a member sends are opened on the device and shown from its memory: ``blob:`` in ``img-src``
    and ``media-src``. The live socket is named, because not every browser takes ``'self'`` for ``ws:`` and ``wss:``.
    The camera reads the code of another device; the browser asks the person each time. ``host`` is a checked one.
    """
    policy = _policy(img_src="'self' data: blob:", media_src="blob:", connect_src=f"'self' ws://{host} wss://{host}")
    permissions = PERMISSIONS_POLICY.replace("camera=()", "camera=(self)") if camera else PERMISSIONS_POLICY
    return {"Content-Security-Policy": policy, "Permissions-Policy": permissions}


def worker_policy(host: str, *, wasm: bool) -> Mapping[str, str]:
    """What a worker's script may do: a worker obeys the policy its own file came with, not that of its page.

    ``wasm`` is for the one worker that holds keys and stretches passphrases: Argon2id needs WebAssembly to be slow for
    a guesser without being slow for its person. Pages never may.
    """
    script = "'self' 'wasm-unsafe-eval'" if wasm else "'self'"
    return {"Content-Security-Policy": _policy(script_src=script, connect_src=f"'self' ws://{host} wss://{host}")}


NO_STORE = "no-store"
"""Pages leave nothing in a shared computer's cache."""

REVALIDATE = "no-cache"
"""Public data: kept, and asked about each time (ETag)."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Files with a hash in their name."""
