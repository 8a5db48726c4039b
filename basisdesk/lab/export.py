"""A tape as a table: quotes, books, trades, funding or the basis of one pair, CSV or Parquet.

One walk of the engine over the tape. Rows tell what the desk would have known at that moment:
nothing is read ahead, and a price that was lost is empty until it is known again.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import msgspec

from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.errors import UserError
from basisdesk.events import COMMAND, ENTRY, BookUpdate, Frame, Quote, Ticker, Trade
from basisdesk.lab.tables import Column, Row, write_table
from basisdesk.lab.tape import TapeReader
from basisdesk.market.basis import PairMarket
from basisdesk.market.leg import Leg
from basisdesk.market.state import Market
from basisdesk.venues import Codec, MarketEvent, Venue, known_venues
from basisdesk.venues.instrument import split_key

What = Literal["quotes", "books", "trades", "funding", "basis"]

BOOK_LEVELS = 10
HOLE_STEPS = 600  # book samples put into one silence; after a longer one the grid starts anew
LEGS_SAID = 12  # legs of a tape named in a refusal

_T_RECV = Column("t_recv_ns", "int")
_T_VENUE = Column("t_venue_ms", "int")
_LEG = Column("instrument", "text")

COLUMNS: dict[str, tuple[Column, ...]] = {
    "quotes": (
        _T_RECV,
        _T_VENUE,
        _LEG,
        *(Column(name, "float") for name in ("bid", "bid_size", "ask", "ask_size")),
    ),
    "books": (
        _T_RECV,
        _LEG,
        Column("side", "text"),
        Column("level", "int"),
        Column("price", "float"),
        Column("size", "float"),
    ),
    "trades": (
        _T_RECV,
        _T_VENUE,
        _LEG,
        Column("price", "float"),
        Column("size", "float"),
        Column("taker_side", "text"),
    ),
    "funding": (
        _T_RECV,
        _LEG,
        Column("rate", "float"),
        Column("interval_h", "float"),
        Column("next_ms", "int"),
        Column("mark", "float"),
        Column("index", "float"),
    ),
    "basis": (
        _T_RECV,
        Column("long", "text"),
        Column("short", "text"),
        *(Column(name, "float") for name in ("mid_bp", "open_bp", "close_bp")),
        *(Column(name, "float") for name in ("age_long_ms", "age_short_ms")),
    ),
}


class ExportOptions(msgspec.Struct, frozen=True):
    """What to write. long, short, qty: of the basis (qty in base coin of the long leg; 0: touch).

    every_s: seconds between two samples of the books.
    """

    what: What
    out: Path
    long: str = ""
    short: str = ""
    qty: float = 0.0
    every_s: float = 1.0


class _Heard(NamedTuple):
    """One frame after the engine took it. next_ns: stamp of the frame that follows, or t_ns."""

    t_ns: int
    next_ns: int
    events: Sequence[MarketEvent]
    market: Market


def export(reader: TapeReader, settings: Settings, options: ExportOptions) -> int:
    """Write one table; gives its number of rows. Raises UserError, and then no file is left."""
    tell = _teller(options)
    ear = _Ear(known_venues())
    engine = Engine(settings, ear.venues, MemoryJournal(), reader.header.speed)
    rows = write_table(options.out, COLUMNS[options.what], tell(_walk(engine, ear, reader)))
    if not rows and options.what == "basis":
        options.out.unlink()
        raise UserError(_no_basis(engine.market, options))
    return rows


def _teller(options: ExportOptions) -> Callable[[Iterable[_Heard]], Iterator[Row]]:
    if options.what == "basis":
        if not options.long or not options.short:
            raise UserError("export --what basis needs --long LEG and --short LEG.")
        for key in (options.long, options.short):
            try:
                known = split_key(key)[0] in known_venues()
            except ValueError:
                known = False
            if not known:
                raise UserError(f"{key} is no leg. Write venue:spot|perp:SYMBOL.")
        if not (math.isfinite(options.qty) and options.qty >= 0.0):
            raise UserError("--qty must be a number of base coins, 0 for the touch.")
        return lambda heard: _basis(heard, options)
    if options.what == "books":
        if not 0.001 <= options.every_s <= 86_400:
            raise UserError("--every must lie between 0.001 and 86400 seconds.")
        return lambda heard: _books(heard, round(options.every_s * 1e9))
    return {"quotes": _quotes, "trades": _trades, "funding": _funding}[options.what]


# --- the walk -------------------------------------------------------------------------------------


class _Ear:
    """Sits between codecs and engine and keeps the events of the frame in hand."""

    def __init__(self, venues: Mapping[str, Venue]) -> None:
        self.events: Sequence[MarketEvent] = ()
        self.venues = {name: cast("Venue", _Overheard(v, self)) for name, v in venues.items()}


class _Overheard:
    """A venue whose codecs tell an ear."""

    def __init__(self, venue: Venue, ear: _Ear) -> None:
        self._venue = venue
        self._ear = ear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def codec(self, conn: str) -> Codec:
        codec = self._venue.codec(conn)
        return _Told(codec, self._ear)


class _Told:
    def __init__(self, codec: Codec, ear: _Ear) -> None:
        self._decode = codec.decode
        self._ear = ear

    def decode(self, payload: bytes) -> Sequence[MarketEvent]:
        events = self._ear.events = self._decode(payload)
        return events


def _walk(engine: Engine, ear: _Ear, frames: Iterable[Frame]) -> Iterator[_Heard]:
    """Each frame through the engine; what was traded in the session is left aside."""
    waiting: Frame | None = None
    for frame in frames:
        if frame.conn in (COMMAND, ENTRY):
            continue
        if waiting is not None:
            yield _take(engine, ear, waiting, frame.t_ns)
        waiting = frame
    if waiting is not None:
        yield _take(engine, ear, waiting, waiting.t_ns)


def _take(engine: Engine, ear: _Ear, frame: Frame, next_ns: int) -> _Heard:
    ear.events = ()
    engine.advance((frame,))
    return _Heard(engine.now_ns, next_ns, ear.events, engine.market)


# --- one row each ---------------------------------------------------------------------------------


def _quotes(heard: Iterable[_Heard]) -> Iterator[Row]:
    """Every top-of-book event; for a leg that has none, every change of its book's top."""
    topped: set[str] = set()
    last: dict[str, tuple[float, ...]] = {}
    for t_ns, _, events, market in heard:
        for event in events:
            if isinstance(event, Quote):
                topped.add(event.instrument)
                top = (event.bid, event.bid_size, event.ask, event.ask_size)
                yield t_ns, event.venue_ms, event.instrument, *top
            elif isinstance(event, BookUpdate) and event.instrument not in topped:
                top = market.leg(event.instrument).top()
                if not math.isnan(top[0] + top[2]) and top != last.get(event.instrument):
                    last[event.instrument] = top
                    yield t_ns, event.venue_ms, event.instrument, *top


