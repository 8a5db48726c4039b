"""A rig with legs in dollars on Kraken, their cross rate, and funds that come from the ledger."""

import decimal

import msgspec
from trading_rig import PERP_B, D, Rig, perp_rules, settings, spot_rules

from basisdesk.config import Settings
from basisdesk.events import Funds, SessionStarted
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions
from basisdesk.venues.instrument import FundingRule

USDT_USD, USDC_USDT = "kraken:spot:USDT/USD", "bybit:spot:USDCUSDT"
KRAKEN_SPOT, KRAKEN_PERP = "kraken:spot:ADA/USD", "kraken:perp:PF_ADAUSD"
BINANCE_PERP, OKX_PERP = "binance:perp:ADAUSDT", PERP_B
HOURLY = FundingRule(0.0, 0.0, "24h", "accrual", "index")


def venue_settings(**changes):
    """No latency, and each venue's own default fees."""
    bold = settings(reserve=0)
    changes = {"paper": bold.paper, "risk": bold.risk} | changes
    return msgspec.structs.replace(Settings(), **changes)


class CrossRig(Rig):
    """USDT/USD stands at 0.9996 / 0.9998: a dollar brings 1.0002 and costs 1.0004, roughly."""

    def __init__(self, start=100_000, conf=None):
        super().__init__(conf or venue_settings(), Funds(D(start), D(start)))
        self.books = Books()
        self.book(SessionStarted(self.now, "s", "demo", "0", "USDT", D(start)))
        told = {
            KRAKEN_SPOT: spot_rules(symbol="ADA/USD", lot=D("0.1"), tick=D("0.000001")),
            KRAKEN_PERP: perp_rules(symbol="PF_ADAUSD", tick=D("0.00001"), funding=HOURLY),
            BINANCE_PERP: perp_rules(),
        }
        for key, rules in told.items():
            quote = "USD" if key.startswith("kraken") else "USDT"
            changes = {"key": key, "venue": key.partition(":")[0], "quote": quote}
            self.market.instruments[key] = msgspec.structs.replace(rules, **changes)
            self.market.leg(key).instrument = self.market.instruments[key]
        self.show(USDT_USD, [(0.9996, 1e6)], [(0.9998, 1e6)])
        self.show(USDC_USDT, [(1.0001, 1e6)], [(1.0002, 1e6)])
        self.show(KRAKEN_SPOT, [(0.3639, 1e6)], [(0.3640, 400.0), (0.3641, 1e6)])
        self.show(KRAKEN_PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
        self.show(BINANCE_PERP, [(0.3665, 700.0), (0.3664, 1e6)], [(0.3666, 1e6)])
        self.show(OKX_PERP, [(0.3675, 1e6)], [(0.3676, 1e6)])

    def book(self, outcome):
        """Book one outcome as the engine does; its transactions."""
        with decimal.localcontext(prec=64):
            txns = transactions(outcome, self.books)
            self.books.apply(outcome, txns)
        return txns

    def do(self, command):
        """As the engine: wide arithmetic around the desk."""
        with decimal.localcontext(prec=64):
            return super().do(command)

    def later(self, ns, fresh=True):
        """As the engine: wide arithmetic around the desk."""
        with decimal.localcontext(prec=64):
            return super().later(ns, fresh)

    def sheet(self, request):
        """The ticket's sheet now."""
        with decimal.localcontext(prec=64):
            return self.desk.sheet(request, self.market, self.funds, self.now)

    def _take(self, outcomes):
        for outcome in outcomes:
            self.book(outcome)
        super()._take(outcomes)
        self.funds = self.books.funds({})
        return outcomes
