"""The forecast: what one pair costs in one second, and two hundred of them."""

import math
import random
import statistics
from collections.abc import Iterator

import msgspec
import numpy as np

from basisdesk.app.forecast_life import RowMaker
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.events import BookUpdate, LinkChange, Quote, Ticker, Trade
from basisdesk.forecast.forecaster import Forecaster
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.reader import Elsewhere, Terms, TickReader
from basisdesk.forecast.table import N
from basisdesk.forecast.words import Tick
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

PAIRS, SECONDS = 10, 2_400
ROUND_S = 60  # seconds of all pairs in one measurement; the median of them is told
READS = 600
LEVELS = 50  # of each side of a book, a basis point apart
START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
HORIZON_H = 0.25  # short, so that outcomes are learned from while it is measured
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


def measure_forecast() -> dict[str, float]:
    """forecast.step_us: features, score and learning of a pair in a second (median of rounds).

    Beside it, in the same run, forecast.bare_dot_us: the dot product of that size and no more.
    forecast.read_us: a tick out of the market, 50 levels a side. forecast.row_us: its row of the
    journal, which a thread makes. pairs200_core_share: of a core for 200 pairs with all three.
    """
    step_us, dot_us, learned = _steps()
    read_us, row_us = _reads()
    return {
        "forecast.step_us": step_us,
        "forecast.bare_dot_us": dot_us,
        "forecast.learned": learned,
        "forecast.read_us": read_us,
        "forecast.row_us": row_us,
        "forecast.pairs200_core_share": 200 * (step_us + read_us + row_us) / 1e6,
    }


