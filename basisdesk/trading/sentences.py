"""What the desk did, as one sentence a person reads in the log. Figures are rounded for reading."""

from decimal import Decimal
from typing import assert_never

from basisdesk.events import (
    BorrowCharged,
    EquityMarked,
    Fill,
    FundingSettled,
    LegRejected,
    Liquidated,
    MarginMoved,
    Ordered,
    OrderEnded,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
    PlanChanged,
    Refused,
    RiskChanged,
    SessionStarted,
    Work,
)
from basisdesk.trading.authors import author
from basisdesk.trading.words import bp, money, name, plain
from basisdesk.trading.working import flattens
from basisdesk.venues.instrument import split_symbol

_REASONS = {
    "user": "by hand",
    "target": "target basis reached",
    "net": "net target reached",
    "stop": "stop basis reached",
    "time": "time stop",
    "funding": "funding turned against the pair",
    "sector": "sector signal reversed",
    "flatten": "flatten",
    "liquidation": "what the liquidation left",
    "adl": "what the deleveraging left",
    "unwind": "the surplus of an unhedged leg given back",
    "hedge": "the missing leg",
    "slice": "next slice",
    "rebalance": "rebalanced",
    "flip": "flipped",
}
_ENDS = {
    "filled": "is filled",
    "withdrawn": "was withdrawn",
    "expired": "ran out of time",
    "halted": "was withdrawn by the halt",
    "refused": "was refused",
}
_NEARLY = Decimal("0.99")  # a hedge is smaller by the fee that was taken in coins
_QUOTE = "USDT"  # the account's currency; every amount of money is in it


def reason_text(code: str) -> str:
    """The words for an exit or entry reason code."""
    return _REASONS.get(code, code)


def describe(outcome: Outcome) -> str:
    """One sentence for the log; the ledger has the exact figures."""
    match outcome:
        case PairOpened() | PairAdded() | PairReduced() | Liquidated():
            return _position_sentence(outcome)
        case Ordered() | OrderEnded() | LegRejected():
            return _order_sentence(outcome)
        case FundingSettled() | BorrowCharged() | MarginMoved() | PlanChanged():
            return _money_sentence(outcome)
        case SessionStarted():
            return f"Session {outcome.session} on {outcome.source} data."
        case RiskChanged():
            why = outcome.reason.rstrip(".") or "by hand"
            return f"Risk state is {outcome.state}: {why}. {outcome.resume}".rstrip()
        case EquityMarked():
            return f"Equity {money(outcome.equity, _QUOTE)}."
        case Refused():
            return outcome.text
        case _ as never:
            assert_never(never)


def _position_sentence(outcome: PairOpened | PairAdded | PairReduced | Liquidated) -> str:
    match outcome:
        case PairOpened():
            what = _traded(outcome.fills)
            if _as_asked(outcome):
                legs = f"long {name(outcome.long)}, short {name(outcome.short)}"
                said = f"{plain(outcome.qty)} {legs}, {len(outcome.fills)} fills"
            else:
                said = f"{' and '.join(what)}, of {plain(outcome.qty)} asked"
            who = f"; {outcome.by}" if outcome.by else ""
            return f"Pair {outcome.pair} opened: {said}{_converted(outcome)}{who}."
        case PairAdded():
            why, traded = _added_why(outcome.reason), " and ".join(_traded(outcome.fills))
            return f"Pair {outcome.pair} added to, {why}: {traded}{_converted(outcome)}."
        case PairReduced():
            verb = "closed" if outcome.closed else "reduced"
            why = outcome.by or reason_text(outcome.reason)
            traded = "" if outcome.closed else f", {' and '.join(_traded(outcome.fills))}"
            return f"Pair {outcome.pair} {verb}: {why}{traded}{_converted(outcome)}."
        case Liquidated():
            return _forced_sentence(outcome)


def _added_why(code: str) -> str:
    return "more of its order" if code == "user" else reason_text(code)


