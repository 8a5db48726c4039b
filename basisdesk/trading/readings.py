"""What the triggers look at: one reading each, with its limit and what it means in plain words.

Pure: looking changes nothing. Money is that of the whole hedged account (`Funds.judged`) or of
closed pairs with all their costs, never of one leg. What a reading leads to is in triggers.py.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from basisdesk.config import Risk, Settings
from basisdesk.events import Funds, Result
from basisdesk.market.state import Market
from basisdesk.trading import words
from basisdesk.trading.exits import gauge
from basisdesk.trading.marks import DAY_NS, Marks
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.trading.quoting import undescribed
from basisdesk.trading.risk import RESUME_WORDS
from basisdesk.trading.win_rate import win_rate

NEAR = 0.75  # of a limit: from here on a reading is "near"
HALTS, STOPS = "halts", "stops entries"

ReadingState = Literal["ok", "near", "over", "unknown"]

_TITLES = {
    "drawdown": "Drawdown",
    "daily_loss": "Loss of the day",
    "rolling": "Last pairs together",
    "win_rate": "Win rate",
    "liq_distance": "Nearest liquidation",
    "unhedged": "Unhedged",
    "clock": "Clock and sleep",
    "stale": "Silent feed",
}


class Reading(msgspec.Struct, frozen=True):
    """One trigger as it stands.

    name: its code, the cause it would give. value, limit: in `unit`; NaN where nothing is known.
    note: what was seen, a sentence. acts: "halts" or "stops entries". resume: what ends it.
    """

    name: str
    value: float
    limit: float
    unit: str
    state: ReadingState
    note: str
    acts: str
    title: str = ""
    resume: str = ""


class Look(msgspec.Struct, frozen=True):
    """One moment as the triggers see it.

    peak, day_start: equity that drawdown and the day's loss are measured from; None: not known.
    since_ns: since when quotes have been waited for. pause_s: how long the desk last stood still,
    and pause_ns: when it went on; 0 for never.
    """

    positions: Sequence[PairPosition]
    market: Market
    funds: Funds
    now_ns: int
    peak: Decimal | None
    day_start: Decimal | None
    since_ns: int = 0
    pause_ns: int = 0
    pause_s: float = 0.0


def read_all(look: Look, settings: Settings, marks: Marks) -> tuple[Reading, ...]:
    """Every trigger, those that halt first."""
    risk, currency = settings.risk, settings.account.currency
    results = look.funds.results
    return (
        drawdown(look, risk, currency),
        daily_loss(look, risk, currency, marks.day),
        rolling(_after(results, marks.rolling_ns), look.funds.judged, risk, currency),
        winning(_after(results, marks.wins_ns), risk),
        liq_distance(look, settings),
        unhedged(look, risk),
        clock(look, risk),
        stale(look, risk),
    )


# --- money: these halt ---------------------------------------------------------------------------


def drawdown(look: Look, risk: Risk, currency: str) -> Reading:
    """How far equity stands below its peak."""
    equity, peak = look.funds.judged, look.peak
    limit = 100 * risk.drawdown_max
    if equity is None or peak is None or peak <= 0:
        return _reading("drawdown", math.nan, limit, "%", "unknown", _UNPRICED)
    peak = max(peak, equity)
    value = 100 * float((peak - equity) / peak)
    note = (
        f"Equity of {words.money(equity, currency)} is {value:.2f} % below its peak of "
        f"{words.money(peak, currency)}; the limit is {limit:g} %."
    )
    return _reading("drawdown", value, limit, "%", _above(value, limit), note)


def daily_loss(look: Look, risk: Risk, currency: str, day: int) -> Reading:
    """What was lost since 00:00 UTC, or since the count was begun anew."""
    equity, start = look.funds.judged, look.day_start
    limit = 100 * risk.daily_loss_max
    if equity is None or start is None or start <= 0 or day != look.now_ns // DAY_NS:
        return _reading("daily_loss", math.nan, limit, "%", "unknown", _UNPRICED)
    value = 100 * float((start - equity) / start)
    what = f"{value:.2f} % lost" if value > 0 else f"{-value:.2f} % gained"
    note = f"{what} of {words.money(start, currency)} today (UTC); the limit is {limit:g} % lost."
    return _reading("daily_loss", max(0.0, value), limit, "%", _above(value, limit), note)


def rolling(
    results: Sequence[Result], equity: Decimal | None, risk: Risk, currency: str
) -> Reading:
    """What the last pairs closed lost together, of the equity of now."""
    limit, many = 100 * risk.rolling_loss_max, risk.rolling_pairs
    last = results[-many:]
    if len(last) < many:
        note = f"{len(last)} of {many} closed pairs: not judged before there are {many}."
        return _reading("rolling", math.nan, limit, "%", "unknown", note)
    net = sum((result.net for result in last), Decimal(0))
    if equity is None or equity <= 0:
        return _reading("rolling", math.nan, limit, "%", "unknown", _UNPRICED)
    value = 100 * float(-net / equity)
    note = (
        f"The last {many} pairs earned {words.money(net, currency, signed=True)} together, all "
        f"costs in it; the limit is a loss of {limit:g} % of equity."
    )
    return _reading("rolling", max(0.0, value), limit, "%", _above(value, limit), note)


def winning(results: Sequence[Result], risk: Risk) -> Reading:
    """The win rate; over its limit only where the whole 95 % interval lies below it."""
    limit, fewest = 100 * risk.win_rate_min, risk.win_rate_pairs
    won = win_rate(results)
    if won.pairs < fewest:
        note = f"{won.pairs} of {fewest} closed pairs: not judged before there are {fewest}."
        value = math.nan if not won.pairs else 100 * won.rate
        return _reading("win_rate", value, limit, "%", "unknown", note)
    value, low, high = 100 * won.rate, 100 * won.low, 100 * won.high
    state: ReadingState = "ok"
    said = ""
    if high < limit:
        state, said = "over", f"Even the upper end is below {limit:g} %."
    elif value < limit:
        state = "near"
        said = f"Below {limit:g} %, but that is not enough evidence: luck alone could do it."
    note = f"{won.wins} of {won.pairs} pairs won, 95 % interval {low:.0f} to {high:.0f} %. {said}"
    return _reading("win_rate", value, limit, "%", state, note.strip())


# --- positions, feeds, time: these stop entries --------------------------------------------------


def liq_distance(look: Look, settings: Settings) -> Reading:
    """How far the nearest perpetual's mark is from its liquidation."""
    limit = settings.risk.liq_distance_min_pct
    nearest, name, blind, held = math.inf, "", "", False
    for position in look.positions:
        for leg in position.perps:
            if not leg.qty:
                continue
            held = True
            far = _distance(position, leg, look, settings)
            if math.isnan(far):
                blind = words.name(leg.instrument)
            elif far < nearest:
                nearest, name = far, f"{words.name(leg.instrument)} of pair {position.pair}"
    if not name:
        return _far(limit, blind, held)
    state: ReadingState = "over" if nearest < limit else "near" if nearest * NEAR < limit else "ok"
    note = f"{name} is {nearest:.1f} % from its liquidation; the limit is {limit:g} %."
    if blind and state != "over":
        state, note = "unknown", f"{note} The mark of {blind} is not known."
    return _reading("liq_distance", nearest, limit, "%", state, note)


