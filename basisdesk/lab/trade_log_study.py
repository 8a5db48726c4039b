"""The script's trade log re-priced: what it claims, what it left out, and what is left.

Each round trip is counted again with the desk's fees and borrow interest. What the file cannot tell
(spreads, depth, funding rates) stays unknown and is said so: no figure is made up. Money is exact
in `bridge` and `trades`; the tables show it rounded.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, NamedTuple

from basisdesk import __version__
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.lab.replay import text
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.trade_log import TradeLog, Trip, read_trade_log
from basisdesk.trading.fees import FeeSchedule, schedule

VENUE = "bybit"  # the script knows no other
SLIP_BP = Decimal(2)  # what the script puts on each of its four fills
HOUR_S = 3_600
INTERVAL_H = 8  # funding, where nothing else is known
LEVERAGE_MAX = 5
RATE_MAX = Decimal("0.04")  # of an assumed funding rate, a fraction an interval
SHOWN_MAX = 500  # trades in the table; all are in the JSON
BASIS_NEAR = Decimal("0.00001")  # %: the basis as logged and as the fills give it
PRICE_NEAR = Decimal("0.00000003")  # of two prices printed to 8 places
ZERO, ONE, BP = Decimal(0), Decimal(1), Decimal(10_000)
UNKNOWN = "unknown"
WRONG = "Perpetual's leg"  # a line of its own where the column is not what the prices give


class Repriced(NamedTuple):
    """One round trip counted again, USDT. None: not to be known from the file.

    claimed: its realized_pnl. wrong: what that differs from the leg it says it is. net: both legs
    at the script's fills, less its fees. fees: the desk's fees beyond the script's, negative. coin:
    the spot buy's fee taken in coins. crossed: hours on which a settlement could lie, and those of
    eight-hour ones. frozen: its spot price stood still. left: what is known of the result.
    """

    trip: Trip
    claimed: Decimal
    wrong: Decimal
    spot: Decimal
    perp: Decimal
    logged_fees: Decimal
    net: Decimal
    fees: Decimal
    coin: Decimal
    borrow: Decimal
    funding: Decimal | None
    crossed: tuple[int, int]
    frozen: bool
    left: Decimal
    cash: Decimal
    leverage: Decimal | None


def import_trade_log(
    path: Path, settings: Settings, funding: Decimal | None = None
) -> dict[str, Any]:
    """A file of the script as a study. Raises UserError where it is none.

    funding: a rate to assume at every 8 h settlement, a fraction of the notional, > 0 where longs
    pay shorts; None leaves funding unknown.
    """
    if funding is not None and not abs(funding) <= RATE_MAX:
        raise UserError(
            f"A funding rate of {funding * 100:f} % in 8 h is beyond any venue's limit."
        )
    log = read_trade_log(path)
    fees = schedule(settings, VENUE)
    borrow = settings.borrow_rate(VENUE)
    found = [reprice(trip, fees, borrow, funding) for trip in log.trips]
    lines = _bridge(found, funding)
    return {
        "study": "trade_log",
        "title": f"{path.name[:80]}, re-priced",
        "version": __version__,
        "made_by": {"file": path.name[:200], "fees": fees.source, "basisdesk": __version__},
        "sentences": _sentences(log, found),
        "tables": [
            _bridge_table(lines),
            _unknown_table(found, funding, fees),
            _trades_table(found),
            _bad_table(log),
        ],
        "charts": [],
        "bridge": [{"line": name, "usdt": text(amount), "why": why} for name, amount, why in lines],
        "trades": [_exact(each) for each in found],
    }


def reprice(
    trip: Trip, fees: FeeSchedule, borrow_rate: Decimal, funding: Decimal | None
) -> Repriced:
    """Count one round trip again. borrow_rate: a fraction an hour; funding: as above."""
    entry, leave, d, qty = trip.entry, trip.exit, trip.direction, trip.entry.qty
    spot = d * qty * (leave.spot - entry.spot)
    perp = d * qty * (entry.perp - leave.perp)
    logged = entry.fees + leave.fees
    net = spot + perp - logged
    ours = qty * (entry.spot + leave.spot) * fees.spot_taker
    ours += qty * (entry.perp + leave.perp) * fees.perp_taker
    coin = _coin_fee(trip, fees)
    hours, settlements = _crossed(trip, 1), _crossed(trip, INTERVAL_H)
    paid: Decimal | None = ZERO if not hours else None
    if hours and funding is not None:
        paid = d * funding * settlements * qty * entry.perp
    owed = ZERO if d > 0 else -_started_hours(trip) * borrow_rate * qty * entry.spot
    return Repriced(
        trip=trip,
        claimed=leave.realized,
        wrong=perp - leave.realized,
        spot=spot,
        perp=perp,
        logged_fees=logged,
        net=net,
        fees=logged - ours,
        coin=coin,
        borrow=owed,
        funding=paid,
        crossed=(hours, settlements),
        frozen=_frozen(trip),
        left=net + (logged - ours) + coin + owed + (paid or ZERO),
        cash=leave.cash - trip.cash_before,
        leverage=qty * entry.perp / entry.margin if entry.margin > 0 else None,
    )


def _coin_fee(trip: Trip, fees: FeeSchedule) -> Decimal:
    """A spot buy pays in the coins it buys: fewer are left to sell, and less of a fee to pay."""
    if trip.direction < 0 or not fees.spot_buy_in_base:
        return ZERO
    fewer = trip.entry.qty * fees.spot_taker
    return -fewer * (trip.exit.spot - trip.entry.spot) + fewer * trip.exit.spot * fees.spot_taker


def _crossed(trip: Trip, every_h: int) -> int:
    """Multiples of so many hours, UTC, after the entry and up to the exit."""
    step = every_h * HOUR_S
    return trip.exit.t_s // step - trip.entry.t_s // step


def _started_hours(trip: Trip) -> int:
    """Clock hours in which coins were owed, begun ones too, as the desk counts borrow interest."""
    return trip.exit.t_s // HOUR_S - trip.entry.t_s // HOUR_S + 1


def _frozen(trip: Trip) -> bool:
    """Whether the spot price behind both fills is the same one.

    Asked only where the fills stand 2 bp off the mids that the logged basis was made of.
    """
    mids = []
    for row, way in ((trip.entry, trip.direction), (trip.exit, -trip.direction)):
        spot = row.spot / (ONE + way * SLIP_BP / BP)
        perp = row.perp / (ONE - way * SLIP_BP / BP)
        if abs((perp - spot) / spot * 100 - row.basis_pct) > BASIS_NEAR:
            return False
        mids.append(spot)
    return abs(mids[0] - mids[1]) <= PRICE_NEAR and trip.entry.perp != trip.exit.perp


# --- words and tables -----------------------------------------------------------------------------


def _total(found: Sequence[Repriced], name: str) -> Decimal:
    return sum((getattr(each, name) or ZERO for each in found), ZERO)


def _bridge(found: Sequence[Repriced], funding: Decimal | None) -> list[tuple[str, Decimal, str]]:
    """From the claim to what is left; each line but the sums is what was missing."""
    short = [each for each in found if each.trip.direction < 0]
    lines = [
        ("Claimed", _total(found, "claimed"), "The sum of its column realized_pnl."),
        ("Spot leg", _total(found, "spot"), "The column holds the perpetual's leg alone."),
    ]
    if wrong := _total(found, "wrong"):
        lines.append((WRONG, wrong, "The column is not what its own prices give."))
    lines += [
        (
            "Fees it logged",
            -_total(found, "logged_fees"),
            "In a column of their own, of entry and exit; never taken off the profit.",
        ),
        ("Net at its own prices", _total(found, "net"), "Both legs, in and out, less its fees."),
        (
            "Fees at the desk's tier",
            _total(found, "fees"),
            "Beyond what it logged, all four fills.",
        ),
        (
            "Spot fee taken in coins",
            _total(found, "coin"),
            "A spot buy pays in coins on Bybit, so fewer are sold than were bought.",
        ),
    ]
    if short:
        why = (
            f"Interest on coins sold short, {_count(len(short), 'trade')}; the script charges none."
        )
        lines.append(("Borrow", _total(found, "borrow"), why))
    if funding is not None:
        count = sum(each.crossed[1] for each in found)
        why = f"Assumed {funding * 100:f} % at {_count(count, 'settlement')} of 8 h."
        lines.append(("Funding, assumed", _total(found, "funding"), why))
    why = "Before what cannot be known from the file, below."
    return [*lines, ("What is left", _total(found, "left"), why)]


def _bridge_table(lines: Sequence[tuple[str, Decimal, str]]) -> dict[str, Any]:
    return {
        "title": "From the claim to what is left",
        "columns": ["line", {"name": "amount", "unit": "USDT"}, "why"],
        "rows": [
            [name, _shown(amount), why]
            for name, amount, why in lines
            if name != WRONG or _shown(amount)
        ],
        "note": "Fees and borrow interest are those of your settings for Bybit.",
    }


def _unknown_table(
    found: Sequence[Repriced], funding: Decimal | None, fees: FeeSchedule
) -> dict[str, Any]:
    value = sum(
        (e.trip.entry.qty * (e.trip.entry.spot + e.trip.entry.perp
                             + e.trip.exit.spot + e.trip.exit.perp) for e in found), ZERO,
    )  # fmt: skip
    rows = [
        [
            "Spread and depth",
            UNKNOWN,
            f"It fills whole at its mid and {SLIP_BP} bp, and logs no book. Each further bp on all "
            f"four fills costs {_shown(value / BP):,.4f} USDT over this file.",
        ],
        ["Legging and latency", UNKNOWN, "Both legs fill at once; the seconds between are not."],
        ["Rounding to lots", UNKNOWN, "It rounds no size; lots are not in the file."],
    ]
    if open_ones := [each for each in found if each.funding is None]:
        paid = _count(sum(each.crossed[1] for each in open_ones), "settlement")
        rows.insert(0, [
            "Funding", UNKNOWN,
            f"{len(open_ones)} of {len(found)} trades lay over a full hour, {paid} of 8 h in all; "
            "the script books none, and logs no rate. Give a rate to assume one.",
        ])  # fmt: skip
    elif funding is None and found:
        said = "No trade lay over a full hour: there was nothing to settle."
        rows.insert(0, ["Funding", "0", said])
    if any(each.frozen for each in found):
        count = sum(each.frozen for each in found)
        rows.insert(0, [
            "The true spot price", UNKNOWN,
            f"In {count} of {len(found)} trades its spot price stood still between entry and exit "
            "while the perpetual moved: it reads bid and ask that Bybit's spot ticker does not "
            "send. What those trades earned is not known at all.",
        ])  # fmt: skip
    return {
        "title": "What cannot be known from the file",
        "columns": ["what", {"name": "amount", "unit": "USDT"}, "why"],
        "rows": rows,
        "note": f"Fees: {fees.source}.",
    }


def _trades_table(found: Sequence[Repriced]) -> dict[str, Any]:
    money = ("claimed", "its note tells", "spot leg", "perp leg", "its fees", "more fees",
             "funding", "borrow", "left", "its cash moved")  # fmt: skip
    rows = []
    for each in found[:SHOWN_MAX]:
        trip = each.trip
        rows.append([
            trip.entry.line,
            trip.exit.line,
            utc_text(trip.entry.t_s * 1_000_000_000)[:19].replace("T", " "),
            trip.exit.t_s - trip.entry.t_s,
            "long spot" if trip.direction > 0 else "short spot",
            _shown(trip.entry.qty),
            *(_shown(amount) for amount in (
                each.claimed, trip.told, each.spot, each.perp, -each.logged_fees,
                each.fees + each.coin, each.funding, each.borrow,
                None if each.frozen else each.left, each.cash,
            )),
            _shown(each.leverage),
            _flag(each),
        ])  # fmt: skip
    more = len(found) - SHOWN_MAX
    said = f" The first {SHOWN_MAX} of {len(found):,}; the JSON has all." if more > 0 else ""
    return {
        "title": "Trades",
        "columns": [
            "line in", "line out", "entry UTC", {"name": "held", "unit": "s"}, "side",
            {"name": "qty", "unit": "coins"}, *({"name": each, "unit": "USDT"} for each in money),
            {"name": "leverage", "unit": "x"}, "seen",
        ],
        "rows": rows,
        "note": f"n/a: not known. A trade is an entry with its exit; the script counts two.{said}",
    }  # fmt: skip


def _flag(each: Repriced) -> str:
    said = []
    if each.frozen:
        said.append("spot price stood still")
    if not each.trip.reason:
        said.append("no reason logged")
    if each.leverage is not None and each.leverage > LEVERAGE_MAX:
        said.append(f"beyond {LEVERAGE_MAX}x")
    if each.trip.direction < 0 and each.cash < -each.trip.entry.qty * each.trip.entry.spot / 2:
        said.append("proceeds of the short never booked")
    return ", ".join(said)


def _bad_table(log: TradeLog) -> dict[str, Any]:
    rows: list[list[Any]] = [
        [row.line, f"Line {row.line}: an entry whose exit never came; the pair is lost."]
        if row.entry
        else [row.line, f"Line {row.line}: an exit without its entry."]
        for row in log.lost[:SHOWN_MAX]
    ]
    rows += [[number, said] for number, said in log.bad]
    more = log.bad_count - len(log.bad) + max(0, len(log.lost) - SHOWN_MAX)
    return {
        "title": "Lines left out",
        "columns": ["line", "why"],
        "rows": sorted(rows),
        "note": f"{more:,} more are not listed." if more else "",
    }


def _sentences(log: TradeLog, found: Sequence[Repriced]) -> list[str]:
    out = len(log.lost) + log.bad_count
    said = [
        f"{log.rows:,} rows: {len(found):,} round trip{'' if len(found) == 1 else 's'} of "
        f"{log.runs:,} run{'' if log.runs == 1 else 's'} of the script; {out:,} lines left out."
    ]
    if not found:
        return [*said, "No entry has its exit: there is nothing to re-price."]
    claimed, left = _total(found, "claimed"), _total(found, "left")
    frozen = sum(each.frozen for each in found)
    said.append(
        f"It claims {_signed(claimed)} USDT; with both legs, fees and borrow interest "
        f"{_signed(left)} are left, before spread, depth"
        f"{' and funding' if any(each.funding is None for each in found) else ''}."
    )
    if frozen:
        said.append(
            f"{frozen} of {len(found)} trades were measured against a spot price that stood "
            f"still: of what is left, {_signed(_total([e for e in found if e.frozen], 'left'))} "
            "USDT is not real."
        )
    told = [each.trip.told for each in found]
    if any(each is not None for each in told):
        total = sum((each for each in told if each is not None), ZERO)
        said.append(
            f"Its notes tell {_signed(total)} USDT: taken at mids before the exit was filled, so "
            "without the exit's fees and slippage."
        )
    reverse = [each for each in found if each.trip.direction < 0]
    if reverse:
        said.append(
            f"In {_count(len(reverse), 'trade')} it sold coins it did not have: the proceeds never "
            f"reached its cash, which says {_signed(_total(reverse, 'cash'))} USDT of them."
        )
    high = max((each.leverage for each in found if each.leverage is not None), default=ZERO)
    if high > LEVERAGE_MAX:
        said.append(f"Up to {high:.1f}x leverage; the desk opens at {LEVERAGE_MAX}x at most.")
    if log.runs > 1:
        said.append("The file mixes runs: each began with a fresh balance and no name of its own.")
    return [*said, "The file names no symbol and no venue; Bybit is assumed, as in the script."]


def _exact(each: Repriced) -> dict[str, Any]:
    trip = each.trip
    return {
        "entry_line": trip.entry.line,
        "exit_line": trip.exit.line,
        "direction": trip.direction,
        "qty": text(trip.entry.qty),
        "told": None if trip.told is None else text(trip.told),
        "frozen": each.frozen,
        "settlements_8h": each.crossed[1],
        "funding": None if each.funding is None else text(each.funding),
        **{
            name: text(getattr(each, name))
            for name in ("claimed", "spot", "perp", "logged_fees", "net", "fees", "coin", "borrow",
                         "left", "cash")
        },
    }  # fmt: skip


def _shown(amount: Decimal | None) -> float | None:
    """An amount for a table: four places."""
    if amount is None:
        return None
    return float(amount.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)) + 0.0


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.2f}".replace("-", "\N{MINUS SIGN}")
