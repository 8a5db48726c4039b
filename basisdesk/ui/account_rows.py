"""The account in figures, its curves, and what its closed pairs earned. Pure, no Qt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from basisdesk.engine import Engine
from basisdesk.events import Result
from basisdesk.trading.exposure import exposure
from basisdesk.trading.holding import CapitalReturn, capital_return
from basisdesk.trading.win_rate import WinRate, win_rate
from basisdesk.ui.facts import Fact
from basisdesk.ui.figures import NOTHING, gain_text, number_text, sign_text
from basisdesk.ui.glossary import term
from basisdesk.ui.position_figures import meaning_of, sign_of
from basisdesk.ui.times import clock_text, date_text, held_text, zone_text
from basisdesk.valuing import CurvePoint, HeldPoint

ZERO = Decimal(0)
NAN = math.nan
HOUR_NS = 3_600_000_000_000
SECONDS_S = 1_200.0  # a shorter curve has seconds on its axis
JOINED_S = 90.0  # points further apart are not of one line: nothing is known between them


@dataclass(frozen=True, slots=True)
class Money:
    """The account at one moment, exact; account currency."""

    equity: Decimal
    free: Decimal
    margin: Decimal
    collateral: Decimal
    gross: Decimal
    unhedged: Decimal
    start: Decimal
    day_start: Decimal | None
    day_ns: int
    peak: Decimal | None
    began_ns: int
    now_ns: int

    @property
    def today(self) -> Decimal | None:
        """Change of equity since the day's start; None while that is not known."""
        return None if self.day_start is None else self.equity - self.day_start

    @property
    def drawdown_pct(self) -> float:
        """How far equity is below its peak, percent."""
        if self.peak is None or self.peak <= 0:
            return NAN
        return max(0.0, float((self.peak - self.equity) / self.peak * 100))

    @property
    def hours(self) -> float:
        """Since the account began."""
        return (self.now_ns - self.began_ns) / HOUR_NS if self.began_ns else 0.0


def money_now(engine: Engine, curve: Sequence[CurvePoint]) -> Money:
    """The account as the engine has it now. curve: its points, oldest first."""
    funds = engine.funds()
    lots = engine.books.open_pairs.values()
    margin = sum((pair.margin for pair in lots), ZERO)
    collateral = sum((pair.collateral for pair in lots), ZERO)
    at = exposure(engine.open_pairs(), engine.market, engine.books.currency, engine.now_ns)
    marks = engine.desk.watch.marks
    peak = marks.peak
    if peak is not None:
        peak = max(peak, funds.equity)
    day_ns = engine.now_ns - engine.now_ns % (24 * HOUR_NS)
    return Money(
        equity=funds.equity,
        free=funds.free,
        margin=margin,
        collateral=collateral,
        gross=at.gross,
        unhedged=at.unhedged,
        start=engine.books.start,
        day_start=marks.day_start,
        day_ns=day_ns,
        peak=peak,
        began_ns=curve[0].t_ns if curve else 0,
        now_ns=engine.now_ns,
    )


def account_facts(money: Money, currency: str, reserve: float, utc: bool) -> tuple[Fact, ...]:
    """Every figure of the account with its unit, in reading order."""
    back = capital_return(money.equity - money.start, money.start, money.start, money.hours)
    today, down = money.today, money.drawdown_pct
    zone = zone_text(True)
    tied = money.equity - money.free
    return (
        Fact("Equity", _in(money.equity, currency), "",
             "Cash and everything held at mids: 10,014.49 USDT.", "equity"),
        Fact("Free cash", _in(money.free, currency), "",
             f"Not tied up. {number_text(reserve * 100, 0)} % of equity stays idle: entries leave "
             f"{_in(money.equity * Decimal(repr(reserve)), currency)} of it.", "cash"),
        Fact("Tied up", _in(tied, currency), "", "Equity less free cash: coins held, margin, "
             "collateral and what perpetuals have earned."),
        Fact("Margin", _in(money.margin, currency), "",
             "Isolated margin of all perpetuals: 1,820.00 USDT."),
        Fact("Collateral", _in(money.collateral, currency), "",
             "Secures borrowed coins: 0.00 USDT without a short spot leg."),
        Fact("Gross exposure", _in(money.gross, currency), "",
             "Notional of all legs held, long and short, at mids: 18,900.00 USDT."),
        Fact("Unhedged exposure", _in(money.unhedged, currency),
             "warn" if money.unhedged else "", "Notional that no other leg cancels: 0.00 USDT."),
        Fact("Today", NOTHING if today is None else f"{gain_text(today, 2)} {currency}",
             "" if today is None else meaning_of(sign_of(today)),
             f"Since 00:00 {zone} of {date_text(money.day_ns, True)[:10]}, or since what a resume "
             "counts from."),
        Fact("Drawdown", NOTHING if math.isnan(down) else f"{number_text(down, 2)} %", "",
             term("Drawdown") if money.peak is None else
             f"Below the peak of {_in(money.peak, currency)}."),
        Fact("Return, all capital", return_text(back), meaning_of(sign_of(back.equity_pct)),
             return_tip(back, money, currency, utc)),
    )  # fmt: skip


def return_text(back: CapitalReturn) -> str:
    """The return on the starting cash, idle included; a year's only from 24 h on."""
    if math.isnan(back.equity_pct):
        return NOTHING
    said = f"{gain_text(back.equity_pct, 2)} %"
    return said if back.year_pct is None else f"{said} \u00b7 {sign_text(back.year_pct, 1)} %/y"


