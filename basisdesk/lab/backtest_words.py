"""The sentences of a backtest: each true whatever came out, no figure without what it is of."""

from typing import TYPE_CHECKING

import numpy as np

from basisdesk.lab.halted import halted_said
from basisdesk.lab.rule import lines
from basisdesk.lab.series import Floats
from basisdesk.lab.statistics import Interval, block_mean, calendar_blocks, wilson

if TYPE_CHECKING:
    from basisdesk.lab.backtest_study import Run, Studied

ENOUGH = 30  # trades, before a mean is spoken of
BLOCK_DAYS = 7.0
EQUAL = 0.005  # nets nearer to each other are said to be equal
MONEY = "USDT"


def backtest_sentences(found: "Studied") -> list[str]:
    """What a person reads first: how many trades, what they made, against what."""
    n, rows = len(found.head.trades), len(found.table.view.t_ns)
    kind = "a close-to-close proxy" if found.bars else "recorded quotes"
    trades = "1 trade" if n == 1 else f"{n:,} trades"
    said = [f"{trades} on {rows:,} rows, {kind}.", _engine(found)]
    if not n:
        said.append("The rule never traded. No trade is the normal state of this market.")
        return [each for each in (*said, halted_said(found.series), _fair(found)) if each]
    said += [halted_said(found.series), _fair(found)]
    if n < ENOUGH:
        said.append(f"Fewer than {ENOUGH} trades: what follows is a range, not a result.")
    said += [*_made(found), _against(found), _luck(found), _liquidated(found), _slips(found)]
    return [each for each in said if each]


def net_interval(run: "Run") -> Interval:
    """Mean net of a trade with its interval."""
    trades = run.trades
    return block_mean(trades["net"], calendar_blocks(trades["entry_ns"], BLOCK_DAYS), 1)


def luck_said(net: float, drawn: Floats, what: str) -> str:
    """How many draws did as well; see `backtest_nulls.luck` for the p-value."""
    count, n = int(np.count_nonzero(drawn >= net)), len(drawn)
    p = (1 + count) / (1 + n)
    if not count:
        return f"none of {n:,} draws of {what} did as well (p at most {p:.1%})"
    return f"{count:,} of {n:,} draws of {what} did as well or better (p {p:.1%})"


def side(value: float, other: float) -> str:
    """Where a net stands beside another."""
    if abs(value - other) < EQUAL:
        return "equal to"
    return "above" if value > other else "below"


def _engine(found: "Studied") -> str:
    if found.engine is None:
        return f"Run by the kernel alone: {found.walked}."
    what = "Filled on the deciding close, the" if found.bars else "The"
    return (
        f"{what} rule went through the desk's engine ({found.engine.frames:,} messages); the "
        f"kernel made the same trades, each the same to {max(found.gap, 1e-9):.0e} {MONEY}."
    )


def _fair(found: "Studied") -> str:
    low, high = found.table.fair
    rule, rate = found.options.rule, found.table.costs.money_rate
    value = f"{low:+.2f} bp" if low == high else f"{low:+.2f} to {high:+.2f} bp"
    at = lines(rule, found.table.fair)
    sides = []
    if np.isfinite(at.up_in):
        sides.append(f"at {at.up_in:+.2f} bp or above with the perpetual sold")
    if np.isfinite(at.down_in):
        sides.append(f"at {at.down_in:+.2f} bp or below with the perpetual bought")
    enters = f" The rule enters {' and '.join(sides)}." if sides else ""
    return (
        f"Fair is a basis of {value}: there the venue's funding, by its own rule, just pays for "
        f"money at {rate:.1%} a year.{enters}"
    )


def _made(found: "Studied") -> list[str]:
    head, capital = found.head, found.options.size.capital
    text = f"{_net(head)} on {capital:,.0f} of capital at {head.name} costs; {_mean(head)}"
    if not found.bars:
        return [f"Net {text}. {_won(head)}."]
    said = [
        f"Decided on a bar's close and filled at the next bar's, the rule made {text}; "
        f"{_won(head)}."
    ]
    main = found.main
    if len(main.trades):
        said.append(
            "Filled on the very close that decides, which nobody can do, it "
            f"would be {_net(main)} in {len(main.trades):,} trades; {_mean(main)}; {_won(main)}."
        )
    return said


def _net(run: "Run") -> str:
    return f"{run.net:+.2f} {MONEY}"


def _mean(run: "Run") -> str:
    mean = net_interval(run)
    if not np.isfinite(mean.low):
        return f"{mean.value:+.2f} a trade (no interval: too few)"
    return (
        f"{mean.value:+.2f} a trade (95 % interval {mean.low:+.2f} to {mean.high:+.2f}, blocks of "
        f"{BLOCK_DAYS:g} days)"
    )


def _won(run: "Run") -> str:
    n, wins = len(run.trades), int(np.count_nonzero(run.trades["net"] > 0.0))
    low, high = wilson(wins / n, n)
    return f"{wins:,} of {n:,} won, {wins / n:.0%} (95 % interval {low:.0%} to {high:.0%})"


def _against(found: "Studied") -> str:
    net, carry, rate = found.head.net, found.carry.net, found.table.costs.money_rate
    return (
        f"That is {side(net, 0.0)} never trading (0), {side(net, carry)} always-on carry "
        f"({carry:+.2f} {MONEY}) and {side(net, found.cash)} the whole capital lent as cash at "
        f"{rate:.1%} a year, simple interest ({found.cash:+,.2f} {MONEY}); that interest is in no "
        "other term."
    )


def _luck(found: "Studied") -> str:
    net = found.head.net
    said = luck_said(net, found.random, "random entries with the same count and holds")
    dealt = luck_said(net, found.shuffled, "the same trades with funding shuffled")
    return f"{said[0].upper()}{said[1:]}; {dealt}."


def _liquidated(found: "Studied") -> str:
    said = []
    for run, name in ((found.head, "The rule"), (found.carry, "Always-on carry")):
        count = int(run.summary["liquidated"])
        if count:
            said.append(
                f"{name} was liquidated {_times(count)} in {len(run.trades):,} trades; what the "
                f"forced closes took or gave ({run.terms['liquidation'].sum():+.2f} {MONEY}) "
                "stands under liquidation, not under slippage. It is judged on the mark's highs "
                "and lows of each bar where known; the spot leg then goes at that bar's close."
            )
    return " ".join(said)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _slips(found: "Studied") -> str:
    if not found.slips:
        return ""
    each = [
        f"{_net(run)} with {len(run.trades):,} trade{'' if len(run.trades) == 1 else 's'} at "
        f"{bp:g} bp"
        for bp, run in found.slips
    ]
    text = f"Slippage of each leg and fill: {', '.join(each)}"
    if len({len(run.trades) for _, run in found.slips}) == 1:
        return text + "."
    return (
        text + ". The number of trades changes with it: entry and exit are measured on the prices "
        "that are filled, so dearer fills leave trades out and hold others longer, and net need "
        "not fall."
    )
