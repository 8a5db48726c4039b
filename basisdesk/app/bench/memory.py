"""Memory once the rings are full, and again after one more day: it must not have grown."""

import gc
from collections.abc import Iterator

import msgspec
import psutil

from basisdesk.app.bench.source import LEGS, SYMBOL
from basisdesk.config import Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import COMMAND, Frame, SetValue
from basisdesk.venues import known_venues

HOUR_STEPS = 36_000  # ten a second
DAY_STEPS = 24 * HOUR_STEPS
STEP_NS = 100_000_000
START_NS = 1_700_000_000 * 1_000_000_000
BATCH = 2_000


def measure_memory() -> dict[str, float]:
    """memory.rss_warm_mb with every ring full (a day at 10 Hz), memory.rss_24h_mb a day later."""
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    show = msgspec.json.encode(SetValue("pair", " ".join(LEGS)))
    engine.advance([Frame(COMMAND, show, START_NS)])
    _run(engine, 0, DAY_STEPS + HOUR_STEPS)
    gc.collect()
    warm = process.memory_info().rss
    _run(engine, DAY_STEPS + HOUR_STEPS, 2 * DAY_STEPS + HOUR_STEPS)
    gc.collect()
    day = process.memory_info().rss
    return {
        "memory.rss_start_mb": before / 1e6,
        "memory.rss_warm_mb": warm / 1e6,
        "memory.rss_24h_mb": day / 1e6,
        "memory.growth": day / warm,
    }


def _run(engine: Engine, first: int, last: int) -> None:
    batch: list[Frame] = []
    for step in range(first, last):
        batch += _quotes(step)
        if len(batch) >= BATCH:
            engine.advance(batch)
            batch.clear()
    engine.advance(batch)


def _quotes(step: int) -> Iterator[Frame]:
    """One top of book of each leg; the price wanders within one percent."""
    t_ns = START_NS + step * STEP_NS
    cents = 3_600 + step // 50 % 37
    for conn, above in (("bybit.spot", 0), ("bybit.linear", 2)):
        bid = f"0.{cents + above}"
        ask = f"0.{cents + above + 1}"
        ms = t_ns // 1_000_000
        payload = (
            f'{{"topic":"orderbook.1.{SYMBOL}","type":"snapshot","ts":{ms},"data":{{"s":"{SYMBOL}",'
            f'"b":[["{bid}","1000"]],"a":[["{ask}","1000"]],"u":{step + 2},"seq":{step}}},'
            f'"cts":{ms}}}'
        )
        yield Frame(conn, payload.encode(), t_ns)
