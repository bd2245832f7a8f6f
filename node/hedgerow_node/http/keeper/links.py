"""One-time links to the keeper's page, and the short sessions they open.

Everything lives in memory as hashes: a restart ends all sessions, and reading the memory gives no usable token. The
session is a cookie that only ``/keeper`` receives (HttpOnly, SameSite=Strict). The house rule "no cookies" is about
members: their devices hold keys and show them to the API. The keeper has no key in the browser and needs plain forms
that work without JavaScript, which a cookie alone can give (docs/adr).
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from hedgerow_node.http import bounds
from hedgerow_protocol.ports import Entropy, Instant

TOKEN_BYTES = 20

Token = str
"""32 letters of base32: short enough to type in need, long enough that nobody guesses it."""


@dataclass(slots=True)
class Session:
    """One browser in which the keeper's page is open."""

    opened: Instant
    used: Instant
    csrf: str
    """Must come back with every form."""


class KeeperLinks:
    """Makes links, redeems each once, and knows the open sessions."""

    def __init__(self, monotonic: Callable[[], Instant], entropy: Entropy) -> None:
        self._monotonic = monotonic
        self._entropy = entropy
        self._links: dict[bytes, Instant] = {}
        self._sessions: dict[bytes, Session] = {}

    def make(self) -> Token:
        """A new one-time token, valid for ten minutes. The oldest unused ones leave when there are many."""
        now = self._monotonic()
        self._links = {key: made for key, made in self._links.items() if now - made < bounds.KEEPER_LINK_SECONDS}
        while len(self._links) >= bounds.KEEPER_LINKS_MAX:
            del self._links[next(iter(self._links))]
        token = self._token()
        self._links[_hashed(token)] = now
        return token

    def redeem(self, token: Token) -> Token | None:
        """Use a link up. Returns the secret of a new session, or ``None`` when the link is used, old or unknown."""
        now = self._monotonic()
        made = self._links.pop(_hashed(token.strip().upper()), None)
        if made is None or now - made >= bounds.KEEPER_LINK_SECONDS:
            return None
        while len(self._sessions) >= bounds.KEEPER_SESSIONS_MAX:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].used)]
        secret = self._token()
        self._sessions[_hashed(secret)] = Session(now, now, self._token())
        return secret

    def session(self, secret: Token) -> Session | None:
        """The open session of this secret, kept alive by being asked for; ``None`` when there is none (any more)."""
        if not secret:
            return None
        key = _hashed(secret)
        session = self._sessions.get(key)
        if session is None:
            return None
        now = self._monotonic()
        over = now - session.opened >= bounds.KEEPER_SESSION_SECONDS
        if over or now - session.used >= bounds.KEEPER_IDLE_SECONDS:
            del self._sessions[key]
            return None
        session.used = now
        return session

    def close(self, secret: Token) -> None:
        """End a session at once."""
        self._sessions.pop(_hashed(secret), None)

    def _token(self) -> Token:
        return base64.b32encode(self._entropy(TOKEN_BYTES)).decode("ascii")


def csrf_holds(session: Session, said: str) -> bool:
    """Whether a form carries this session's token."""
    return hmac.compare_digest(session.csrf.encode(), said.encode(errors="backslashreplace"))


def _hashed(token: str) -> bytes:
    # A cookie may hold bytes that are no text; they name nothing, like every other wrong token.
    return blake2b(token.encode(errors="backslashreplace"), digest_size=32, person=b"hedgerow/keeper").digest()
