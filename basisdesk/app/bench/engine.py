"""Frames a second from bytes to desk, beside typed msgspec decoding of the same bytes alone."""

import gc
from collections.abc import Sequence
from itertools import groupby

import msgspec

from basisdesk.app.bench.bare import decoder_for
from basisdesk.app.bench.source import LEGS, collect, is_message, pairs_of
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import COMMAND, Frame, SetValue
from basisdesk.venues import known_venues

FRAMES = 20_000
REPEATS = 5
BATCH = 256
COLLECT_S = 12.0
RATE = 80.0  # of the one pair: enough messages in a few seconds
VENUE_FRAMES = 10_000  # of ten pairs at the venue's own pace, so that its mix is its own
VENUE_COLLECT_S = 20.0


def measure_engine() -> dict[str, float]:
    """engine.frames_per_s, engine.bare_decode_per_s, engine.ratio (ours over bare), us a frame."""
    frames = collect(LEGS, RATE, COLLECT_S, FRAMES)
    bare, ours = _measure(frames, LEGS)
    return {
        "engine.frames_per_s": ours,
        "engine.bare_decode_per_s": bare,
        "engine.ratio": ours / bare,
        "engine.us_per_frame": 1e6 / ours,
    }


def measure_venues() -> dict[str, float]:
    """The same for ten pairs of each venue: venue.NAME.frames_per_s, bare_decode_per_s, ratio."""
    figures = {}
    for name in known_venues():
        pairs = pairs_of(name)
        legs = [key for pair in pairs for key in pair]
        bare, ours = _measure(collect(legs, 1.0, VENUE_COLLECT_S, VENUE_FRAMES), pairs[0])
        figures[f"venue.{name}.frames_per_s"] = ours
        figures[f"venue.{name}.bare_decode_per_s"] = bare
        figures[f"venue.{name}.ratio"] = ours / bare
    return figures


def _measure(frames: Sequence[Frame], shown: tuple[str, str]) -> tuple[float, float]:
    """(messages a second decoded and no more, messages a second through the engine)."""
    count = sum(map(is_message, frames))
    bare = min(_time_bare(frames) for _ in range(REPEATS))
    ours = min(_time_engine(frames, shown) for _ in range(REPEATS))
    return count / bare, count / ours


def _time_bare(frames: Sequence[Frame]) -> float:
    work = [(decoder_for(f.conn, f.payload), f.payload) for f in frames if is_message(f)]
    gc.collect()
    start_s = mono_s()
    for decode, payload in work:
        decode(payload)
    return mono_s() - start_s


def _time_engine(frames: Sequence[Frame], shown: tuple[str, str]) -> float:
    """Seconds for the messages of sockets; answers over HTTP and our own frames are not timed."""
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    show = msgspec.json.encode(SetValue("pair", " ".join(shown)))
    engine.advance([Frame(COMMAND, show, frames[0].t_ns)])
    took_s = 0.0
    for timed, run in groupby(frames, is_message):
        batch = list(run)
        gc.collect(0)
        for at in range(0, len(batch), BATCH):
            part = batch[at : at + BATCH]
            start_s = mono_s()
            engine.advance(part)
            took_s += (mono_s() - start_s) * timed
    return took_s
