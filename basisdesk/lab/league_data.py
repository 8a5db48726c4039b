"""Data of the league as an engine hears them: bars in a venue's dialect, or a tape."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from basisdesk.config import OWN, Fees, Settings
from basisdesk.events import COMMAND, ENTRY, Frame
from basisdesk.lab.halted import halted_rows
from basisdesk.lab.league_views import LOOK_S
from basisdesk.lab.rule import Costs, Size
from basisdesk.lab.series import Ints, PairSeries
from basisdesk.lab.series_frames import legs_of, opening_frames, row_frames, series_settings
from basisdesk.lab.shown import shown
from basisdesk.lab.tape import TapeReader
from basisdesk.venues.bybit import LINEAR, REST, SPOT
from basisdesk.venues.instrument import split_key

NS = 1_000_000_000
HEARD_NS = 120_000_000  # after a bar: all its quotes are in, and the market beats once more
FRESH_MS = 5_000  # quotes of the bar before are not traded on
ROWS_KEPT = 60_000  # rows whose frames are kept from one walk to the next
PUBLISHED_MAX = 4  # settlements told at once
NEXT_NS_MAX = 25 * 3_600 * NS  # a settlement farther ahead is not announced
LEVERAGE = 5.0

Row = tuple[int, list[Frame]]


class Field(NamedTuple):
    """One pair's data under one set of costs, ready to be walked again and again.

    rows: (look, frames up to it). bars: a look is a bar, and what is held is closed at the last.
    """

    name: str
    legs: tuple[str, str]
    settings: Settings
    start_ns: int
    speed: float
    opening: list[Frame]
    rows: Callable[[], Iterable[Row]]
    bars: bool


class Told:
    """A series told bar by bar as frames, again for each walk; fees are no part of it."""

    def __init__(self, series: PairSeries, capital: float) -> None:
        self.series = series
        whole = series._replace(halted=None)
        self.view = shown(whole, Costs(), Size(capital=capital, notional=capital / 2.0))
        self.legs = legs_of(series)
        self.silent = halted_rows(series)[self.view.rows]  # heard without spot: marks go on
        few = len(self.view.t_ns) <= ROWS_KEPT
        self._kept = list(self._rows()) if few else None

    def rows(self) -> Iterable[Row]:
        """(look, frames up to it)."""
        return self._kept if self._kept is not None else self._rows()

    def _rows(self) -> Iterator[Row]:
        view, legs = self.view, self.legs
        told = row_frames(legs, view, self.series.terms.interval_h)
        coming = _Coming(self.series, legs.symbol)
        rows = zip(view.t_ns.tolist(), self.silent.tolist(), told, strict=True)
        for t_ns, silent, frames in rows:
            heard = [f for f in frames if not (silent and f.conn == SPOT)]
            yield t_ns + HEARD_NS, [*coming.before(heard, t_ns), *coming.after(t_ns)]


def bars_field(told: Told, costs: Costs, capital: float) -> Field:
    """A series, as the engine of the backtest hears it, and the coming settlement with it.

    Between two settlements the rate that was settled last stands for the indicative one: what a
    venue says in between is in no archive, and the coming rate must not be known.
    """
    view, legs, series = told.view, told.legs, told.series
    size = Size(capital=capital, notional=capital / 2.0)
    settings = series_settings(costs, size, LEVERAGE)
    risk = msgspec.structs.replace(
        settings.risk, quote_age_ms_max=FRESH_MS, leg_skew_ms_max=FRESH_MS
    )
    return Field(
        name=series.name,
        legs=(legs.spot, legs.perp),
        settings=msgspec.structs.replace(settings, risk=risk),
        start_ns=int(view.t_ns[0]),
        speed=1.0,
        opening=opening_frames(legs, view, costs, series.terms.interval_h),
        rows=told.rows,
        bars=True,
    )


class _Coming:
    """Says after each row what the last settlement was and when the next one is.

    A settlement that passed is published too, as the venue's history tells it.
    """

    def __init__(self, series: PairSeries, symbol: str) -> None:
        self._stamps: list[int] = [round(t / 60e9) * 60_000 for t in series.settled.t_ns.tolist()]
        self._rates: list[float] = series.settled.rate.tolist()
        self._hours: list[float] = series.settled.interval_h.tolist()
        self._symbol = symbol
        self._at = 0

    def before(self, frames: list[Frame], t_ns: int) -> list[Frame]:
        """A bar's frames, with what is known of funding in its ticker unless a stamp is in it."""
        first = frames[0] if frames else None
        due = self._at < len(self._stamps) and self._stamps[self._at] <= t_ns // 1_000_000
        if due or first is None or not self._at or b'"markPrice"' not in first.payload:
            return frames
        said = f'"data":{{{self._said(t_ns // 1_000_000)},'.encode()
        told = first.payload.replace(b'"data":{', said, 1)
        return [Frame(first.conn, told, first.t_ns), *frames[1:]]

    def after(self, t_ns: int) -> list[Frame]:
        """Where a settlement has passed: what the venue publishes, and the next one's stamp."""
        ms, stamps, before = t_ns // 1_000_000, self._stamps, self._at
        while self._at < len(stamps) and stamps[self._at] <= ms:
            self._at += 1
        if self._at == before:
            return []
        said = f'"symbol":"{self._symbol}",{self._said(ms)}'
        payload = f'{{"topic":"tickers.{self._symbol}","type":"delta","ts":{ms},"data":{{{said}}}}}'
        return [self._published(before, t_ns), Frame(LINEAR, payload.encode(), t_ns)]

    def _said(self, ms: int) -> str:
        said = f'"fundingRate":"{self._rates[self._at - 1]!r}"'
        coming = self._stamps[self._at] if self._at < len(self._stamps) else 0
        if 0 < coming - ms <= NEXT_NS_MAX // 1_000_000:
            hours = self._hours[self._at]
            said += f',"nextFundingTime":"{coming}","fundingIntervalHour":"{hours:g}"'
        return said

    def _published(self, first: int, t_ns: int) -> Frame:
        """Settlements from this one on that have passed; of the time before data only the last."""
        first = max(first, self._at - PUBLISHED_MAX)
        rows = [
            {
                "symbol": self._symbol,
                "fundingRate": repr(self._rates[at]),
                "fundingRateTimestamp": str(self._stamps[at]),
            }
            for at in range(first, self._at)
        ]
        body = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}}
        path = f"/v5/market/funding/history?category=linear&symbol={self._symbol}&limit=200"
        said = {"path": path, "data": msgspec.json.encode(body).decode()}
        return Frame(REST, msgspec.json.encode(said), t_ns)


