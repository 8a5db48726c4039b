"""A tape as one pair of quotes: what the desk would have known of two legs, moment by moment.

One walk of the engine over the tape, as `basisdesk export` does. A row is a moment at which either
leg's best bid or ask changed while both were known; where a leg was lost there is no row, and the
time is said in the coverage.
"""

import math
from array import array
from collections.abc import Iterable

import numpy as np

from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.errors import UserError
from basisdesk.events import COMMAND, ENTRY, Frame
from basisdesk.lab.series import Coverage, Floats, Ints, PairSeries, Settlements, Terms
from basisdesk.lab.tape import TapeReader
from basisdesk.lab.venue_terms import base_of, cap_of, terms_by, terms_of
from basisdesk.market.leg import Leg
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_key

NS = 1_000_000_000
ROWS_MAX = 50_000_000
LEGS_SAID = 12
_PRICES = ("spot_bid", "spot_ask", "perp_bid", "perp_ask", "mark")


def tape_series(
    reader: TapeReader, long: str, short: str, settings: Settings | None = None
) -> PairSeries:
    """Two legs of a tape. long, short: keys `venue:spot|perp:SYMBOL`; one must be a perpetual.

    The spot leg comes first whichever side it is on; of two perpetuals the long one does. Raises
    UserError where a leg is not on the tape.
    """
    spot, perp = _legs(long, short)
    engine = Engine(settings or Settings(), known_venues(), MemoryJournal(), reader.header.speed)
    rows = _Rows(engine.market.leg(spot), engine.market.leg(perp))
    for frame in _market_frames(reader):
        engine.advance((frame,))
        rows.look(engine.now_ns)
    if not len(rows.t_ns):
        raise UserError(_nothing(engine, spot, perp))
    columns = {name: np.frombuffer(cells, dtype=np.float64) for name, cells in rows.cells.items()}
    t_ns = np.frombuffer(rows.t_ns, dtype=np.int64)
    mid = (columns["perp_bid"] + columns["perp_ask"]) / 2.0
    unmarked = np.isnan(columns["mark"])
    columns["mark"] = np.where(unmarked, mid, columns["mark"])
    return PairSeries(
        name=f"{spot} / {perp}",
        spot=spot,
        perp=perp,
        kind="quotes",
        step_s=0.0,
        t_ns=t_ns,
        settled=rows.settlements(),
        terms=_terms(engine.market.leg(perp)),
        coverage=_coverage(reader, rows, t_ns, int(unmarked.sum())),
        spot_bid=columns["spot_bid"],
        spot_ask=columns["spot_ask"],
        perp_bid=columns["perp_bid"],
        perp_ask=columns["perp_ask"],
        mark=columns["mark"],
    )


class _Rows:
    """The rows so far, and the settlements that passed. together: moments replaced by a later."""

    def __init__(self, spot: Leg, perp: Leg) -> None:
        self.spot, self.perp = spot, perp
        self.t_ns = array("q")
        self.cells = {name: array("d") for name in _PRICES}
        self.together = self.lost = 0
        self._before: tuple[float, ...] = ()
        self._whole = False
        self._due: tuple[int, float, float] = (0, math.nan, math.nan)
        self._settled: dict[int, tuple[float, float]] = {}

    def look(self, now_ns: int) -> None:
        self._funding(now_ns // 1_000_000)
        spot, perp = self.spot, self.perp
        now = (spot.bid, spot.ask, perp.bid, perp.ask)
        if now == self._before:
            return
        self._before = now
        if any(map(math.isnan, now)):
            self.lost += self._whole
            self._whole = False
            return
        self._whole = True
        if self.t_ns and self.t_ns[-1] == now_ns:  # one row a moment: what stood at its end
            self.together += 1
            for name, value in zip(_PRICES, (*now, perp.mark), strict=True):
                self.cells[name][-1] = value
            return
        if len(self.t_ns) >= ROWS_MAX:
            raise UserError(f"The tape has over {ROWS_MAX:,} changes of these legs. Split it.")
        self.t_ns.append(now_ns)
        for name, value in zip(_PRICES, (*now, perp.mark), strict=True):
            self.cells[name].append(value)

    def settlements(self) -> Settlements:
        """What settled on the tape: as published where the venue did, else the last rate heard."""
        clock = self.perp.funding
        for stamp, rate in clock.settled:
            if stamp in self._settled:
                self._settled[stamp] = (rate, self._settled[stamp][1])
        stamps = sorted(self._settled)
        return Settlements(
            np.array(stamps, dtype=np.int64) * 1_000_000,
            np.array([self._settled[s][0] for s in stamps], dtype=np.float64),
            np.array([self._settled[s][1] for s in stamps], dtype=np.float64),
            np.array([clock.interval_at(s) or 8.0 for s in stamps], dtype=np.float64),
        )

    def _funding(self, now_ms: int) -> None:
        stamp, rate, mark = self._due
        if 0 < stamp <= now_ms and math.isfinite(rate):
            self._settled.setdefault(stamp, (rate, mark))
        clock = self.perp.funding
        self._due = (clock.next_ms, clock.rate, clock.mark)


def _market_frames(frames: Iterable[Frame]) -> Iterable[Frame]:
    return (frame for frame in frames if frame.conn not in (COMMAND, ENTRY))


def _legs(long: str, short: str) -> tuple[str, str]:
    for option, key in (("--long", long), ("--short", short)):
        try:
            known = split_key(key)[0] in known_venues()
        except ValueError:
            known = False
        if not known:
            raise UserError(f"{option} {key or 'is missing'}: write venue:spot|perp:SYMBOL.")
    spot, perp = (short, long) if split_key(short)[1] == "spot" else (long, short)
    if split_key(perp)[1] != "perp" or spot == perp:
        raise UserError(f"{long} and {short} are no pair: one must be another perpetual.")
    return spot, perp


def _terms(perp: Leg) -> Terms:
    venue, _, symbol = split_key(perp.key)
    clock, base = perp.funding, base_of(symbol)
    hours = clock.interval_h or 8.0
    if perp.instrument is not None:
        return terms_by(perp.instrument.funding, hours, clock.cap or cap_of(base))
    usual = terms_of(venue, base, hours)
    return usual._replace(cap=clock.cap or usual.cap)


def _coverage(reader: TapeReader, rows: _Rows, t_ns: Ints, unmarked: int) -> Coverage:
    left_out = {}
    if rows.together:
        left_out["changes at the same moment as a later one"] = rows.together
    notes = [f"a leg was without a price {rows.lost} times"] if rows.lost else []
    notes += [f"mark is the perpetual's mid in {unmarked} rows without one"] if unmarked else []
    notes += [f"the tape's last {reader.lost_bytes} bytes are lost"] if reader.lost_bytes else []
    longest: Floats = np.diff(t_ns).astype(np.float64)
    gap_s = float(longest.max(initial=0.0)) / NS
    return Coverage(len(t_ns), left_out, 0, gap_s, (str(reader.path),), tuple(notes))


def _nothing(engine: Engine, spot: str, perp: str) -> str:
    quoted = sorted(key for key, leg in engine.market.legs.items() if leg.quote_ns)
    missing = [key for key in (spot, perp) if key not in quoted]
    have = ", ".join(quoted[:LEGS_SAID]) or "none"
    if not missing:
        return "The two legs never had a price at the same time on this tape."
    return f"No quote of {' or '.join(missing)} on this tape. It has quotes of: {have}."
