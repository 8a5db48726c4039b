"""The shared words: what comes in, what is true, what was decided, what changed.

Three kinds of struct, all frozen.
* Market events: what a venue said. Prices and sizes are float64, sizes in base coin.
* Commands: what a person asked for. Amounts are Decimal, written as text in files.
* Outcomes: what the desk did. Money is Decimal. They are the journal: positions, balances and
  risk state are folded from them, live and at restart alike.

Times ending in `_ns` are our own stamps (UTC nanoseconds) and the one order of events. Times ending
in `_ms` are a venue's clock and are only compared with that venue's other times.
"""

from basisdesk.events.commands import (
    AddMargin,
    ClosePair,
    Command,
    ExitPlan,
    Flatten,
    Halt,
    OpenPair,
    Resume,
    SetPlan,
    SetValue,
)
from basisdesk.events.frames import (
    BEAT,
    COMMAND,
    ENTRY,
    LINK,
    Changed,
    Frame,
    LinkChange,
)
from basisdesk.events.market import (
    Ack,
    BookLost,
    BookUpdate,
    Candles,
    ComboQuote,
    FundingHistory,
    FundingInfo,
    Heard,
    Notice,
    Pong,
    Quote,
    Ticker,
    Trade,
    VenueTime,
)
from basisdesk.events.outcomes import (
    MONEY,
    BorrowCharged,
    Fill,
    FundingSettled,
    Funds,
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

__all__ = [
    "BEAT",
    "COMMAND",
    "ENTRY",
    "LINK",
    "MONEY",
    "Ack",
    "AddMargin",
    "BookLost",
    "BookUpdate",
    "BorrowCharged",
    "Candles",
    "Changed",
    "ClosePair",
    "ComboQuote",
    "Command",
    "ExitPlan",
    "Fill",
    "Flatten",
    "Frame",
    "FundingHistory",
    "FundingInfo",
    "FundingSettled",
    "Funds",
    "Halt",
    "Heard",
    "LinkChange",
    "Liquidated",
    "MarginMoved",
    "Notice",
    "OpenPair",
    "Outcome",
    "PairOpened",
    "PairReduced",
    "PlanChanged",
    "Pong",
    "Quote",
    "Refused",
    "Resume",
    "RiskChanged",
    "SessionStarted",
    "SetPlan",
    "SetValue",
    "Ticker",
    "Trade",
    "VenueTime",
]
