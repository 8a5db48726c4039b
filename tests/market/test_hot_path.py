"""The cost of a frame, beside bare typed decoding of the same frames in the same run."""

import gc
import random

import msgspec
import pytest

from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.market.state import Market
from basisdesk.venues import bybit_topics as topics
from basisdesk.venues.bybit import Bybit

RATIO_MIN = 0.1  # bare time over our time; 0.23 when this was written
FRAMES = 6_000


def level(rng, mid, side, rank, zero):
    size = "0" if rng.random() < zero else f"{rng.random() * 5 + 0.001:.3f}"
    far = rank + 1 + rng.randrange(9) * (zero > 0)
    return f'["{mid + side * 0.1 * far:.2f}","{size}"]'


def levels(rng, mid, side, count, zero=0.0):
    return ",".join(level(rng, mid, side, rank, zero) for rank in range(count))


def book(rng, topic, kind, ms, u, count, zero=0.0):
    bids, asks = (levels(rng, 86_000.0, side, count, zero) for side in (-1, 1))
    return (
        f'{{"topic":"orderbook.{topic}.BTCUSDT","type":"{kind}","ts":{ms},"data":{{"s":"BTCUSDT",'
        f'"b":[{bids}],"a":[{asks}],"u":{u},"seq":{u}}},"cts":{ms - 3}}}'
    ).encode()


def ticker(rng, ms):
    mark = 86_000 + rng.random()
    return (
        f'{{"topic":"tickers.BTCUSDT","type":"delta","data":{{"symbol":"BTCUSDT","markPrice":'
        f'"{mark:.2f}","indexPrice":"{mark:.2f}","openInterestValue":"5250990127.10"}},"cs":8,'
        f'"ts":{ms}}}'
    ).encode()


def trade(ms):
    return (
        f'{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":'
        f'"BTCUSDT","S":"Buy","v":"0.001","p":"86000.50","L":"PlusTick","i":"20f43950-d8dd","BT":'
        f'false,"seq":1}}]}}'
    ).encode()


@pytest.fixture(scope="module")
def frames():
    """A mix as it comes: half tops, a third deltas of six levels, tickers, trades."""
    rng, made, ms = random.Random(1), [], 1_790_000_000_000
    u = dict.fromkeys(("bybit.spot", "bybit.linear"), 10)
    made.extend((conn, book(rng, 50, "snapshot", ms, 10, 50), ms * 1_000_000) for conn in u)
    for number in range(FRAMES):
        ms += 3
        conn = "bybit.linear" if number % 2 else "bybit.spot"
        pick = rng.random()
        if pick < 0.45:
            payload = book(rng, 1, "snapshot", ms, number, 1)
        elif pick < 0.8:
            u[conn] += 1
            payload = book(rng, 50, "delta", ms, u[conn], 3, zero=0.4)
        elif pick < 0.9:
            conn, payload = "bybit.linear", ticker(rng, ms)
        else:
            payload = trade(ms)
        made.append((conn, payload, ms * 1_000_000))
    return made


def bare(payload):
    kinds = {b"orderbook.1.": topics._Top, b"orderbook.50": topics._Book}
    kinds |= {b"tickers.BTCU": topics._Ticker, b"publicTrade.": topics._Trades}
    return kinds[payload[10:22]]


def best_of(runs, walk):
    took = []
    for _ in range(runs):
        began = mono_s()
        walk()
        took.append(mono_s() - began)
    return min(took)


@pytest.mark.slow
def test_decode_and_apply_cost_at_most_ten_times_bare_decoding(frames):
    decoders = {}
    for _, payload, _ in frames:
        shape = bare(payload)
        decoders.setdefault(shape, msgspec.json.Decoder(shape, strict=False).decode)
    bare_calls = [(decoders[bare(payload)], payload) for _, payload, _ in frames]

    def walk_bare():
        for decode, payload in bare_calls:
            decode(payload)

    def walk_ours():
        venue = Bybit()
        market = Market(Settings(), {"bybit": venue})
        decode = {conn: venue.codec(conn).decode for conn in venue.endpoints}
        for conn, payload, t_ns in frames:
            market.apply_all(decode[conn](payload), t_ns)
        assert (market.bad_frames, market.gaps) == (0, 0)

    gc.collect()
    bare_s, ours_s = best_of(7, walk_bare), best_of(7, walk_ours)
    us = 1e6 / len(frames)
    print(f"bare {bare_s * us:.2f} us, ours {ours_s * us:.2f} us, ratio {bare_s / ours_s:.3f}")
    assert bare_s / ours_s >= RATIO_MIN
