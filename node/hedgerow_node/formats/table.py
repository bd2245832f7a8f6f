"""Tables: CSV in any of its spellings, and the JSON that spreadsheets give out.

A table's first row that holds known headings names the columns, in any order; what stands above it (a title, a date) is
passed over.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from hedgerow_node.formats import bounds
from hedgerow_node.formats.meeting_guide_fields import field_name
from hedgerow_node.formats.report import FormatError, Tally

_DELIMITERS: Final = (",", ";", "\t", "|")
_HEADING_ROWS: Final = 10
"""Rows. How far down a heading is looked for."""

_HEADING_CHARACTERS: Final = 20_000
"""Characters. How much of a line is looked at in search of a heading."""

Row = dict[str, object]


def read_csv(name: str, text: str, tally: Tally) -> list[Row]:
    """The rows of a CSV text under their headings. Raises :class:`FormatError` when no heading is found."""
    text = text.lstrip("\ufeff")
    lines = [line[:_HEADING_CHARACTERS] for line in text.split("\n", _HEADING_ROWS)[:_HEADING_ROWS]]
    delimiter = max(_DELIMITERS, key=lambda mark: _known_headings(lines, mark))
    if _known_headings(lines, delimiter) < 2:
        raise FormatError(f"{name} is neither a known feed nor a table: its first rows name no known columns.")
    if delimiter != ",":
        tally.repair("table_other_separator")
    return under_headings(name, _cells(name, text, delimiter, tally), tally)


def _known_headings(lines: Sequence[str], delimiter: str) -> int:
    """The most known column names that one of the first lines holds with this separator."""
    known = [{field_name(cell.strip().strip('"')) for cell in line.split(delimiter)} - {None} for line in lines]
    return max(map(len, known), default=0)


def _cells(name: str, text: str, delimiter: str, tally: Tally) -> list[list[object]]:
    # Strict reading finds quotes that never close; the lenient one then keeps what can be kept.
    csv.field_size_limit(bounds.FILE_BYTES_MAX)
    for strict in (True, False):
        try:
            cells: list[list[object]] = []
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict):
                if any(row):  # millions of empty lines cost nothing
                    cells.append(list(row[: 2 * bounds.CELLS_MAX]))
                if len(cells) > bounds.ROWS_MAX + _HEADING_ROWS:
                    raise FormatError(f"{name} holds more than {bounds.ROWS_MAX} rows; divide it into several sources.")
            return cells
        except csv.Error:
            if strict:
                tally.repair("table_quotes")
    raise FormatError(f"{name} is not a table that can be read: a quotation mark or a line end stands where none may.")


def under_headings(name: str, cells: Sequence[Sequence[object]], tally: Tally) -> list[Row]:
    """Rows of cells as fields under the names of their columns. Raises :class:`FormatError`."""
    at = _heading(cells)
    if at is None:
        raise FormatError(f"{name} is a table whose first rows name no known columns, such as Name, Day and Time.")
    if at:
        tally.repair("table_lines_above_heading", at)
    columns = _columns(cells[at])
    rows: list[Row] = []
    for row in cells[at + 1 :]:
        if not any(_said(cell) for cell in row):
            continue
        fields: Row = {
            column: cell for column, cell in zip(columns, row, strict=False) if column and (_said(cell) or cell == 0)
        }
        beyond = [str(cell) for cell in row[len(columns) :] if _said(cell)]
        if beyond:
            tally.repair("cells_beyond_heading", len(beyond))
            fields["further_cells"] = "\n".join(beyond[: bounds.CELLS_MAX])
        rows.append(fields)
    return rows


def _said(cell: object) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _heading(cells: Sequence[Sequence[object]]) -> int | None:
    best, most = None, 1
    for index, row in enumerate(cells[:_HEADING_ROWS]):
        known = len({field_name(cell) for cell in row if isinstance(cell, str)} - {None})
        if known > most:
            best, most = index, known
    return best


def _columns(heading: Sequence[object]) -> list[str]:
    """A field's name for each column; the sheet template's "ID" is the slug where no column is called so."""
    names = [str(cell or "").strip() for cell in heading[: bounds.CELLS_MAX]]
    has_slug = any(field_name(name) == "slug" for name in names)
    columns: list[str] = []
    for index, name in enumerate(names):
        column = "slug" if name == "ID" and not has_slug else (field_name(name) or name)
        if column in columns:
            column = f"{name} {index + 1}"
        columns.append(column)
    return columns


def read_sheet(name: str, value: dict[str, object], tally: Tally) -> list[Row] | None:
    """The rows of a spreadsheet's JSON (three shapes of Google's), or ``None`` when it is none of them."""
    values = value.get("values")
    if isinstance(values, list) and all(isinstance(row, list) for row in values):
        if value.get("majorDimension") == "COLUMNS":
            height = max((len(column) for column in values), default=0)
            values = [[column[row] if row < len(column) else "" for column in values] for row in range(height)]
        return under_headings(name, values, tally)
    table = value.get("table")
    if isinstance(table, dict) and isinstance(table.get("rows"), list):
        return under_headings(name, _visualization(table), tally)
    feed = value.get("feed")
    if isinstance(feed, dict) and isinstance(feed.get("entry"), list):
        return [_entry(entry) for entry in feed["entry"] if isinstance(entry, dict)]
    return None


def _visualization(table: dict[str, object]) -> list[list[object]]:
    listed = table.get("cols")
    columns = listed if isinstance(listed, list) else []
    heading: list[object] = [column.get("label") if isinstance(column, dict) else "" for column in columns]
    rows: list[list[object]] = [heading]
    listed = table.get("rows")
    for row in listed if isinstance(listed, list) else []:
        cells = row.get("c") if isinstance(row, dict) else None
        rows.append([_visualization_cell(cell) for cell in (cells if isinstance(cells, list) else [])])
    return rows


def _visualization_cell(cell: object) -> object:
    if not isinstance(cell, dict):
        return ""
    value, formatted = cell.get("v"), cell.get("f")
    # Dates and times of day are program text or lists in "v"; people read "f".
    if isinstance(formatted, str) and (
        isinstance(value, list) or (isinstance(value, str) and value.startswith("Date("))
    ):
        return formatted
    return value


def _entry(entry: dict[str, object]) -> Row:
    row: Row = {}
    for key, held in entry.items():
        if key.startswith("gsx$"):
            row[key] = held.get("$t") if isinstance(held, dict) else held
    return row
