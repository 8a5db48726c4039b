"""Frames a second from bytes to desk, beside typed msgspec decoding of the same bytes alone."""

import gc
from collections.abc import Callable, Sequence

import msgspec

from basisdesk.app.bench.source import LEGS, collect
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import COMMAND, Frame, SetValue
from basisdesk.venues import known_venues

FRAMES = 20_000
REPEATS = 5
BATCH = 256

Level = tuple[float, float]


class _BookData(msgspec.Struct):
    s: str
    b: list[Level]
    a: list[Level]
    u: int


class _Book(msgspec.Struct):
    topic: str
    type: str
    ts: int
    data: _BookData


class _TickerData(msgspec.Struct):
    symbol: str
    markPrice: float | None = None
    indexPrice: float | None = None
    fundingRate: float | None = None
    nextFundingTime: int | None = None
    openInterest: float | None = None


class _Ticker(msgspec.Struct):
    topic: str
    type: str
    ts: int
    data: _TickerData


class _TradeRow(msgspec.Struct):
    T: int
    s: str
    S: str
    v: float
    p: float


class _Trades(msgspec.Struct):
    topic: str
    ts: int
    data: list[_TradeRow]


def _typed(payload: bytes) -> Callable[[bytes], object]:
    """The typed decoder a program would choose for this message, chosen before the clock runs."""
    if b'"topic":"orderbook' in payload[:40]:
        return _DECODERS["book"]
    if b'"topic":"tickers' in payload[:40]:
        return _DECODERS["ticker"]
    if b'"topic":"publicTrade' in payload[:40]:
        return _DECODERS["trades"]
    return _DECODERS["other"]


_DECODERS: dict[str, Callable[[bytes], object]] = {
    "book": msgspec.json.Decoder(_Book, strict=False).decode,
    "ticker": msgspec.json.Decoder(_Ticker, strict=False).decode,
    "trades": msgspec.json.Decoder(_Trades, strict=False).decode,
    "other": msgspec.json.Decoder().decode,
}


def measure_engine() -> dict[str, float]:
    """engine.frames_per_s, engine.bare_decode_per_s, engine.ratio (ours over bare), us a frame."""
    frames = collect(FRAMES)
    bare = min(_time_bare(frames) for _ in range(REPEATS))
    ours = min(_time_engine(frames) for _ in range(REPEATS))
    return {
        "engine.frames_per_s": len(frames) / ours,
        "engine.bare_decode_per_s": len(frames) / bare,
        "engine.ratio": bare / ours,
        "engine.us_per_frame": ours / len(frames) * 1e6,
    }


def _time_bare(frames: Sequence[Frame]) -> float:
    work = [(_typed(frame.payload), frame.payload) for frame in frames]
    gc.collect()
    start_s = mono_s()
    for decode, payload in work:
        decode(payload)
    return mono_s() - start_s


def _time_engine(frames: Sequence[Frame]) -> float:
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    show = msgspec.json.encode(SetValue("pair", " ".join(LEGS)))
    engine.advance([Frame(COMMAND, show, frames[0].t_ns)])
    batches = [frames[at : at + BATCH] for at in range(0, len(frames), BATCH)]
    gc.collect()
    start_s = mono_s()
    for batch in batches:
        engine.advance(batch)
    return mono_s() - start_s