def tape_field(
    reader: TapeReader, legs: tuple[str, str], costs: Costs, capital: float, settings: Settings
) -> Field:
    """A tape as it is, without its commands and accounts, with these fees for both venues."""
    venues = {split_key(key)[0] for key in legs}
    fees = {
        venue: Fees(
            spot_taker=costs.spot_taker,
            perp_taker=costs.perp_taker,
            spot_buy_fee_in="quote",
            source=OWN,
        )
        for venue in venues
    }
    charged = msgspec.structs.replace(
        settings,
        account=msgspec.structs.replace(settings.account, start=capital),
        fees={**settings.fees, **fees},
    )
    return Field(
        name=" ".join(legs),
        legs=legs,
        settings=charged,
        start_ns=reader.header.created_ns if reader.header.source != "import" else 0,
        speed=reader.header.speed,
        opening=[],
        rows=lambda: _looks(reader),
        bars=False,
    )


def _looks(frames: Iterable[Frame]) -> Iterator[Row]:
    """Frames by the second, a beat behind each."""
    batch: list[Frame] = []
    due_ns = 0
    for frame in frames:
        if frame.conn in (COMMAND, ENTRY):
            continue
        if not due_ns:
            due_ns = frame.t_ns + round(LOOK_S * NS)
        if frame.t_ns > due_ns:
            yield due_ns, batch
            batch = []
            late = (frame.t_ns - due_ns - 1) // round(LOOK_S * NS)  # a pause is no time to look
            due_ns += (late + 1) * round(LOOK_S * NS)
        batch.append(frame)
    if batch:
        yield due_ns, batch


def edges_of(first_ns: int, last_ns: int) -> tuple[Ints, int]:
    """(edges, their step, ns): midnights UTC, or full hours or minutes in shorter data."""
    span = last_ns - first_ns
    for step in (86_400 * NS, 3_600 * NS, 60 * NS):
        if span >= 60 * step:
            break
    edges = np.arange(first_ns // step, last_ns // step + 2, dtype=np.int64) * step
    return edges, step