def return_tip(back: CapitalReturn, money: Money, currency: str, utc: bool) -> str:
    """What the return is measured on, and since when."""
    said = (
        f"{sign_text(money.equity - money.start, 2)} {currency} on all of "
        f"{number_text(money.start, 2)} {currency} that were deposited, idle cash included"
    )
    if money.began_ns:
        said += f", since {date_text(money.began_ns, utc)} {zone_text(utc, money.began_ns)}"
    year = (
        " A year is told from 24 h on; so far it would mislead."
        if back.year_pct is None
        else " Per year: simple, not compounded."
    )
    return f"{said}.{year}"


def _in(value: Decimal, currency: str) -> str:
    return f"{number_text(value, 2)} {currency}"


# --- curves ---------------------------------------------------------------------------------------


Point = tuple[float, float]  # seconds, value


@dataclass(frozen=True, slots=True)
class Lane:
    """One curve over time, oldest point first. step: it moves in steps, all of which are known.

    floor: a value that always shows (0 for a drawdown), NaN for none.
    """

    name: str
    unit: str
    colour: str
    points: tuple[Point, ...] = ()
    places: int = 2
    floor: float = NAN
    tip: str = ""
    step: bool = False

    @property
    def path(self) -> tuple[Point, ...]:
        """The corners of the line: between two points a step keeps the value of the first."""
        if not self.step:
            return self.points
        corners = list(self.points[:1])
        for (_, before), (at, value) in pairwise(self.points):
            corners += [(at, before), (at, value)]
        return tuple(corners)

    @property
    def strokes(self) -> tuple[tuple[Point, ...], ...]:
        """The line in pieces: between one and the next nothing is known."""
        if self.step:
            return (self.path,)
        cuts = [
            place
            for place, (one, two) in enumerate(pairwise(self.points), 1)
            if two[0] - one[0] > JOINED_S
        ]
        return tuple(self.points[a:b] for a, b in pairwise([0, *cuts, len(self.points)]))


def lanes(
    curve: Sequence[CurvePoint], money: Money, currency: str, held: Sequence[HeldPoint] = ()
) -> tuple[Lane, Lane, Lane]:
    """Equity, drawdown from the peak so far, and exposure; the last point is of now.

    held: what was held after each fill, so that exposure is known between the points too.
    """
    marks = [(point.t_ns / 1e9, point.equity, point.exposure) for point in curve]
    marks.append((money.now_ns / 1e9, float(money.equity), float(money.gross)))
    steps = [(at, value) for at, _, value in marks]
    steps += [(each.t_ns / 1e9, each.gross) for each in held]
    steps.sort(key=lambda step: step[0])  # at one moment the fill last: a mark may be from before
    peak, down = -math.inf, []
    for at, equity, _ in marks:
        peak = max(peak, equity)
        down.append((at, (peak - equity) / peak * -100 if peak > 0 else 0.0))
    return (
        Lane("Equity", currency, "accent", tuple((at, value) for at, value, _ in marks),
             tip="Cash and everything held at mids, a point a minute and at each close. Before the "
             "last start what the journal keeps: every 15 minutes and at each close."),
        Lane("Drawdown", "%", "loss", tuple(down), floor=0.0,
             tip="How far equity was below its highest mark so far."),
        Lane("Gross exposure", currency, "basis", tuple(steps), places=0, floor=0.0, step=True,
             tip="Notional of all legs held, long and short, at mids of each fill and minute."),
    )  # fmt: skip


# --- closed pairs ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What one closed pair earned, all costs in it."""

    pair: int
    name: str
    closed: str
    net: str
    sign: int
    held: str
    closed_ns: int = field(default=0, compare=False)
    value: Decimal = field(default=ZERO, compare=False)


def result_rows(results: Sequence[Result], engine: Engine, utc: bool) -> list[ResultRow]:
    """Closed pairs, newest first."""
    rows = []
    for result in reversed(results):
        lots = engine.books.pairs.get(result.pair)
        coin = lots.legs["long"].coin if lots is not None else ""
        held_s = (result.closed_ns - lots.opened_ns) / 1e9 if lots is not None else NAN
        rows.append(
            ResultRow(
                result.pair,
                f"{coin} #{result.pair}".strip(),
                f"{date_text(result.closed_ns, utc)[5:]}",
                gain_text(result.net, 2),
                sign_of(result.net),
                NOTHING if math.isnan(held_s) else held_text(held_s),
                result.closed_ns,
                result.net,
            )
        )
    return rows


def win_text(results: Sequence[Result], currency: str, least: int) -> str:
    """Win rate with its interval, and what the pairs made together.

    least: pairs below which the rate is not judged.
    """
    if not results:
        return "No pair is closed yet."
    rate: WinRate = win_rate(results)
    total = sum((result.net for result in results), ZERO)
    said = (
        f"{rate.wins} of {rate.pairs} won: {number_text(rate.rate * 100, 0)} % "
        f"(95 %: {number_text(rate.low * 100, 0)} to {number_text(rate.high * 100, 0)} %)"
        f" \u00b7 together {gain_text(total, 2)} {currency}"
    )
    return said if rate.pairs >= least else f"{said} \u00b7 not judged below {least} pairs"


def clock_of(t_s: float, utc: bool, span_s: float) -> str:
    """A moment on the time axis: the time within a day, else the date."""
    ns = int(t_s * 1e9)
    if span_s < SECONDS_S:
        return clock_text(ns, utc)
    return clock_text(ns, utc)[:5] if span_s < 2 * 86_400 else date_text(ns, utc)[5:10]
