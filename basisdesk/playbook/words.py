"""The words of the playbooks: what one sees of a pair, what may be set of it, what it decides.

A playbook is an object without memory: the same `View` gives the same `Decision`, in the desk, in
replay and in the lab. What has to be remembered (which pair is whose, what came of it, when the
last entry was) is the autopilot's, in plain JSON.

Directions as everywhere: the basis is of the second leg against the first, (second - first) / first
in bp. +1 buys the first leg and sells the second, -1 is the reverse. The first leg is spot, or a
perpetual of another venue; the second is a perpetual.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import nan
from typing import Literal, Protocol

import msgspec

from basisdesk.errors import UserError
from basisdesk.events import Command, ExitPlan, OpenPair, Result
from basisdesk.forecast.words import Score
from basisdesk.trading.risk import RiskState

Source = Literal["S1", "S2", "S3", "S4", "ours"]
Kind = Literal["enter", "exit", "stand"]

ODD_BP = 5_000.0  # a basis, rate or cost beyond it is a fault of data and none of the market

SOURCES: dict[str, str] = {
    "S1": "founding note 1, spot-perp decoupling",
    "S2": "founding note 2, conservative basis trading",
    "S3": "founding note 3, funding gaps with sector rotation",
    "S4": "founding note 4, spot-perp convergence and its script",
    "ours": "our own",
}


class Param(msgspec.Struct, frozen=True):
    """One number of a playbook that a user may set.

    unit: "bp", "bp per 8 h", "%", "h", "min", "sd", "x", whole "pairs" or
    "venues", or "yes/no" (1 or 0).
    low, high: the range that is taken. source: whose rule it is; text: that rule in our words, and
    where the note's own number was mended, how.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    source: Source
    text: str

    def at(self, value: float) -> "Param":
        """The same with another value. Raises UserError outside the range."""
        whole = self.unit not in ("yes/no", "pairs", "venues") or float(value).is_integer()
        if self.low <= value <= self.high and whole:
            return msgspec.structs.replace(self, value=float(value))
        raise UserError(
            f"{self.name} is {self.low:g} to {self.high:g} {self.unit}; {value:g} is not. "
            "Choose a value within."
        )


class Knobs:
    """The params of one playbook, read by name: `knobs["entry_z"]`."""

    __slots__ = ("_values", "params")

    def __init__(self, params: tuple[Param, ...]) -> None:
        self.params = params
        self._values = {param.name: param.value for param in params}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def on(self, name: str) -> bool:
        """A yes/no param."""
        return self._values[name] != 0.0

    def changed(self, values: Mapping[str, float]) -> "Knobs":
        """With these values. Raises UserError for a name that is not there or out of range."""
        if unknown := [name for name in values if name not in self._values]:
            known = ", ".join(self._values)
            raise UserError(f"This playbook has no {unknown[0]!r}. It has: {known}.")
        return Knobs(tuple(p.at(values[p.name]) if p.name in values else p for p in self.params))


# --- what a playbook sees -------------------------------------------------------------------------


class Band(msgspec.Struct, frozen=True):
    """Time-weighted mean and deviation of the mid basis, bp. warm: its memory is full."""

    mean_bp: float = nan
    sd_bp: float = nan
    warm: bool = False


class Funding(msgspec.Struct, frozen=True):
    """What direction +1 receives, bp per 8 h by true intervals: second leg minus first.

    rate_8h_bp: indicative; settled_8h_bp: last published. velocity_bp_h: slope of the indicative
    one, bp per 8 h each hour. next_ms: the next settlement of either leg, 0 unknown; interval_h:
    the shorter interval of the two, 0 unknown. borrow_8h_bp: interest that direction -1 pays.
    """

    rate_8h_bp: float = nan
    settled_8h_bp: float = nan
    velocity_bp_h: float = nan
    next_ms: int = 0
    interval_h: float = 0.0
    borrow_8h_bp: float = 0.0


