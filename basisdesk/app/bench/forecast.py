"""The forecast: what a pair costs in one second, and what two hundred of them do to the window."""

import asyncio
import math
import random
import statistics
from collections.abc import Callable, Iterator
from itertools import chain
from time import process_time
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from basisdesk.app.bench.socket import Watch, run_desk_on, watch_pairs
from basisdesk.app.bench.source import demo_exchange, pairs_of
from basisdesk.app.forecast_life import Life, RowMaker
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

if TYPE_CHECKING:
    from basisdesk.ui.context import Context
    from basisdesk.ui.window import MainWindow

PAIRS, SECONDS = 200, 720
PHASES = 4  # the desk hears a quarter of its pairs together, four times a second
ALONE = 20  # pairs heard one by one, as a journal is
ROUND_S = 1  # of all pairs in one measurement: short, so that few are broken into; median
READS = 600
LEVELS = 50  # of each side of a book, a basis point apart
START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
RULES = LabelRules(x_bp=4.0, gain_bp=3.0, horizon_h=0.1)  # short: outcomes are learned from
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"

LAG_RATE = 1.1  # of the demo exchange's usual messages
LAG_TURNS, LAG_S, LAG_REST_S = 3, 4.0, 0.5  # each way; off and on change places

NAMES = [f"pair {k}" for k in range(PAIRS)]

Batch = list[tuple[str, Tick]]


def measure_forecast() -> dict[str, float]:
    """forecast.step_us: features, score and learning of a pair in a second (median of rounds).

    PAIRS pairs, heard as the desk hears them: a quarter of them together. step_cpu_us: the same in
    time of the processor, for a busy machine. alone_us: step_us of pairs heard one by one. hear_us:
    step_us with the regime and what the desk keeps of it. Beside it, in the same run, bare_dot_us:
    the dot product of that size and no more. read_us: a tick out of the market, 50 levels a side.
    row_us: its row of the journal, which a thread makes. pairs200_core_share: of a core for 200
    pairs with hear, read and row.
    ui_lag_off_p99_ms, ui_lag_on_p99_ms: of a desk's window without and with 200 pairs more, in
    turns.
    """
    figures, life, worlds = _steps()
    read_us, row_us = _reads()
    off_ms, on_ms = _lags(life, worlds)
    share = PAIRS * (figures["forecast.hear_us"] + read_us + row_us) / 1e6
    return {
        **figures,
        "forecast.read_us": read_us,
        "forecast.row_us": row_us,
        "forecast.pairs200_core_share": share,
        "forecast.ui_lag_off_p99_ms": off_ms,
        "forecast.ui_lag_on_p99_ms": on_ms,
    }


def _steps() -> tuple[dict[str, float], Life, list[Iterator[Tick]]]:
    """The figures, and a life that has heard the worlds so far."""
    forecaster, single, life = Forecaster(RULES), Forecaster(RULES), Life(RULES)
    weights, values = np.linspace(-1.0, 1.0, N), np.linspace(1.0, 2.0, N)

    def one_by_one(batch: Batch) -> None:
        for name, tick in batch:
            single.beat(name, tick)

    def bare(batch: Batch) -> None:
        for _ in batch:
            weights @ values

    worlds = [_ticks(k) for k in range(PAIRS)]
    # one after the other: what one remembers must not push the other out of the cache
    step_us, step_cpu_us = _hearing(forecaster.beat_all, [_ticks(k) for k in range(PAIRS)])
    alone_us, _ = _hearing(one_by_one, [_ticks(k) for k in range(ALONE)])
    hear_us, _ = _hearing(life.hear_all, worlds)
    dot_us, _ = _hearing(bare, [_ticks(k) for k in range(ALONE)])
    found = {
        "forecast.step_us": step_us,
        "forecast.step_cpu_us": step_cpu_us,
        "forecast.alone_us": alone_us,
        "forecast.hear_us": hear_us,
        "forecast.bare_dot_us": dot_us,
        "forecast.learned": float(forecaster.model.n),
    }
    return found, life, worlds


