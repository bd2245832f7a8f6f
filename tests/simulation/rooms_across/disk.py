"""A disk that survives a crash, for what was committed: tables in memory, changed in groups as the real store does."""

from collections.abc import Callable, Hashable
from typing import Any

from hedgerow_protocol.delivery.refusal import Refused

Table = Hashable
MISSING: Any = object()


class Disk:
    """``commit_later`` is told when a group has begun, and calls :meth:`commit` some time later."""

    def __init__(self, commit_later: Callable[[], None]) -> None:
        self._tables: dict[Table, dict[Any, Any]] = {}
        self._commit_later = commit_later
        self._undo: list[tuple[Table, Any, Any]] = []
        self._old: dict[tuple[Table, Any], Any] = {}
        self._thens: list[Callable[[], None]] = []
        self._writing = False
        self._open = False

    def get(self, table: Table, key: Any, default: Any = None) -> Any:
        """As the transaction that is under way sees it."""
        return self._tables.get(table, {}).get(key, default)

    def all(self, table: Table) -> dict[Any, Any]:
        """All of a table, as the transaction that is under way sees it."""
        return self._tables.get(table, {})

    def sure(self, table: Table, key: Any, default: Any = None) -> Any:
        """What is there after a crash."""
        old = self._old.get((table, key), self)
        if old is self:
            return self.get(table, key, default)
        return default if old is MISSING else old

    def names(self, kind: str) -> list[Any]:
        """The second halves of the names of tables ``(kind, name)``."""
        return [each[1] for each in self._tables if isinstance(each, tuple) and each[0] == kind]

    def put(self, table: Table, key: Any, value: Any) -> None:
        """Within a transaction: keep this."""
        assert self._writing
        rows = self._tables.setdefault(table, {})
        old = rows.get(key, MISSING)
        self._undo.append((table, key, old))
        self._old.setdefault((table, key), old)
        rows[key] = value

    def remove(self, table: Table, key: Any) -> None:
        """Within a transaction: forget this."""
        assert self._writing
        old = self._tables.setdefault(table, {}).pop(key)
        self._undo.append((table, key, old))
        self._old.setdefault((table, key), old)

    def then(self, do: Callable[[], None]) -> None:
        """Within a transaction: do this when it is committed, and never if it is not."""
        assert self._writing
        self._thens.append(do)

    def write(self, work: Callable[[], Any]) -> Any:
        """Change something. What ``work`` gives, or the :class:`Refused` it raised and left no trace of."""
        assert not self._writing
        changes, thens = len(self._undo), len(self._thens)
        self._writing = True
        try:
            return work()
        except Refused as refused:
            self._back_to(changes)
            del self._thens[thens:]
            return refused
        finally:
            self._writing = False
            if not self._open:
                self._open = True
                self._commit_later()

    def answer(self, do: Callable[[], None]) -> None:
        """Do this when everything that was written before is committed."""
        self._thens.append(do)

    def commit(self) -> None:
        """The group is on the disk."""
        self._undo.clear()
        self._old.clear()
        self._open = False
        thens, self._thens = self._thens, []
        for do in thens:
            do()

    def crash(self) -> None:
        """What was not committed never was."""
        self._back_to(0)
        self._thens.clear()
        self._open = False

    def _back_to(self, changes: int) -> None:
        while len(self._undo) > changes:
            table, key, old = self._undo.pop()
            if old is MISSING:
                del self._tables[table][key]
            else:
                self._tables[table][key] = old
        self._old = {}
        for table, key, old in self._undo:
            self._old.setdefault((table, key), old)
