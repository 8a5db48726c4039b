"""What the desk did, as one sentence a person reads in the log. Figures are rounded for reading."""

from basisdesk.events import (
    BorrowCharged,
    Fill,
    FundingSettled,
    Liquidated,
    MarginMoved,
    Outcome,
    PairOpened,
    PairReduced,
    PlanChanged,
    Refused,
    RiskChanged,
    SessionStarted,
)
from basisdesk.trading.words import money, name, plain
from basisdesk.venues.instrument import split_symbol

_REASONS = {
    "user": "by hand",
    "target": "target basis reached",
    "stop": "stop basis reached",
    "time": "time stop",
    "flatten": "flatten",
    "liquidation": "what the liquidation left",
}
_QUOTE = "USDT"  # the account's currency; every amount of money is in it


def reason_text(code: str) -> str:
    """The words for an exit or entry reason code."""
    return _REASONS.get(code, code)


def describe(outcome: Outcome) -> str:
    """One sentence for the log; the ledger has the exact figures."""
    match outcome:
        case PairOpened() | PairReduced() | Liquidated():
            return _position_sentence(outcome)
        case FundingSettled() | BorrowCharged() | MarginMoved() | PlanChanged():
            return _money_sentence(outcome)
        case SessionStarted():
            return f"Session {outcome.session} on {outcome.source} data."
        case RiskChanged():
            return f"Risk state is {outcome.state}: {outcome.reason or 'by hand'}."
        case Refused():
            return outcome.text


def _position_sentence(outcome: PairOpened | PairReduced | Liquidated) -> str:
    if isinstance(outcome, PairOpened):
        return (
            f"Pair {outcome.pair} opened: {plain(outcome.qty)} long {name(outcome.long)}, short "
            f"{name(outcome.short)}, {len(outcome.fills)} fills{_converted(outcome)}."
        )
    if isinstance(outcome, PairReduced):
        verb = "closed" if outcome.closed else "reduced"
        why = reason_text(outcome.reason)
        return f"Pair {outcome.pair} {verb}: {why}{_converted(outcome)}."
    left = "Nothing is left of the pair" if outcome.closed else "The other leg is naked"
    return (
        f"Pair {outcome.pair}: {name(outcome.instrument)} was liquidated, mark "
        f"{plain(outcome.mark)} reached {plain(outcome.liq_price)}. {left}."
    )


def _converted(outcome: PairOpened | PairReduced) -> str:
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