def _hearing(hear: Callable[[Batch], object], worlds: list[Iterator[Tick]]) -> tuple[float, float]:
    """(us, us of the processor) a pair and second, each memory warm: medians of rounds."""
    took, used = [], []
    for _ in range(SECONDS // ROUND_S):
        batches = list(chain.from_iterable(_second(worlds) for _ in range(ROUND_S)))
        began_s, began_cpu_s = mono_s(), process_time()
        for batch in batches:
            hear(batch)
        used.append((process_time() - began_cpu_s) / (len(worlds) * ROUND_S))
        took.append((mono_s() - began_s) / (len(worlds) * ROUND_S))
    later = len(took) // 2  # outcomes are learned from
    return statistics.median(took[later:]) * 1e6, statistics.median(used[later:]) * 1e6


def _second(worlds: list[Iterator[Tick]]) -> list[Batch]:
    """One second of all pairs, in the batches in which a desk hears them."""
    heard = [(NAMES[k], next(world)) for k, world in enumerate(worlds)]
    return [heard[phase::PHASES] for phase in range(PHASES)]


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
    bench, maker = _Book(), RowMaker()
    reads, rows = [], []
    for turn in range(READS):
        bench.go_on(turn)
        began_s = mono_s()
        tick = bench.read()
        read_s = mono_s()
        msgspec.json.encode(maker.row((SPOT, tick)))
        rows.append(mono_s() - read_s)
        reads.append(read_s - began_s)
    return statistics.median(reads) * 1e6, statistics.median(rows) * 1e6


class _Book:
    # a market with one pair, 50 levels a side
    def __init__(self) -> None:
        self.market = Market(Settings(), {"bybit": Bybit()})
        pair = self.market.pair(SPOT, PERP)
        self._reader = TickReader(pair, Elsewhere(self.market))
        for conn in ("bybit.spot", "bybit.linear"):
            topics = ("orderbook.1.ADAUSDT", "orderbook.50.ADAUSDT", "publicTrade.ADAUSDT")
            more = ("tickers.ADAUSDT",) if conn == "bybit.linear" else ()
            change = LinkChange(conn, "asked", req_id=conn, topics=topics + more)
            self.market.link(change, START_NS - SECOND_NS)
        pair.qty = 1_000.0
        self._now_ns = START_NS

    def go_on(self, turn: int) -> None:
        """The next second of it."""
        self._now_ns = START_NS + turn * SECOND_NS
        _feed(self.market, self._now_ns, 1.0 + 1e-4 * math.sin(turn))
        self.market.beat(self._now_ns)

    def read(self) -> Tick:
        """The tick now."""
        tick = self._reader.read(self._now_ns, Terms(1, 31.0, -4.5, 0.0))
        if not (math.isfinite(tick.perp_bid_10) and math.isfinite(tick.open_bp)):
            raise UserError("bench: the forecast's market has no depth to be read.")
        return tick


def _lags(life: Life, worlds: list[Iterator[Tick]]) -> tuple[float, float]:
    """Ms, p99 of the lag of a desk's window with ten pairs: (without, with) 200 forecast beside.

    Those 200 are read and heard in the loop of the window, in four phases a second, as the desk
    does with its own; their ticks are made before. Off and on change places, so that what else the
    machine does falls on both; the median of the turns is told.
    """
    seconds = math.ceil(LAG_TURNS * (LAG_S + 2 * LAG_REST_S)) + 2
    batches = list(chain.from_iterable(_second(worlds) for _ in range(seconds)))
    off: list[float] = []
    on: list[float] = []

    async def fly(context: "Context", window: "MainWindow") -> None:
        await watch_pairs(context, pairs_of("bybit"))
        load = _Load(life, batches)
        for _ in range(LAG_TURNS):
            for found in (off, on):
                if found is on:
                    load.start()
                await asyncio.sleep(LAG_REST_S)
                watch = Watch(LAG_S)
                await watch.measure(context, window)
                load.stop()
                found.append(watch.lag_p99_ms)

    with demo_exchange(LAG_RATE) as exchange:
        run_desk_on(exchange, fly)
    return statistics.median(off), statistics.median(on)


class _Load:
    # 200 pairs forecast in the loop of the window
    def __init__(self, life: Life, batches: list[Batch]) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._life, self._waiting, self._book = life, iter(batches), _Book()
        self._book.go_on(1)
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(1_000 // PHASES)
        self._timer.timeout.connect(self._on_phase)

    def start(self) -> None:
        """Begin, or go on."""
        self._timer.start()

    def stop(self) -> None:
        """Wait."""
        self._timer.stop()

    def _on_phase(self) -> None:
        batch = next(self._waiting, None)
        if batch is None:
            raise UserError("bench: the forecast's load ran out of ticks.")
        for _ in batch:
            self._book.read()
        self._life.hear_all(batch)


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
