"""KeyPackages that wait to be claimed, and Welcomes that wait for their devices."""

from collections.abc import Sequence
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.mailbox_rows import own_mailbox, register_mailbox
from hedgerow_node.store.private.values import ClaimedKeyPackage, KeyPackageOffer, Session, WelcomeRow
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.consent import matches
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import KeyPackageRef, MailboxId, RoomId, WelcomeId
from hedgerow_protocol.ids import NodeId


class _Kept(NamedTuple):
    row: int
    device: int
    consent_hash: bytes
    expires: int
    claimed: int | None
    data: bytes
    mailbox: bytes
    claimed_node: bytes | None
    claimed_tag: bytes | None


def add_key_packages(connection: Connection, session: Session, offers: Sequence[KeyPackageOffer]) -> None:
    """Keep checked KeyPackages, all or none. Raises :class:`Refused`."""
    for offer in offers:
        kept = _find(connection, offer.ref)
        if kept is not None:
            if kept.device != session.device_row or kept.consent_hash != offer.consent_hash:
                raise Refused(Refusal.TAKEN, "This KeyPackage is here already.")
            continue
        mailbox = own_mailbox(connection, session, offer.mailbox)
        if mailbox is None:
            mailbox = register_mailbox(connection, session, offer.mailbox)
        connection.execute(
            "INSERT INTO key_package (ref, device, mailbox, room, consent_hash, expires, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                offer.ref,
                session.device_row,
                mailbox,
                offer.room,
                offer.consent_hash,
                offer.expires,
                offer.key_package,
            ),
        )
    (many,) = connection.execute("SELECT count(*) FROM key_package WHERE device = ?", (session.device_row,)).fetchone()
    if many > limits.KEY_PACKAGES_HELD_MAX:
        raise Refused(Refusal.TOO_MANY, f"At most {limits.KEY_PACKAGES_HELD_MAX} KeyPackages of one device are kept.")


def claim_key_package(
    connection: Connection, session: Session, ref: KeyPackageRef, consent: bytes, now: int
) -> ClaimedKeyPackage:
    """Hand a KeyPackage to one account, and to no other. Raises :class:`Refused`."""
    kept = _find(connection, ref)
    if kept is None or not matches(consent, kept.consent_hash):
        raise Refused(Refusal.UNKNOWN, "There is no such KeyPackage, or it was used.")
    if kept.expires <= now:
        raise Refused(Refusal.ENDED, "This KeyPackage has expired. Whoever made it has to ask again.")
    if kept.claimed not in (None, session.account_row) or kept.claimed_node is not None:
        raise Refused(Refusal.USED, "Another member has taken this KeyPackage.")
    connection.execute("UPDATE key_package SET claimed = ? WHERE id = ?", (session.account_row, kept.row))
    return ClaimedKeyPackage(kept.data, MailboxId(kept.mailbox))


def claim_for_node(
    connection: Connection, node: NodeId, tag: bytes, ref: KeyPackageRef, consent: bytes, now: int
) -> ClaimedKeyPackage:
    """Hand a KeyPackage to an account of another node, which has this tag there, and to no other. Raises Refused."""
    kept = _find(connection, ref)
    if kept is None or not matches(consent, kept.consent_hash):
        raise Refused(Refusal.UNKNOWN, "There is no such KeyPackage, or it was used.")
    if kept.expires <= now:
        raise Refused(Refusal.ENDED, "This KeyPackage has expired. Whoever made it has to ask again.")
    if kept.claimed is not None or (kept.claimed_node, kept.claimed_tag) not in ((None, None), (node, tag)):
        raise Refused(Refusal.USED, "Another member has taken this KeyPackage.")
    connection.execute("UPDATE key_package SET claimed_node = ?, claimed_tag = ? WHERE id = ?", (node, tag, kept.row))
    return ClaimedKeyPackage(kept.data, MailboxId(kept.mailbox))


def remove_key_package(connection: Connection, session: Session, ref: KeyPackageRef) -> None:
    """Take back one's own. Raises :class:`Refused`."""
    gone = connection.execute(
        "DELETE FROM key_package WHERE ref = ? AND device = ? RETURNING id", (ref, session.device_row)
    ).fetchone()
    if gone is None:
        raise Refused(Refusal.UNKNOWN, "There is no such KeyPackage, or it was used.")


def welcomes_of(connection: Connection, session: Session) -> list[WelcomeRow]:
    """Oldest first, as many as fit into one answer, and one at least.

    Those whose commit has not come from the room's hub yet are kept back.
    """
    found: list[WelcomeRow] = []
    size = 0
    for name, ref, room, seq, payload in connection.execute(_WELCOMES, (session.device_row,)):
        size += len(payload)
        if found and size > limits.LOG_PAGE_BYTES_MAX:
            break
        found.append(WelcomeRow(WelcomeId(name), KeyPackageRef(ref), RoomId(room), seq, payload))
    return found


def remove_welcome(connection: Connection, session: Session, welcome: WelcomeId) -> None:
    """It was processed. Raises :class:`Refused`."""
    gone = connection.execute(
        "DELETE FROM welcome WHERE name = ? AND device = ? RETURNING id", (welcome, session.device_row)
    ).fetchone()
    if gone is None:
        raise Refused(Refusal.UNKNOWN, "There is no such Welcome, or it was processed.")


def count_welcomes(connection: Connection, session: Session) -> int:
    """How many wait for a device."""
    (many,) = connection.execute(_WAITING, (session.device_row,)).fetchone()
    return int(many)


def _find(connection: Connection, ref: KeyPackageRef) -> _Kept | None:
    found = connection.execute(_KEPT, (ref,)).fetchone()
    return _Kept(*found) if found is not None else None


_KEPT = """
SELECT k.id, k.device, k.consent_hash, k.expires, k.claimed, k.data, m.name, k.claimed_node, k.claimed_tag
FROM key_package k JOIN mailbox m ON m.id = k.mailbox WHERE k.ref = ?
"""
_WELCOMES = """
SELECT w.name, w.ref, r.name, w.seq, w.payload
FROM welcome w JOIN room r ON r.id = w.room WHERE w.device = ? AND w.seq <= r.seq ORDER BY w.id
"""
_WAITING = "SELECT count(*) FROM welcome w JOIN room r ON r.id = w.room WHERE w.device = ? AND w.seq <= r.seq"
