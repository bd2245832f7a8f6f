"""Rows of fields: how a class becomes an array in a fixed order, and back."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NoReturn

from hedgerow_protocol.field_readers import Reader, bad
from hedgerow_protocol.wire import Value, check_allowed


def _unrolled(
    cls: type,
    required: int,
    names: tuple[str, ...],
    defaults: tuple[Any, ...],
    readers: tuple[Reader | None, ...],
    depth: int | None,
) -> Reader:
    """A function from an array to an instance, written out field by field, as ``dataclasses`` writes ``__init__``.

    After the signature this is most of what a listing costs, and a loop over the fields takes twice as long. Each
    field goes through its reader, or is taken as it is where that is ``None``. Most fields of most records say
    nothing, and "nothing" is one object in CPython: those are not read.
    """
    fit = _fitter(tuple(map(_wire, defaults)), depth)
    known: dict[str, Any] = {"cls": cls, "new": object.__new__, "short": _short, "fit": fit}
    fields = range(len(names))
    lines = [
        "def read(value):",
        f"    if type(value) is not tuple or len(value) < {required}: short(cls, {required})",
        f"    if len(value) != {len(names)}: value = fit(value)",
        f"    {', '.join(f'v{i}' for i in fields)}, = value",
        "    made = new(cls)",
    ]
    for i in fields:
        known |= {f"read{i}": readers[i], f"set{i}": getattr(cls, names[i]).__set__, f"nothing{i}": defaults[i]}
        unread = f"v{i} if v{i} is nothing{i} else " if defaults[i] in ("", (), None) else ""
        lines.append(f"    set{i}(made, v{i})" if readers[i] is None else f"    set{i}(made, {unread}read{i}(v{i}))")
    exec("\n".join([*lines, "    return made"]), known)  # noqa: S102 - nothing in it comes from outside this module
    return known["read"]  # type: ignore[no-any-return]


def _fitter(pad: tuple[Any, ...], depth: int | None) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Gives an array the fields of this version. Those of a later one are looked at, unless ``depth`` is ``None``."""

    def fit(value: tuple[Any, ...]) -> tuple[Any, ...]:
        if depth is not None and len(value) > len(pad):
            check_allowed(value[len(pad) :], inside=depth - 1)
        return value[: len(pad)] + pad[len(value) :]

    return fit


def _short(cls: type, required: int) -> NoReturn:
    name = cls.__name__.lower()
    bad(f"{'An' if name[0] in 'aeiou' else 'A'} {name} has at least {required} fields.")


def _wire(default: Any) -> Any:
    """A default as the wire would say it."""
    return int(default) if isinstance(default, IntEnum) else default


def _restorer(inner: "Struct | None", default: Any) -> Reader | None:
    """How a field is read back from a stored array: through its class, its enumeration, or as it is."""
    if inner is not None:
        restore = inner.restore
        if default == ():
            return lambda value: tuple([restore(item) for item in value])
        return lambda value: None if value is None else restore(value)
    return {int(member): member for member in type(default)}.__getitem__ if isinstance(default, IntEnum) else None


class Struct:
    """One class's row of fields, and both directions. ``depth`` counts its array and those around it."""

    def __init__(
        self, cls: type, required: int, depth: int, /, **fields: Reader | tuple[Reader, "Struct | None"]
    ) -> None:
        self.cls = cls
        self.required = required
        self.names = tuple(fields)
        self.inner = tuple(f[1] if isinstance(f, tuple) else None for f in fields.values())
        readers = tuple(f[0] if isinstance(f, tuple) else f for f in fields.values())
        defaults = tuple(cls.__dataclass_fields__[name].default for name in self.names)  # type: ignore[attr-defined]
        self.decode: Reader = _unrolled(cls, required, self.names, defaults, readers, depth)
        """Read and check an array. Fields beyond the known ones are ignored, but must be canonical."""
        self.restore: Reader = _unrolled(
            cls, required, self.names, defaults, tuple(map(_restorer, self.inner, defaults)), None
        )
        """Read an array that :attr:`decode` has accepted before, without checking it again."""

    def encode(self, instance: Any) -> tuple[Value, ...]:
        row: list[Value] = []
        for name, inner in zip(self.names, self.inner, strict=True):
            value = getattr(instance, name)
            if inner is None or value is None:
                row.append(int(value) if isinstance(value, IntEnum) else value)
            elif isinstance(value, tuple):
                row.append(tuple(inner.encode(item) for item in value))
            else:
                row.append(inner.encode(value))
        # Fields of a later version that say nothing are not written, so that what says nothing new has one form.
        while len(row) > self.required and row[-1] is None:
            row.pop()
        return tuple(row)
