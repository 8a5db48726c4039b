"""Checked lines: how the forecast's dumps and samples stand in a file.

A line is eight hexadecimal digits of CRC-32, a space and JSON. A dump is many of them, each a small
piece with its place: encoding all of it in one call held the window up for 85 ms at 24 pairs and
215 ms at 60 (measured here), for the interpreter runs nothing else meanwhile. Between two lines it
does.

    {"at": ["forecaster", "pairs", "a b", "labels", "queue"], "is": [...]}    set this
    {"at": [...], "more": [...]}                                              these rows behind it
    {"end": 1234}                                                             so many lines before

A dump of one line is of an older program, and is read as well.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

DEPTH = 5  # of places, down to what is remembered of one pair
ROWS = 64  # of a list in one line
FILE_BYTES_MAX = 256_000_000


class Damaged(ValueError):
    """A line is not as it was written."""

    def __init__(self) -> None:
        super().__init__("it is damaged")


def line(row: Any) -> bytes:
    """A row as it stands in the file."""
    body = msgspec.json.encode(row)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file. A line that was torn at its end, by a sudden end, is not one.

    Raises:
        Damaged: at the first line that is not as it was written and has others behind it.
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    if path.stat().st_size > FILE_BYTES_MAX:
        raise ValueError("it is too large")
    with path.open("rb") as file:
        for text in file:
            said, _, body = text.partition(b" ")
            if not body.endswith(b"\n") or said != b"%08x" % zlib.crc32(body[:-1]):
                if file.read(1):
                    raise Damaged
                return
            yield msgspec.json.decode(body, type=dict[str, Any])


def lines_of(kept: dict[str, Any]) -> Iterator[bytes]:
    """A dump, which is not empty, in pieces."""
    n = 0
    for piece in _pieces([], kept):
        n += 1
        yield line(piece)
    yield line({"end": n})


def dump_of(path: Path) -> dict[str, Any]:
    """The dump of a file, whole. Raises OSError or ValueError where it is not."""
    found = list(rows(path))
    if len(found) == 1 and "at" not in found[0] and "end" not in found[0]:
        return found[0]
    if not found or found[-1].get("end") != len(found) - 1:
        raise Damaged
    return _joined(found[:-1])


def _pieces(at: list[str], value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value and len(at) < DEPTH:
        for name, part in value.items():
            yield from _pieces([*at, str(name)], part)
    elif isinstance(value, list) and len(value) > ROWS:
        yield {"at": at, "is": value[:ROWS]}
        for i in range(ROWS, len(value), ROWS):
            yield {"at": at, "more": value[i : i + ROWS]}
    else:
        yield {"at": at, "is": value}


def _joined(pieces: Iterable[dict[str, Any]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for piece in pieces:
        *path, name = piece["at"]
        there = kept
        for each in path:
            there = there.setdefault(each, {})
        if "more" in piece:
            there[name] += piece["more"]
        else:
            there[name] = piece["is"]
    return kept
