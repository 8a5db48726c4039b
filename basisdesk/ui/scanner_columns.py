"""The columns of the scanner's table: header with unit, text, value to sort by. Pure, no Qt."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.words import FRESH, STALE, Floats, Ints, Openings
from basisdesk.ui.figures import (
    NOTHING,
    age_text,
    countdown_text,
    gain_text,
    number_text,
    sign_text,
)
from basisdesk.ui.glossary import term
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.scanner_rows import (
    RateUnit,
    breakeven_detail,
    breakeven_text,
    compact_text,
    hours_text,
    leg_text,
    net_detail,
    ranks,
    raw_only_detail,
    raw_only_mask,
    why_dim,
)

Text = Callable[[Openings, int], str]
Values = Callable[[Openings], NDArray[np.generic]]
Field = tuple[str, Callable[[Openings, int], object]]
FLAG_PLACE = {"confirmed": 0.0, "neutral": 1.0, "contradicted": 2.0}
FLAG_INK = {"confirmed": "gain", "contradicted": "loss"}
BETWEEN = " \u00b7 "
TICKET = "ticket"  # key of the column whose cells are a button


@dataclass(frozen=True)
class ScanColumn:
    """How one column reads an opening.

    header: short, with the unit. name: in the column chooser. text: the cell. values: one figure
    an opening to sort by, NaN where there is none. tip: the header's, a sentence and its formula.
    sample: as wide as the column will be. rank: 0 always stands; of the others the lowest come
    first while there is room. stamp: what the text is made of, rounded as it is shown: the cell is
    painted anew when it moves. meaning: colour token, "" for the row's own. fields: of the CSV,
    each with its unit in its name.

    A tip names no figure as an example: beside real ones it would be read as one.
    """

    key: str
    header: str
    name: str
    text: Text
    values: Values
    tip: str
    sample: str
    rank: int
    stamp: Callable[[Openings, Ints], Floats]
    fields: tuple[Field, ...]
    left: bool = False
    meaning: Text | None = None
    detail: Text | None = None


@dataclass(frozen=True)
class Terms:
    """What headers depend on. unit: of the funding column. hold_h: that nets are counted over."""

    currency: str = "USDT"
    hold_h: float = 24.0
    unit: RateUnit = "8h"
    capacity_bp: float = 10.0


def scan_columns(terms: Terms) -> tuple[ScanColumn, ...]:
    """All columns in reading order; the button stands in the last."""
    return (
        *_name_columns(),
        *_funding_columns(terms.unit),
        *_past_columns(),
        *_basis_columns(),
        *_net_columns(terms),
        *_trust_columns(terms),
        ScanColumn(
            TICKET, "", "Ticket", lambda _o, _i: "Ticket", lambda o: np.zeros(len(o)), "",
            "Ticket", 0, lambda _o, rows: np.zeros((1, len(rows))), (), meaning=lambda _o, _i:
            "accent", detail=lambda _o, _i: "Puts this pair, its direction and its size into the "
            "ticket of the main window. Enter or a double click does the same.",
        ),
    )  # fmt: skip


# --- how figures become cells ---------------------------------------------------------------------


def _figure(  # noqa: PLR0913  (a column is its parts)
    key: str, header: str, name: str, values: Callable[[Openings], Floats], places: int, tip: str,
    sample: str, rank: int, csv: str, signed: bool = True, scale: float = 1.0,
) -> ScanColumn:  # fmt: skip
    """A column of plain figures: so many decimals, scaled from the unit of `Openings`."""
    write = sign_text if signed else number_text
    grain = 10.0**places * scale
    return ScanColumn(
        key, header, name,
        lambda o, i: write(float(values(o)[i]) * scale, places),
        values, tip, sample, rank,
        lambda o, rows: np.rint(values(o)[rows] * grain)[None, :],
        ((csv, lambda o, i: float(values(o)[i]) * scale),),
    )  # fmt: skip


def _stamps(
    *arrays: Callable[[Openings], NDArray[np.generic]],
) -> Callable[[Openings, Ints], Floats]:
    return lambda o, rows: np.stack([np.asarray(a(o)[rows], dtype=np.float64) for a in arrays])


def _fixed(_o: Openings, rows: Ints) -> Floats:
    """Of a column that never changes while the combinations stay."""
    return np.zeros((1, len(rows)))


def _two(long: str, short: str) -> str:
    """Of both legs, or of the one that has a figure."""
    parts = [part for part in (long, short) if part]
    return BETWEEN.join(dict.fromkeys(parts)) if parts else NOTHING


# --- the groups -----------------------------------------------------------------------------------


def _name_columns() -> tuple[ScanColumn, ...]:
    return (
        ScanColumn(
            "coin", "Coin", "Coin", lambda o, i: o.combos[i].coin,
            lambda o: ranks([c.coin for c in o.combos]), "The coin of both legs.",
            "PENDLE", 0, _fixed, (("coin", lambda o, i: o.combos[i].coin),), left=True,
        ),
        ScanColumn(
            "long", "Long", "Long leg", lambda o, i: leg_text(o.combos[i].long),
            lambda o: ranks([c.long for c in o.combos]), "The leg that is bought.",
            "Binance spot", 0, _fixed, (("long", lambda o, i: o.combos[i].long),), left=True,
            detail=lambda o, i: leg_name(o.combos[i].long),
        ),
        ScanColumn(
            "short", "Short", "Short leg", lambda o, i: leg_text(o.combos[i].short),
            lambda o: ranks([c.short for c in o.combos]),
            "The leg that is sold; a spot leg is sold on borrowed coins.",
            "Binance perp", 0, _fixed, (("short", lambda o, i: o.combos[i].short),), left=True,
            detail=lambda o, i: leg_name(o.combos[i].short),
        ),
    )  # fmt: skip


def legs_rate_text(o: Openings, i: int) -> str:
    """Each leg's rate of its own interval, as its venue says it, %."""
    parts = []
    for rate, hours in ((o.rate_long[i], o.interval_long_h[i]), (o.rate_short[i],
                        o.interval_short_h[i])):  # fmt: skip
        parts.append(sign_text(100 * float(rate), 4) if hours > 0 else "")
    return BETWEEN.join(part for part in parts if part) or NOTHING


