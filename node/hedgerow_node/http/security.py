"""The headers every answer carries, and why."""

from multidict import CIMultiDict

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types hedgerow",
    )
)
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

NO_STORE = "no-store"
"""Pages leave nothing in a shared computer's cache."""

REVALIDATE = "no-cache"
"""Public data: kept, and asked about each time (ETag)."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Files with a hash in their name."""