class Gap(msgspec.Struct, frozen=True):
    """The widest funding gap of the coin between two venues, bp per 8 h by true intervals.

    long, short: perpetuals that receive it. venues: compared. btc_eth_bp: BTC minus ETH, NaN
    unknown.
    """

    long: str
    short: str
    gap_8h_bp: float
    venues: int
    btc_eth_bp: float = nan


class Flow(msgspec.Struct, frozen=True):
    """What moves now. leader: "spot", "perp" or "", lead: why in words.

    slope_bp_min: of the basis over about a minute, bp a minute. first_slope_bp_s: of the first
    leg's price against its 30 s mean, bp a second. depth_ratio: second over first leg, base coin
    within 10 bp. tilt: bids less asks over both within 10 bp, second leg minus first, -2 to 2.
    """

    slope_bp_min: float = nan
    first_slope_bp_s: float = nan
    leader: str = ""
    lead: str = "not measured"
    depth_ratio: float = nan
    tilt: float = nan


class Terms(msgspec.Struct, frozen=True):
    """What trading costs here. fees_bp: four taker fees. round_trip_bp: with both spreads at size.

    qty: base coin that open and close are read at; 0 the touch. probe: a small order that both
    venues take. lot: step of the first leg.
    """

    fees_bp: float = nan
    round_trip_bp: float = nan
    qty: float = 0.0
    probe: Decimal = Decimal(0)
    lot: Decimal = Decimal(1)


class Account(msgspec.Struct, frozen=True):
    """The account, account currency. cut: what the settings leave of a size below a threshold."""

    free: Decimal = Decimal(0)
    equity: Decimal = Decimal(0)
    start: Decimal = Decimal(0)
    currency: str = "USDT"
    cut: float = 1.0
    leverage_max: float = 5.0


class Held(msgspec.Struct, frozen=True):
    """An open position in the legs of this pair.

    state: as positions tell it; only "open" can be judged. close_bp: executable basis of closing
    all of it now. net: what it will have earned once closed now, None where that is unknown.
    notional: of the reference leg at entry. mine: the autopilot opened it by this playbook. by: who
    asked for it where no person did, as in OpenPair.
    """

    pair: int
    direction: int
    state: str
    opened_ns: int
    entry_bp: float
    close_bp: float
    notional: Decimal
    plan: ExitPlan
    net: Decimal | None = None
    mine: bool = True
    by: str = ""


class Line(msgspec.Struct, frozen=True):
    """One limit of a size, as trading/advice.py names it; None where it says nothing."""

    name: str
    qty: Decimal | None
    text: str


class Priced(msgspec.Struct, frozen=True):
    """What an order would be: the cost sheet's figures that a playbook reads.

    refusal: "" or the desk's sentence. lines: of the suggested size, without its cuts.
    verdict: "go", "thin" or "no", by convergence alone.
    """

    refusal: str = ""
    qty: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    entry_bp: float = nan
    exit_bp: float = nan
    fees_bp: float = nan
    slip_bp: float = nan
    capital: Decimal = Decimal(0)
    loss_stop: Decimal | None = None
    loss_stress: Decimal = Decimal(0)
    lines: tuple[Line, ...] = ()
    verdict: str = "no"


