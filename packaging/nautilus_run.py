"""One rule over one stream of quotes in NautilusTrader's backtest: run by compare_nautilus.py.

    PYTHON_WITH_NAUTILUS nautilus_run.py STREAM.npz RULE.json

Needs NautilusTrader 1.221 and numpy, and nothing of basisdesk. The stream's arrays are one quote
each: t_ns, leg (0 spot, 1 perpetual), bid, ask (in ticks of 0.01). The rule's levels are basis
points of the executable basis. Prints one JSON line: quotes, wall and CPU seconds of `engine.run`,
trades (time, direction) and fills.
"""

import json
import sys
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("BYBIT")
SPOT, PERP = InstrumentId(Symbol("BTCUSDT"), VENUE), InstrumentId(Symbol("BTCUSDT-PERP"), VENUE)
LOT = 1e-5


class Band(Strategy):
    """The rule of basisdesk's lab/rule.py: bands on the executable basis, a stop, a time stop."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule
        self.quotes = [None, None]  # (bid, ask) of spot and perpetual
        self.d = 0
        self.fills = []
        self.entry_ns = 0
        self.stop_bp = 0.0

    def on_start(self):
        """Ask for the quotes of both legs."""
        self.subscribe_quote_ticks(SPOT)
        self.subscribe_quote_ticks(PERP)

    def on_quote_tick(self, tick):
        """Look at the basis after each quote."""
        quotes = self.quotes
        quote = (float(tick.bid_price), float(tick.ask_price))
        quotes[0 if tick.instrument_id == SPOT else 1] = quote
        if quotes[0] is None or quotes[1] is None:
            return
        (spot_bid, spot_ask), (perp_bid, perp_ask) = quotes
        rule = self.rule
        if not self.d:
            if tick.ts_event >= rule["last_ns"]:
                return
            if (perp_bid / spot_ask - 1.0) * 1e4 >= rule["up_in"]:
                self.enter(1, tick.ts_event)
            elif (perp_ask / spot_bid - 1.0) * 1e4 <= rule["down_in"]:
                self.enter(-1, tick.ts_event)
            return
        if self.leaves(tick.ts_event):
            self.trade(-self.d, tick.ts_event)
            self.d = 0

    def leaves(self, now_ns):
        """Whether stop, target or time say to leave, or nothing comes after this quote."""
        (spot_bid, spot_ask), (perp_bid, perp_ask) = self.quotes
        rule, d = self.rule, self.d
        mid = ((perp_bid + perp_ask) / (spot_bid + spot_ask) - 1.0) * 1e4
        if d * mid >= self.stop_bp:
            return True
        if d > 0:
            if (perp_ask / spot_bid - 1.0) * 1e4 <= rule["up_out"]:
                return True
        elif (perp_bid / spot_ask - 1.0) * 1e4 >= rule["down_out"]:
            return True
        return now_ns - self.entry_ns >= rule["hold_ns"] or now_ns >= rule["last_ns"]

    def enter(self, d, now_ns):
        """Trade both legs and remember where the stop is."""
        (spot_bid, spot_ask), (perp_bid, perp_ask) = self.quotes
        price = spot_ask if d > 0 else spot_bid
        self.qty = Quantity(int(self.rule["notional"] / price / LOT + 1e-9) * LOT, 5)
        self.trade(d, now_ns)
        self.d, self.entry_ns = d, now_ns
        mid = ((perp_bid + perp_ask) / (spot_bid + spot_ask) - 1.0) * 1e4
        self.stop_bp = d * mid + self.rule["stop_bp"]

    def trade(self, d, now_ns):
        """A market order of each leg: d > 0 buys spot and sells the perpetual."""
        self.fills.append([now_ns, d])
        for instrument, side in ((SPOT, d), (PERP, -d)):
            buys = OrderSide.BUY if side > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(instrument, buys, self.qty))


def instruments(rule):
    """Spot and perpetual of BTC against USDT, with the rule's taker fees."""
    fees = {"maker_fee": Decimal(0)}
    spot = CurrencyPair(
        SPOT, SPOT.symbol, BTC, USDT, 2, 5, Price(0.01, 2), Quantity(LOT, 5),
        ts_event=0, ts_init=0, taker_fee=Decimal(repr(rule["spot_taker"])), **fees,
    )  # fmt: skip
    perp = CryptoPerpetual(
        PERP, PERP.symbol, BTC, USDT, USDT, False, 2, 5, Price(0.01, 2), Quantity(LOT, 5),
        ts_event=0, ts_init=0, margin_init=Decimal("0.1"), margin_maint=Decimal("0.005"),
        taker_fee=Decimal(repr(rule["perp_taker"])), **fees,
    )  # fmt: skip
    return spot, perp


def ticks(stream):
    """The quotes as Nautilus has them, made before the clock starts."""
    size = Quantity(10_000, 5)
    ids = (SPOT, PERP)
    rows = zip(*(stream[name].tolist() for name in ("t_ns", "leg", "bid", "ask")), strict=True)
    return [
        QuoteTick(ids[leg], Price(bid / 100.0, 2), Price(ask / 100.0, 2), size, size, t_ns, t_ns)
        for t_ns, leg, bid, ask in rows
    ]


def main():
    """Run and print."""
    rule = json.loads(Path(sys.argv[2]).read_text())
    stream = np.load(sys.argv[1])
    config = BacktestEngineConfig(
        trader_id=TraderId("LAB-001"), logging=LoggingConfig(bypass_logging=True)
    )
    engine = BacktestEngine(config=config)
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(rule["capital"] * 100, USDT), Money(100, BTC)],
        default_leverage=Decimal(10),
    )
    for instrument in instruments(rule):
        engine.add_instrument(instrument)
    data = ticks(stream)
    engine.add_data(data)
    band = Band(rule)
    engine.add_strategy(band)
    start, start_cpu = time.perf_counter(), time.process_time()
    engine.run()
    took, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    fills = engine.trader.generate_order_fills_report()
    said = {
        "quotes": len(data),
        "seconds": took,
        "cpu_s": cpu,
        "trades": band.fills,
        "fills": len(fills),
    }
    prices = [] if not len(fills) else [float(x) for x in fills["avg_px"]]
    print(json.dumps(said | {"fills": len(fills), "prices": sorted(prices)}))
    engine.dispose()


if __name__ == "__main__":
    main()
