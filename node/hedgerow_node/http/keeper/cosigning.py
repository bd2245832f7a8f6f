"""Files that wait for more stewards' signatures, in memory until there are enough.

A file on its way belongs to its stewards, who keep copies; losing this list in a restart loses no signature.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from hedgerow_node.directory.drafts import (
    DraftError,
    DraftFile,
    add_signature,
    is_complete,
    join,
    missing,
    read_file,
    write_file,
)
from hedgerow_node.directory.publishing import submit
from hedgerow_node.directory.publishing_words import describe_file
from hedgerow_node.http.keeper.own import own_signer
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import Site
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.records import Charter, Listing, Withdrawal, read_charter

DRAFTS_MAX = 32
"""Files. Waiting at once; the oldest leaves first."""

KEY_BYTES = 10


@dataclass(slots=True)
class CosignDrafts:
    """The files that wait, the oldest first."""

    files: OrderedDict[str, DraftFile] = field(default_factory=OrderedDict)

    def hold(self, file: DraftFile) -> str:
        """Keep a file (joined with the copy that waits already); returns its key."""
        key = to_text(bytes(file.records[0].rid[:KEY_BYTES])) if file.records else ""
        if not key:
            raise DraftError("This file holds no record to sign.")
        waiting = self.files.pop(key, None)
        self.files[key] = join([waiting, file]) if waiting is not None else file
        while len(self.files) > DRAFTS_MAX:
            self.files.popitem(last=False)
        return key

    async def add(self, site: Site, data: bytes) -> bool:
        """Take an uploaded file in; publish it when there are enough signatures (True) or keep it.

        Raises :class:`DraftError` and :class:`~hedgerow_node.directory.publishing.PublishError`.
        """
        if not data:
            raise DraftError("Choose the file first.")
        return await self._publish_if_complete(site, self.hold(read_file(data)))

    async def sign(self, site: Site, key: str) -> bool:
        """Add the directory key's signature, where it is one of the stewards; publish when there are enough (True).

        Raises :class:`DraftError` and :class:`~hedgerow_node.directory.publishing.PublishError`.
        """
        file = self.files.get(key)
        if file is None:
            raise DraftError("This file is not waiting here any more.")
        self.files[key] = add_signature(file, (await own_signer(site)).key)
        return await self._publish_if_complete(site, key)

    async def _publish_if_complete(self, site: Site, key: str) -> bool:
        file = self.files[key]
        if not is_complete(file):
            return False
        await submit(site.directory, file, now=site.now())
        del self.files[key]
        return True

    def text(self, key: str) -> str | None:
        """The file to download."""
        file = self.files.get(key)
        return None if file is None else write_file(file, describe_file(file))

    def rows(self, view: View, own_key: bytes) -> list[dict[str, Any]]:
        """What waits, for a template; ``own_key`` is the directory's public key."""
        found = []
        for key, file in self.files.items():
            progress = missing(file)
            last = progress[-1]
            match last.record:
                case Charter():
                    kind, name = "charter", view.t("cosign.kind.charter")
                case Listing() as listing:
                    kind, name = "listing", listing.content.name
                case Withdrawal():
                    kind, name = "withdrawal", view.t("cosign.kind.withdrawal")
            may_sign = own_key in last.may_sign and own_key not in last.signed
            found.append(
                {
                    "name": name,
                    "says": "\n".join(describe_file(file)),
                    "kind": view.t(f"cosign.kind.{kind}"),
                    "signed": len(last.signed),
                    "threshold": _needed(file, last.record),
                    "download_url": view.url(f"/keeper/cosign/{key}"),
                    "sign_url": view.url(f"/keeper/cosign/{key}/sign") if may_sign else "",
                }
            )
        return found


def _needed(file: DraftFile, record: Charter | Listing | Withdrawal) -> int:
    if isinstance(record, Charter):
        return record.threshold
    for envelope in (*file.charters, *file.records):
        if envelope.rid == record.slot.charter:
            return read_charter(envelope.body).threshold
    return 1