def interval_text(o: Openings, i: int) -> str:
    """Hours between settlements: "8 h", "4 h · 8 h" (long, short)."""
    both = (float(o.interval_long_h[i]), float(o.interval_short_h[i]))
    return _two(*(f"{hours:g} h" if hours > 0 else "" for hours in both))


def next_text(o: Openings, i: int) -> str:
    """Time to the next settlement of each leg."""
    now_ms = o.now_ns // 1_000_000
    both = (int(o.next_long_ms[i]), int(o.next_short_ms[i]))
    return _two(*(countdown_text((ms - now_ms) / 1e3) if ms > 0 else "" for ms in both))


def next_values(o: Openings) -> Floats:
    """Seconds to the sooner settlement, NaN where none is known."""
    far = np.iinfo(np.int64).max
    long, short = (np.where(ms > 0, ms, far) for ms in (o.next_long_ms, o.next_short_ms))
    first = np.minimum(long, short)
    return np.where(first == far, np.nan, (first - o.now_ns // 1_000_000) / 1e3)


def _funding_columns(unit: RateUnit) -> tuple[ScanColumn, ...]:
    legs_stamp = _stamps(
        lambda o: np.rint(o.rate_long * 1e6), lambda o: np.rint(o.rate_short * 1e6)
    )
    legs = ScanColumn(
        "legs", "Long \u00b7 short /interval, %", "Funding of each leg, per its interval",
        legs_rate_text, lambda o: o.rate_8h_bp,
        "The rate of each leg per its own interval, as the venue says it, long leg first.",
        "+0.0100 \u00b7 \u22120.0123", 20, legs_stamp,
        (("rate_long_fraction_per_interval", lambda o, i: float(o.rate_long[i])),
         ("rate_short_fraction_per_interval", lambda o, i: float(o.rate_short[i]))),
    )  # fmt: skip
    per_8h = _figure(
        "funding", "Funding /8h, %", "Funding per 8 h", lambda o: o.rate_8h_bp, 4,
        term("Funding /8h"), "+0.1234", 1, "funding_pct_per_8h", scale=0.01,
    )  # fmt: skip
    year = _figure(
        "year", "Per year, %", "Funding per year", lambda o: o.year_pct, 1,
        "The same over a year by the true intervals, not compounded: rate per 8 h \u00d7 3 \u00d7 "
        "365.", "+1,234.5", 17, "funding_pct_per_year",
    )  # fmt: skip
    if unit == "interval":
        first = _renamed(legs, "funding", "Funding /interval, %")
        others = (per_8h_aside(per_8h), year)
    elif unit == "year":
        first = _renamed(year, "funding", "Funding /year, %")
        others = (per_8h_aside(per_8h), legs)
    else:
        first, others = per_8h, (legs, year)
    return first, *others, *_interval_columns()


def per_8h_aside(column: ScanColumn) -> ScanColumn:
    """The 8 h rate as a column of its own while the first one shows another unit."""
    return _renamed(column, "per8h", column.header, rank=20)


def _renamed(column: ScanColumn, key: str, header: str, rank: int = 1) -> ScanColumn:
    return replace(column, key=key, header=header, rank=rank)


def _interval_columns() -> tuple[ScanColumn, ...]:
    return (
        ScanColumn(
            "interval", "Interval", "True interval", interval_text,
            lambda o: np.fmax(o.interval_long_h, o.interval_short_h), term("True interval"),
            "4 h \u00b7 8 h", 2,
            _stamps(lambda o: o.interval_long_h, lambda o: o.interval_short_h, raw_only_mask),
            (("interval_long_h", lambda o, i: float(o.interval_long_h[i]) or math.nan),
             ("interval_short_h", lambda o, i: float(o.interval_short_h[i]) or math.nan)),
            meaning=lambda o, i: "warn" if raw_only_detail(o, i) else "",
        ),
        _figure("settled", "Settled /8h, %", "Settled per 8 h", lambda o: o.settled_8h_bp, 4,
                "The same of the last settled rates, short less long: what was paid, not what is "
                "predicted. A spot leg settles nothing and counts 0.", "+0.1234", 13,
                "settled_pct_per_8h", scale=0.01),
        _figure("velocity", "Velocity, bp/h", "Velocity", lambda o: o.velocity_bp_h, 2,
                term("Velocity"), "\u221212.34", 9, "velocity_bp_per_8h_per_h"),
        ScanColumn(
            "next", "Next in", "Next settlement", next_text, next_values,
            "Time to the next settlement of each leg, long first.",
            "02:14:33 \u00b7 00:14:33", 12, _stamps(next_values),
            (("next_long_utc_ms", lambda o, i: int(o.next_long_ms[i]) or math.nan),
             ("next_short_utc_ms", lambda o, i: int(o.next_short_ms[i]) or math.nan)),
        ),
    )  # fmt: skip


def _past_columns() -> tuple[ScanColumn, ...]:
    return (
        _figure("momentum", "Momentum, bp", "Momentum of settled funding", lambda o: o.momentum_bp,
                1, "Mean of the last 3 settlements less that of the last 21, per 8 h; above zero "
                "it rises.", "\u221212.3", 18, "momentum_bp_per_8h"),
        _figure("z", "z", "z of the funding", lambda o: o.z, 1,
                "How unusual the funding is in its own history: (rate \u2212 median) / spread of "
                "90 settlements.", "\u221212.3", 15, "z_sd"),
    )  # fmt: skip


def _basis_columns() -> tuple[ScanColumn, ...]:
    return (
        _figure("open", "Basis open, bp", "Basis open", lambda o: o.open_bp, 1,
                "Executable at the scanner's size: long bought from the asks, short sold into the "
                "bids.", "\u2212123.4", 6, "open_bp"),
        _figure("close", "Basis close, bp", "Basis close", lambda o: o.close_bp, 1,
                "What leaving at once would pay at the same size.", "\u2212123.4", 16, "close_bp"),
        _figure("mid", "Basis mid, bp", "Basis of mids", lambda o: o.mid_bp, 1,
                "1e4 \u00d7 (short \u2212 long) / long, of mids.", "\u2212123.4", 24, "mid_bp"),
        _figure("fair", "Fair, bp", "Fair basis", lambda o: o.fair_bp, 1, term("Fair basis"),
                "\u2212123.4", 25, "fair_bp"),
        _figure("to_fair", "To fair, bp", "To fair", lambda o: o.to_fair_bp, 1, term("To fair"),
                "\u2212123.4", 8, "to_fair_bp"),
    )  # fmt: skip


def net_meaning(o: Openings, i: int) -> str:
    """Green only for what could be had: fresh, of a size that fits, above nothing."""
    if o.state[i] != FRESH or o.capacity[i] < o.size:
        return ""
    return "gain" if o.net_8h_bp[i] >= 0.05 else "muted"


def _net_columns(terms: Terms) -> tuple[ScanColumn, ...]:
    hold = f"{terms.hold_h:g} h"
    return (
        _figure("cost", "Round trip, bp", "Round trip", lambda o: o.cost_bp, 1,
                term("Round trip"), "123.4", 4, "round_trip_bp", signed=False),
        ScanColumn(
            "net", "Net /8h, bp", "Net per 8 h", lambda o, i: gain_text(float(o.net_8h_bp[i]), 1),
            lambda o: o.net_8h_bp, term("Net /8h"), "\u25bc \u2212123.4", 0,
            _stamps(lambda o: np.rint(o.net_8h_bp * 10)),
            (("net_bp_per_8h", lambda o, i: float(o.net_8h_bp[i])),), meaning=net_meaning,
            detail=net_detail,
        ),
        ScanColumn(
            "hold", f"Net in {hold}, bp", "Net over the hold",
            lambda o, i: sign_text(float(o.net_bp[i]), 1), lambda o: o.net_bp,
            f"The same over the whole hold of {hold}: what the opening is ranked by.",
            "\u2212123.4", 14, _stamps(lambda o: np.rint(o.net_bp * 10)),
            (("net_in_hold_bp", lambda o, i: float(o.net_bp[i])),), meaning=net_meaning,
            detail=net_detail,
        ),
        *_part_columns(hold),
        ScanColumn(
            "breakeven", "Break-even", "Break-even", breakeven_text, lambda o: o.days,
            term("Break-even"), "12 payments \u00b7 4.0 d", 7,
            _stamps(lambda o: np.ceil(o.payments), lambda o: np.rint(o.days * 10)),
            (("break_even_payments", lambda o, i: float(o.payments[i])),
             ("break_even_days", lambda o, i: float(o.days[i]))),
            meaning=lambda o, i: "muted" if math.isinf(o.payments[i]) else "",
            detail=breakeven_detail,
        ),
    )  # fmt: skip


def _part_columns(hold: str) -> tuple[ScanColumn, ...]:
    """What the net is made of, beside the round trip: with these it can be added up."""
    return (
        _figure("gain", "Conv. counted, bp", "Convergence counted", lambda o: o.gain_bp, 1,
                "The convergence that the net counts: all of it where it costs; where it earns, "
                "only so much as our own history shows to come within the hold.",
                "\u2212123.4", 21, "convergence_counted_bp"),
        _figure("carry", f"Funding in {hold}, bp", "Funding in the hold", lambda o: o.funding_bp, 1,
                f"Expected funding of both legs in the hold of {hold}, payment by payment.",
                "\u2212123.4", 23, "funding_in_hold_bp"),
        _figure("borrow", f"Borrow in {hold}, bp", "Borrow in the hold", lambda o: o.borrow_bp, 1,
                f"Interest on borrowed coins in the hold of {hold}; 0 where nothing is borrowed.",
                "123.4", 26, "borrow_in_hold_bp", signed=False),
    )  # fmt: skip


def depth_text(o: Openings, i: int) -> str:
    """What fits: "84 k", with "\u2265" where only the touch is known."""
    said = compact_text(float(o.capacity[i]))
    return f"\u2265 {said}" if o.touch_only[i] and said != NOTHING else said


def hazard_text(o: Openings, i: int) -> str:
    """The share of like gaps that turned, with their number: "12 % of 40"."""
    share, cases = float(o.hazard[i]), int(o.hazard_n[i])
    if not math.isfinite(share) or cases <= 0:
        return NOTHING
    return f"{100 * share:.0f} % of {cases:,}"


def _digits(values: Floats) -> Floats:
    """Rounded to the three leading digits, about what a compact text shows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (np.floor(np.log10(np.abs(values))) - 2)
        scaled = np.where(values == 0, 0.0, np.rint(values / scale) * scale)
    return np.asarray(scaled, dtype=np.float64)


def _trust_columns(terms: Terms) -> tuple[ScanColumn, ...]:
    money = terms.currency
    return (
        ScanColumn(
            "depth", f"Depth, {money}", "Depth", depth_text, lambda o: o.capacity,
            f"What fits at {terms.capacity_bp:g} bp of impact on both legs together, by the median "
            "of each leg's last 5 books; \u2265: only the touch is known.", "\u2265 999 k", 5,
            _stamps(lambda o: _digits(o.capacity), lambda o: o.touch_only),
            ((f"depth_{money.lower()}", lambda o, i: float(o.capacity[i])),
             ("depth_touch_only_flag", lambda o, i: int(o.touch_only[i]))),
            meaning=lambda o, i: "warn" if o.capacity[i] < o.size else "",
            detail=lambda o, i: "Only the touch is known: more may stand behind it."
            if o.touch_only[i] else "",
        ),
        ScanColumn(
            "interest", f"OI, {money}", "Open interest",
            lambda o, i: compact_text(float(o.open_interest[i])), lambda o: o.open_interest,
            "Open interest, of the smaller perpetual.", "999 M", 19,
            _stamps(lambda o: _digits(o.open_interest)),
            ((f"open_interest_{money.lower()}", lambda o, i: float(o.open_interest[i])),),
        ),
        *_life_columns(),
        ScanColumn(
            "sector", "Sector", "Sector", lambda o, i: o.flags[i] or NOTHING,
            lambda o: np.array([FLAG_PLACE.get(flag, math.nan) for flag in o.flags]),
            term("Sector flag"), "contradicted", 3,
            lambda o, rows: np.array([[FLAG_PLACE.get(o.flags[i], -1.0) for i in rows.tolist()]]),
            (("sector", lambda o, i: o.flags[i]),),
            meaning=lambda o, i: FLAG_INK.get(o.flags[i], "muted"),
        ),
        ScanColumn(
            "age", "Age", "Age", lambda o, i: age_text(1e3 * float(o.age_s[i])),
            lambda o: o.age_s, "Age of the older of both quotes; an old one is dimmed.",
            "99.9 s", 2, _stamps(lambda o: np.ceil(np.round(o.age_s * 10, 6))),
            (("age_s", lambda o, i: float(o.age_s[i])),),
            meaning=lambda o, i: "warn" if o.state[i] == STALE else "",
        ),
    )  # fmt: skip


def _life_columns() -> tuple[ScanColumn, ...]:
    return (
        ScanColumn(
            "half", "Half-life", "Half-life of the funding gap",
            lambda o, i: hours_text(float(o.half_life_h[i])), lambda o: o.half_life_h,
            term("Half-life"), "40 min", 10, _stamps(lambda o: _digits(o.half_life_h)),
            (("half_life_h", lambda o, i: float(o.half_life_h[i])),),
        ),
        ScanColumn(
            "basis_half", "Basis half-life", "Half-life of the basis",
            lambda o, i: hours_text(float(o.basis_half_life_h[i])), lambda o: o.basis_half_life_h,
            "Half-life of the basis itself, from minute prices of our own history.",
            "40 min", 22, _stamps(lambda o: _digits(o.basis_half_life_h)),
            (("basis_half_life_h", lambda o, i: float(o.basis_half_life_h[i])),),
        ),
        ScanColumn(
            "hazard", "Hazard", "Reversal hazard", hazard_text, lambda o: o.hazard,
            term("Reversal hazard"), "12 % of 400", 11,
            _stamps(lambda o: np.rint(o.hazard * 100), lambda o: o.hazard_n),
            (("hazard_fraction", lambda o, i: float(o.hazard[i])),
             ("hazard_cases", lambda o, i: int(o.hazard_n[i]))),
        ),
    )  # fmt: skip


def cell_detail(column: ScanColumn, o: Openings, i: int) -> str:
    """The tooltip of a cell: what it says itself, a gap that is none, why the row is dimmed."""
    own = column.detail(o, i) if column.detail is not None else ""
    return "\n".join(said for said in (own, raw_only_detail(o, i), why_dim(o, i)) if said)