def _far(limit: float, blind: str, held: bool) -> Reading:
    """No perpetual has a distance. blind: one whose mark is not known, or ""."""
    if blind:
        note = f"The mark of {blind} is not known."
        return _reading("liq_distance", math.nan, limit, "%", "unknown", note)
    if held:
        note = "No price above zero liquidates what is held."
        return _reading("liq_distance", math.inf, limit, "%", "ok", note)
    return _reading("liq_distance", math.nan, limit, "%", "ok", "No perpetual is held.")


def unhedged(look: Look, risk: Risk) -> Reading:
    """How long a leg has stood alone at most: missing its other one, or left naked for good."""
    limit = float(risk.unhedged_s_max)
    waits = [
        (look.now_ns - since_ns, position.pair, position.state)
        for position in look.positions
        if (since_ns := alone_since_ns(position)) is not None
    ]
    if not waits:
        return _reading("unhedged", 0.0, limit, "s", "ok", "Every pair stands on both legs.")
    waited, pair, state = max(waits)
    value = waited / 1e9
    what = "has missed a leg" if state == "unhedged" else "has stood naked on one leg"
    note = f"Pair {pair} {what} for {value:.0f} s; the limit is {limit:g} s."
    return _reading("unhedged", value, limit, "s", _longer(value, limit), note)


