"""What a feed may weigh: every bound that a stranger's file meets before it is parsed, with unit and reason.

What a single listing may hold is bounded by :mod:`hedgerow_protocol.limits`; these bound whole files.
"""

from typing import Final

FILE_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes. One file: the largest real feed (2,000 meetings) weighs 4 MB, and parsing needs about eight times as much."""

FILES_BYTES_MAX: Final = 128 * 1024 * 1024
"""Bytes. All the files of one call together."""

FILES_MAX: Final = 200
"""Files. One call: one calendar for each of a community's meetings, and room to spare."""

JSON_DEPTH_MAX: Final = 64
"""Levels. The deepest real feed (HSDS with everything in full) has 9; Python's own parser stops near 1,000."""

ROWS_MAX: Final = 40_000
"""Rows. One call: twice what one directory charter may list; more belongs into several sources."""

CELLS_MAX: Final = 200
"""Columns. One table or one object; the plain-language template has 37."""

CELL_CHARACTERS_MAX: Final = 64 * 1024
"""Characters. One cell of a table or one text of an object, before it is shortened to what a listing holds."""

NUMBER_DIGITS_MAX: Final = 400
"""Digits. One whole number in JSON; the parser refuses from 4,300, and no field needs more than 20."""

REPORTED_NAME_CHARACTERS_MAX: Final = 80
"""Characters. A file's or a row's name where a sentence of the report quotes it."""

JSON_CONTAINERS_MAX: Final = 1_500_000
"""Lists and objects. One JSON text: 40,000 rows with 30 lists each; an empty list costs 56 bytes for two of text."""

JSON_VALUES_MAX: Final = 4_000_000
"""Values. One JSON text, told by its commas (those in texts count too): 40,000 rows with 100 of them each."""
