"""What can go wrong with the files, as sentences for the person who runs the node."""


class StoreError(Exception):
    """The store cannot do what was asked. ``str()`` says what happened and what to do next."""


class StoreBusyError(StoreError):
    """Too much is waiting to be written or read; trying again later may work."""


class StoreTooSlowError(StoreError):
    """A read went beyond its bound and was stopped."""


def sentence_for(error: Exception, name: str) -> str:
    """A sentence for an error of SQLite about the file called ``name``."""
    text = str(error).lower()
    for sign, sentence in _SENTENCES:
        if sign in text:
            return sentence.format(name=name, otherwise=_OTHERWISE.get(name, ""))
    return f"The store {name} could not be used ({text})."


# Listings come back from their feeds and from other nodes. Accounts and rooms are nowhere else.
_OTHERWISE = {"public.db": ", or remove the file and import the listings again"}

_SENTENCES = (
    ("full", "The disk is full, so {name} cannot take anything more. Free some space, then try again."),
    ("malformed", "{name} is damaged. Restore a backup{otherwise}."),
    ("not a database", "{name} is not a store of this program, or it is damaged. Restore a backup{otherwise}."),
    ("readonly", "{name} cannot be written. Check who owns the data folder and whether the disk allows writing."),
    ("read-only", "{name} cannot be written. Check who owns the data folder and whether the disk allows writing."),
    ("unable to open", "{name} cannot be opened. Check that the data folder exists and that you may write in it."),
    ("disk i/o error", "The disk failed while {name} was being used. Check the disk; nothing half-written was kept."),
    ("locked", "{name} is in use by another program. Stop that one first: a store has only one writer."),
)