def alone_since_ns(position: PairPosition) -> int | None:
    """Since when one leg of a pair stands alone; of a naked pair since its last fill."""
    if position.state == "unhedged":
        return position.unhedged_ns
    if position.state != "naked":
        return None
    return max((leg.history[-1][0] for leg in position.legs if leg.history), default=None)


def clock(look: Look, risk: Risk) -> Reading:
    """Whether the desk stood still, and quotes have not caught up yet."""
    limit = float(risk.clock_jump_s_max)
    late = [leg for _, leg in _held(look) if _quote_ns(look, leg) < look.pause_ns]
    if not look.pause_ns or (look.now_ns > look.pause_ns and not late):
        return _reading("clock", 0.0, limit, "s", "ok", "The desk has looked without a pause.")
    note = (
        f"Nothing was looked at for {look.pause_s:.0f} s: the machine slept or its clock jumped. "
        f"The limit is {limit:g} s."
    )
    if late:
        note += f" Waiting for a new quote of {words.name(late[0].instrument)}."
    return _reading("clock", look.pause_s, limit, "s", "over", note)


def stale(look: Look, risk: Risk) -> Reading:
    """How long the quietest leg held has said nothing that is believed."""
    limit = float(risk.stale_s_max)
    ages = [
        ((look.now_ns - max(_quote_ns(look, leg), look.since_ns)) / 1e9, leg.instrument)
        for _, leg in _held(look)
    ]
    if not ages:
        return _reading("stale", 0.0, limit, "s", "ok", "No leg is held.")
    value, key = max(ages)
    note = f"{words.name(key)} was last heard {value:.0f} s ago; the limit is {limit:g} s."
    return _reading("stale", value, limit, "s", _longer(value, limit), note)


# --- small parts ---------------------------------------------------------------------------------

_UNPRICED = "Not judged yet: waiting for quotes of every leg held."


def _reading(
    name: str, value: float, limit: float, unit: str, state: ReadingState, note: str
) -> Reading:
    acts = HALTS if name in ("drawdown", "daily_loss", "rolling") else STOPS
    return Reading(name, value, limit, unit, state, note, acts, _TITLES[name], RESUME_WORDS[name])


def _above(value: float, limit: float) -> ReadingState:
    """Over at the limit itself: a limit of 10 % allows less than 10 %."""
    if value >= limit:
        return "over"
    return "near" if value >= NEAR * limit else "ok"


def _longer(value: float, limit: float) -> ReadingState:
    """Over beyond a time: what comes exactly once a minute is not silent for more than that."""
    return "near" if value == limit else _above(value, limit)


def _after(results: Sequence[Result], ns: int) -> Sequence[Result]:
    return [result for result in results if result.closed_ns > ns] if ns else results


def _held(look: Look) -> Iterable[tuple[PairPosition, LegPosition]]:
    for position in look.positions:
        for leg in position.legs:
            if leg.qty:
                yield position, leg


def _quote_ns(look: Look, leg: LegPosition) -> int:
    seen = look.market.legs.get(leg.instrument)
    return seen.quote_ns if seen is not None else 0


def _distance(position: PairPosition, leg: LegPosition, look: Look, settings: Settings) -> float:
    """Percent of the mark to liquidation; inf where no price liquidates, NaN where unknown."""
    if undescribed(position, look.market) is not None:
        return math.nan
    at = gauge(position, leg, look.market, settings, look.now_ns)
    return math.inf if at.price is None else at.distance_pct
