"""Words of a session's page: names of the terms, heads of the columns, reasons."""

from collections.abc import Mapping

Heads = Mapping[str, str]

TERM_NAMES = {
    "basis": "Basis",
    "funding": "Funding",
    "fees": "Fees",
    "slippage": "Slippage",
    "borrow": "Borrow",
    "residual": "Unhedged delta",
}
UNITS = {"utc": "UTC", "usdt": "USDT", "bp": "bp", "ns": "ns", "ms": "ms", "s": "s", "h": "h"}
WHY = {
    "user": "by hand",
    "target": "target reached",
    "net": "net target reached",
    "stop": "stop reached",
    "time": "time stop",
    "funding": "funding turned",
    "sector": "sector signal reversed",
}

# What of a table stands on the page, under which heads; the CSV file holds every column.
SHOWN: dict[str, tuple[str, Heads]] = {
    "funding": (
        "Funding",
        {
            "settled_utc": "Settled, UTC",
            "pair": "Pair",
            "instrument": "Instrument",
            "rate": "Rate, %",
            "mark": "Mark, quote currency",
            "qty": "Qty, coins",
            "amount_usdt": "Received, USDT",
            "late": "Heard",
            "source": "Source",
        },
    ),
    "fills": (
        "Fills",
        {
            "time_utc": "Time, UTC",
            "pair": "Pair",
            "instrument": "Instrument",
            "side": "Side",
            "qty": "Qty, coins",
            "price": "Price, quote currency",
            "fee": "Fee",
            "fee_currency": "Fee in",
            "liquidity": "As",
            "grade": "Grade",
            "grade_reason": "Why this grade",
        },
    ),
    "refusals": (
        "Refused orders",
        {
            "time_utc": "Time, UTC",
            "limit": "Limit",
            "asked": "Asked",
            "allowed": "Allowed",
            "text": "What the desk said",
        },
    ),
    "rejections": (
        "Rejected legs",
        {
            "time_utc": "Time, UTC",
            "pair": "Pair",
            "leg": "Leg",
            "instrument": "Instrument",
            "limit": "Limit",
            "text": "What the venue said",
        },
    ),
    "decisions": (
        "Decisions of the autopilot",
        {
            "time_utc": "Time, UTC",
            "coin_pair": "Coin pair",
            "playbook": "Playbook",
            "done": "Done",
            "text": "Why",
            "forecast": "What the forecast said",
            "person_reason": "What a person said",
        },
    ),
    "signals": (
        "Signals of the forecast",
        {
            "time_utc": "Time, UTC",
            "spot": "Spot",
            "perp": "Perpetual",
            "side": "Side",
            "p": "p, fraction",
            "decision": "Decision",
            "cost_bp": "Costs, bp",
            "target_bp": "Target, bp",
            "outcome": "Outcome",
            "net_bp": "Net, bp",
        },
    ),
    "postings": (
        "Postings of the ledger",
        {
            "entry": "Entry",
            "time_utc": "Time, UTC",
            "cause": "Cause",
            "account": "Account",
            "currency": "Currency",
            "amount": "Amount",
        },
    ),
}