def _trades(heard: Iterable[_Heard]) -> Iterator[Row]:
    for t_ns, _, events, _ in heard:
        for event in events:
            if isinstance(event, Trade):
                side = "buy" if event.taker_buy else "sell"
                yield t_ns, event.venue_ms, event.instrument, event.price, event.size, side


def _funding(heard: Iterable[_Heard]) -> Iterator[Row]:
    """Every ticker event, with what the venue said before and did not repeat."""
    for t_ns, _, events, market in heard:
        for event in events:
            if isinstance(event, Ticker):
                leg = market.leg(event.instrument)
                said = leg.funding
                figures = (said.rate, said.interval_h or math.nan, said.next_ms)
                yield t_ns, event.instrument, *figures, leg.mark, leg.index


def _books(heard: Iterable[_Heard], every_ns: int) -> Iterator[Row]:
    """Every valid depth book at each whole step of time, with all that came up to then."""
    due_ns = 0
    for t_ns, next_ns, _, market in heard:
        due_ns = due_ns or -(-t_ns // every_ns) * every_ns
        if due_ns >= next_ns:
            continue
        levels = _levels(market)
        until_ns = min(next_ns, due_ns + HOLE_STEPS * every_ns)
        for at_ns in range(due_ns, until_ns, every_ns):
            yield from ((at_ns, *row) for row in levels)
        due_ns = -(-next_ns // every_ns) * every_ns


def _levels(market: Market) -> list[Row]:
    return [
        (key, name, number, price, size)
        for key, leg in market.legs.items()
        if leg.depth > 1 and leg.book.valid
        for name, taker in (("bid", "sell"), ("ask", "buy"))
        for number, (price, size) in enumerate(leg.book.levels(taker, BOOK_LEVELS), 1)
    ]


def _basis(heard: Iterable[_Heard], options: ExportOptions) -> Iterator[Row]:
    """Every change of either leg's best bid or ask, once both were heard."""
    pair: PairMarket | None = None
    before: tuple[object, ...] = ()
    legs = (options.long, options.short)
    for t_ns, _, _, market in heard:
        if pair is None:
            pair = _pair(market, *legs)
        long, short = market.leg(options.long), market.leg(options.short)
        now = (_top(long), _top(short))
        if now == before:
            continue
        if before or (now[0] and now[1]):
            before = now
            ages = (_age(long, t_ns), _age(short, t_ns))
            yield t_ns, *legs, *_figures(pair, options), *ages


def _pair(market: Market, long: str, short: str) -> PairMarket:
    """The desk's own pair: the spot leg first, whichever side it is on."""
    reverse = split_key(long)[1] == "perp" and split_key(short)[1] == "spot"
    return market.pair(short, long) if reverse else market.pair(long, short)


def _figures(pair: PairMarket, options: ExportOptions) -> tuple[float, float, float]:
    """(mid, open, close) basis in bp of the spot (or the long) leg."""
    direction = 1 if pair.spot.key == options.long else -1
    spot, perp = pair.spot.mid, pair.perp.mid * pair.fx_ratio
    mid_bp = 1e4 * (perp - spot) / spot if spot > 0.0 else math.nan
    return mid_bp, *pair.exec_bp(direction, options.qty)


def _top(leg: Leg) -> tuple[float, ...] | None:
    return None if math.isnan(leg.mid) else leg.top()


def _age(leg: Leg, now_ns: int) -> float:
    age_ms = leg.age_ms(now_ns)
    return age_ms if math.isfinite(age_ms) else math.nan


def _no_basis(market: Market, options: ExportOptions) -> str:
    quoted = sorted(key for key, leg in market.legs.items() if leg.quote_ns)
    missing = [key for key in (options.long, options.short) if key not in quoted]
    there = ", ".join(quoted[:LEGS_SAID]) or "none"
    if not missing:
        return "The two legs never had a price at the same time on this tape."
    return f"No quote of {' or '.join(missing)} on this tape. It has quotes of: {there}."