def _steps() -> tuple[float, float, float]:
    forecaster = Forecaster(LabelRules(x_bp=4.0, gain_bp=3.0, horizon_h=HORIZON_H))
    weights, values = np.linspace(-1.0, 1.0, N), np.linspace(1.0, 2.0, N)
    worlds = [(f"pair {k}", _ticks(k)) for k in range(PAIRS)]
    steps, dots = [], []
    for _ in range(SECONDS // ROUND_S):
        heard = [(name, next(world)) for _ in range(ROUND_S) for name, world in worlds]
        began_s = mono_s()
        for name, tick in heard:
            forecaster.beat(name, tick)
        steps.append((mono_s() - began_s) / len(heard))
        began_s = mono_s()
        for _ in heard:
            weights @ values
        dots.append((mono_s() - began_s) / len(heard))
    later = steps[len(steps) // 2 :]  # every memory is warm, outcomes are learned from
    n = float(forecaster.model.n)
    return statistics.median(later) * 1e6, statistics.median(dots) * 1e6, n


def _ticks(seed: int) -> Iterator[Tick]:
    """A pair that goes away from fair value and comes back, every field known."""
    chance = random.Random(seed)
    spot, gap, t_ns = 100.0, 0.0, START_NS + seed
    settled = tuple((START_NS // 1_000_000 - (90 - i) * 28_800_000, 1.0) for i in range(90))
    while True:
        t_ns += SECOND_NS
        spot *= 1.0 + chance.gauss(0.0, 1e-4)
        gap += -0.01 * gap + chance.gauss(0.0, 0.8)
        perp = spot * (1.0 + (gap - 4.5) / 1e4)
        sizes = [chance.uniform(1.0, 9.0) for _ in range(12)]
        yield Tick(
            t_ns=t_ns,
            direction=1 if gap >= 0.0 else -1,
            spot_bid=spot * 0.99995,
            spot_ask=spot * 1.00005,
            perp_bid=perp * 0.99995,
            perp_ask=perp * 1.00005,
            spot_bid_size=sizes[0],
            spot_ask_size=sizes[1],
            perp_bid_size=sizes[2],
            perp_ask_size=sizes[3],
            spot_bid_5=sizes[4],
            spot_ask_5=sizes[5],
            spot_bid_10=sizes[4] + sizes[6],
            spot_ask_10=sizes[5] + sizes[7],
            perp_bid_5=sizes[8],
            perp_ask_5=sizes[9],
            perp_bid_10=sizes[8] + sizes[10],
            perp_ask_10=sizes[9] + sizes[11],
            mark=perp,
            index=spot,
            rate=1e-4,
            cap=0.0075,
            interest_8h_bp=1.0,
            interval_h=8.0,
            next_ms=START_NS // 1_000_000 + 28_800_000,
            settled=settled,
            open_bp=gap - 5.5,
            close_bp=gap - 3.5,
            impact_bp=1.0,
            fair_bp=-4.5,
            cost_bp=2.0,
            target_bp=-4.5,
            spot_signed=sizes[0] - 5.0,
            spot_volume=sizes[1],
            spot_trades=2.0,
            perp_signed=sizes[2] - 5.0,
            perp_volume=sizes[3],
            perp_trades=3.0,
            xv_f_bp=0.1,
            xv_b_bp=-0.2,
            mkt_x_bp=gap / 2.0,
            sector_z=0.5,
        )


def _reads() -> tuple[float, float]:
    """(us a tick read from a market, us a row of it)."""
    market = Market(Settings(), {"bybit": Bybit()})
    pair = market.pair(SPOT, PERP)
    reader, maker = TickReader(pair, Elsewhere(market)), RowMaker()
    for conn in ("bybit.spot", "bybit.linear"):
        topics = ("orderbook.1.ADAUSDT", "orderbook.50.ADAUSDT", "publicTrade.ADAUSDT")
        more = ("tickers.ADAUSDT",) if conn == "bybit.linear" else ()
        change = LinkChange(conn, "asked", req_id=conn, topics=topics + more)
        market.link(change, START_NS - SECOND_NS)
    pair.qty = 1_000.0
    tick, reads, rows = Tick(t_ns=0), [], []
    for turn in range(READS):
        now_ns = START_NS + turn * SECOND_NS
        _feed(market, now_ns, 1.0 + 1e-4 * math.sin(turn))
        market.beat(now_ns)
        began_s = mono_s()
        tick = reader.read(now_ns, Terms(1, 31.0, -4.5, 0.0))
        read_s = mono_s()
        msgspec.json.encode(maker.row((SPOT, tick)))
        rows.append(mono_s() - read_s)
        reads.append(read_s - began_s)
    if not (math.isfinite(tick.perp_bid_10) and math.isfinite(tick.open_bp)):
        raise UserError("bench: the forecast's market has no depth to be read.")
    return statistics.median(reads) * 1e6, statistics.median(rows) * 1e6


def _feed(market: Market, now_ns: int, price: float) -> None:
    now_ms = now_ns // 1_000_000
    for key, conn, mid in ((SPOT, "bybit.spot", price), (PERP, "bybit.linear", price * 1.0002)):
        bids = [(mid * (1.0 - 1e-4 * i), 100.0 + i) for i in range(1, LEVELS + 1)]
        asks = [(mid * (1.0 + 1e-4 * i), 100.0 + i) for i in range(1, LEVELS + 1)]
        top = f"{conn}/orderbook.1.ADAUSDT"
        quote = Quote(key, top, bids[0][0], 100.0, asks[0][0], 100.0, now_ms, turn_of(now_ns))
        market.apply(quote, now_ns)
        book = f"{conn}/orderbook.50.ADAUSDT"
        market.apply(BookUpdate(key, book, True, bids, asks, turn_of(now_ns), now_ms), now_ns)
        trades = f"{conn}/publicTrade.ADAUSDT"
        for i in range(3):
            market.apply(Trade(key, trades, mid, 10.0 + i, i == 0, now_ms), now_ns)
    stream, next_ms = "bybit.linear/tickers.ADAUSDT", now_ms // 28_800_000 * 28_800_000 + 28_800_000
    ticker = Ticker(PERP, stream, price, price, math.nan, 1e-4, 8.0, next_ms, 0.0, now_ms)
    market.apply(ticker, now_ns)


def turn_of(now_ns: int) -> int:
    """A sequence number that rises."""
    return (now_ns - START_NS) // SECOND_NS + 1