def unpriced(request: OpenPair) -> Priced:  # noqa: ARG001 - the shape of a pricer
    """The pricer of a view that has none."""
    return Priced(refusal="No price can be made of this pair.")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One pair at one moment, all that a playbook may know. NaN where unknown; bases in bp.

    pair: "first second", leg keys. two_perps: the first leg is a perpetual too.
    open_bp, close_bp: executable at the terms' size: what direction +1 locks in, and what leaving
    it costs; they change places for -1. fair_bp: clamp-aware.
    high_bp, low_bp: extremes of the mid basis over the window of the reader, before now.
    fast, slow: bands of 5 minutes and 2 hours. score: of the forecast, for `score_side`; margin: by
    how much p shall be above p*. sector: what the overlay says to direction +1, "for", "against"
    or "". gap: over venues, None where no scanner runs.
    stale: "" or why these quotes cannot be traded. busy: an order is on its way or at work.
    held: the position in these legs. live: numbers of all open ones in them, None where positions
    were not read. closed: number and reason of the pair of these legs that was
    closed last, or who asked for it where no person did; (0, "") for none. ours: results of closed
    pairs, oldest first: of the account as the reader tells it, of the playbook's own as a playbook
    sees it. price: what an order would cost now.
    """

    pair: str
    first: str
    second: str
    coin: str
    t_ns: int
    two_perps: bool = False
    stale: str = ""
    mid_bp: float = nan
    open_bp: float = nan
    close_bp: float = nan
    fair_bp: float = nan
    high_bp: float = nan
    low_bp: float = nan
    fast: Band = Band()
    slow: Band = Band()
    funding: Funding = Funding()
    flow: Flow = Flow()
    terms: Terms = Terms()
    account: Account = Account()
    score: Score | None = None
    score_side: int = 0
    margin: float = 0.02
    sector: str = ""
    gap: Gap | None = None
    risk: RiskState = RiskState()
    busy: bool = False
    held: Held | None = None
    live: tuple[int, ...] | None = None
    closed: tuple[int, str] = (0, "")
    ours: tuple[Result, ...] = ()
    price: Callable[[OpenPair], Priced] = unpriced

    def entry_bp(self, direction: int) -> float:
        """Executable basis of entering."""
        return self.open_bp if direction > 0 else self.close_bp

    def exit_bp(self, direction: int) -> float:
        """Executable basis of leaving."""
        return self.close_bp if direction > 0 else self.open_bp

    def leaving_at(self, direction: int, mid_bp: float) -> float:
        """The executable basis of leaving while the mid stands there, by the spread of now."""
        return mid_bp + self.exit_bp(direction) - self.mid_bp

    def word(self, direction: int) -> str:
        """What the overlay says to a direction; two perpetuals hear the same either way.

        As the desk hears it (trading/sector.py): someone is short a perpetual in both.
        """
        if direction > 0 or self.two_perps or not self.sector:
            return self.sector
        return "against" if self.sector == "for" else "for"


def mirrored(basis_bp: float) -> float:
    """A basis of the second leg against the first, told of the first against the second.

    Two perpetuals have no reference but the leg that is bought, so a position against the pair's
    order and its plan are told the other way round by the desk. NaN where a price would be 0 or
    less.
    """
    return -basis_bp / (1.0 + basis_bp / 1e4) if basis_bp > -1e4 else nan


def turned(plan: ExitPlan) -> ExitPlan:
    """The same plan, its levels told the other way round."""
    levels = {
        name: Decimal(repr(mirrored(float(level)))).quantize(Decimal("0.01"))
        for name in ("target_bp", "stop_bp")
        if (level := getattr(plan, name)) is not None
    }
    return msgspec.structs.replace(plan, **levels)


# --- what it decides ------------------------------------------------------------------------------


class Decision(msgspec.Struct, frozen=True):
    """What to do now, and why: a code that stays and one sentence with its arithmetic.

    direction: of the entry that is made or refused, 0 where none was near. forecast: what the
    forecast had to do with it, "" where the rules did not come to asking it.
    """

    kind: Kind
    code: str
    text: str
    commands: tuple[Command, ...] = ()
    direction: int = 0
    forecast: str = ""


class Playbook(Protocol):
    """One system. name: as in files, "carry"; about: what it does, for a person."""

    @property
    def name(self) -> str:
        """As in files."""
        ...

    @property
    def title(self) -> str:
        """As on the screen."""
        ...

    @property
    def about(self) -> str:
        """What it does, in a sentence or two."""
        ...

    @property
    def params(self) -> tuple[Param, ...]:
        """All that can be set, with the values now."""
        ...

    def decide(self, view: View, now_ns: int) -> Decision:
        """What to do about this pair now."""
        ...

    def with_values(self, values: Mapping[str, float]) -> "Playbook":
        """The same playbook with other values. Raises UserError."""
        ...