def _forced_sentence(outcome: Liquidated) -> str:
    left = "Nothing is left of the pair" if outcome.closed else "The other leg is naked"
    who = f"Pair {outcome.pair}: {name(outcome.instrument)}"
    if outcome.cause == "adl":
        return f"{who} was closed by the venue at its mark {plain(outcome.mark)} (ADL). {left}."
    return (
        f"{who} was liquidated, mark {plain(outcome.mark)} reached {plain(outcome.liq_price)}. "
        f"{left}."
    )


def _order_sentence(outcome: Ordered | OrderEnded | LegRejected) -> str:
    start = f"Pair {outcome.pair}: "
    match outcome:
        case Ordered():
            return f"{start}{_work_text(outcome.work)}."
        case OrderEnded():
            said = f"{start}its order {_ENDS.get(outcome.why, outcome.why)}."
            return f"{said} {outcome.text}".rstrip()
        case LegRejected():
            return f"{start}the {outcome.leg} leg was not traded. {outcome.text}"


def _work_text(work: Work) -> str:
    """What a working order is: "a passive entry of 100, long leg resting, in 3 slices"."""
    if flattens(work):
        return "not flat yet: it is tried again until nothing is left, after a restart too"
    how = work.how
    what = "entry" if work.kind == "open" else "exit"
    said = [f"{how.style} {what} of {plain(max(work.long_qty, work.short_qty))} at work"]
    if how.style == "limit" and how.limit_bp is not None:
        said.append(f"limit {bp(float(how.limit_bp))}")
    if how.style == "passive":
        said.append(f"{how.passive_leg} leg resting")
    if how.slices > 1:
        said.append(f"{how.slices} slices, {plain(how.slice_gap_s)} s apart")
    who = work.by or (author(work.request) if work.request is not None else "")
    if who:
        said.append(who)
    return ", ".join(said)


def _as_asked(outcome: PairOpened) -> bool:
    """Whether both legs filled about as much as was asked."""
    filled = {"long": Decimal(0), "short": Decimal(0)}
    for fill in outcome.fills:
        filled[fill.leg] += fill.qty
    return all(qty >= outcome.qty * _NEARLY for qty in filled.values())


def _traded(fills: tuple[Fill, ...]) -> list[str]:
    """What each leg traded: "100 bought on Bybit spot ADAUSDT"."""
    legs: dict[tuple[str, str], Decimal] = {}
    for fill in fills:
        key = (fill.side, fill.instrument)
        legs[key] = legs.get(key, Decimal(0)) + fill.qty
    return [
        f"{plain(qty)} {'bought' if side == 'buy' else 'sold'} on {name(key)}"
        for (side, key), qty in legs.items()
    ]


def _converted(outcome: PairOpened | PairAdded | PairReduced) -> str:
    """The cross rates that fills were converted at; "" where all are in account currency."""
    found = {_currency(fill): fill.fx for fill in outcome.fills if fill.fx != 1}
    said = [f"{quote} at {rate:f} {_QUOTE}" for quote, rate in sorted(found.items())]
    return f", {' and '.join(said)}" if said else ""


def _currency(fill: Fill) -> str:
    try:
        return split_symbol(fill.instrument)[1]
    except ValueError:
        return "quote currency"


def _money_sentence(
    outcome: FundingSettled | BorrowCharged | MarginMoved | PlanChanged,
) -> str:
    start = f"Pair {outcome.pair}: "
    if isinstance(outcome, FundingSettled):
        late = ", settled late" if outcome.late else ""
        amount = money(outcome.amount, _QUOTE, signed=True)
        return f"{start}funding on {name(outcome.instrument)}: {amount}{late}."
    if isinstance(outcome, BorrowCharged):
        return f"{start}borrow interest {money(-outcome.amount, _QUOTE, signed=True)}."
    if isinstance(outcome, MarginMoved):
        return f"{start}margin {money(outcome.amount, _QUOTE, signed=True)}."
    return f"{start}exit plan changed."
