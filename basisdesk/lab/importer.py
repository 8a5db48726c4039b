"""Recordings of other collectors to tapes.

`import_files` merges the files by receive time, equal times in the order the files were given,
adds a heartbeat for each second without frames, and writes the tape. What a line of each format
means stands in collectors.py.
"""

import heapq
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from basisdesk.errors import UserError
from basisdesk.events import BEAT, Frame
from basisdesk.lab.collectors import (
    SECOND_NS,
    Plan,
    Reader,
    cryptofeed_conns,
    read_cryptofeed,
    read_hftbacktest,
    read_raw_jsonl,
)
from basisdesk.lab.recordings import Source, Tally, expand, parse_source
from basisdesk.lab.tape import TapeHeader, TapeWriter

__all__ = ["FORMATS", "ImportReport", "Source", "import_files", "parse_source"]

GAP_BEATS_MAX = 7 * 86_400  # heartbeats put into one silence; a longer one is cut, and said
TAPE_BYTES_MAX = 1 << 40


class _Format(NamedTuple):
    """How a format is read, and the names of its files in a folder."""

    read: Reader
    suffixes: tuple[str, ...]


_FORMATS = {
    "raw-jsonl": _Format(read_raw_jsonl, (".jsonl",)),
    "cryptofeed": _Format(read_cryptofeed, (".jsonl", ".txt")),
    "hftbacktest": _Format(read_hftbacktest, (".dat", ".txt", "")),
}
FORMATS = tuple(_FORMATS)  # cli.IMPORT_FORMATS repeats the names, to start without this import


class ImportReport(NamedTuple):
    """What an import made. beats: added seconds; skipped, broken, restamped, first: see Tally."""

    frames: int
    beats: int
    skipped: int
    first_ns: int
    last_ns: int
    broken: int = 0
    restamped: int = 0
    first_broken: str = ""


def import_files(
    sources: Iterable[Source], form: str, out: Path, header: TapeHeader
) -> ImportReport:
    """Merge recordings by receive time into one tape. `form`: one of FORMATS.

    Raises UserError with one sentence; then no tape is left behind.
    """
    read, suffixes = _FORMATS[form]
    files = expand(sources, suffixes)
    if out.exists():
        raise UserError(f"{out} exists already. Choose another name with --out.")
    tally = Tally()
    plan = Plan(cryptofeed_conns(files) if form == "cryptofeed" else {}, tally)
    part = out.with_name(out.name + ".part")
    try:
        with TapeWriter(part, header, TAPE_BYTES_MAX) as tape:
            ordered = [read(source, plan) for source in files]
            beats, first_ns, last_ns = _merge(ordered, tape)
        if tape.state:
            raise UserError(tape.state)
        frames = tape.frames - beats
        if not frames and tally.broken:
            raise UserError(f"Nothing could be read as {form}. {tally.first}.")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return ImportReport(
        frames, beats, tally.skipped, first_ns, last_ns, tally.broken, tally.restamped, tally.first
    )


def _merge(ordered: Sequence[Iterable[Frame]], tape: TapeWriter) -> tuple[int, int, int]:
    """Put all frames on the tape; gives (heartbeats added, first stamp, last stamp)."""
    beats = first_ns = last_ns = 0
    for frame in heapq.merge(*ordered, key=attrgetter("t_ns")):
        if not first_ns:
            first_ns = last_ns = frame.t_ns
        for beat_ns in _silence(last_ns, frame.t_ns):
            tape.put(Frame(BEAT, b"", beat_ns))
            beats += 1
        tape.put(frame)
        last_ns = frame.t_ns
    return beats, first_ns, last_ns


def _silence(last_ns: int, next_ns: int) -> range:
    """Stamps of the heartbeats between two frames: one for each whole second without any."""
    end = min(next_ns, last_ns + GAP_BEATS_MAX * SECOND_NS)
    return range(last_ns + SECOND_NS, end, SECOND_NS)
