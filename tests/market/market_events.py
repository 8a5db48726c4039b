"""Market events by hand: one pair, spot and perp, with a venue clock and a fixed lag."""

from basisdesk.events import BookUpdate, LinkChange, Quote, Ticker

SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
S, P = "bybit.spot", "bybit.linear"
T0 = 1_790_000_000_000  # venue ms
LAG = 40  # ms


def ns(ms: float) -> int:
    return round((T0 + LAG + ms) * 1e6)


def quote(ms, bid=100.0, ask=101.0, key=SPOT, seq=None):
    conn = S if key == SPOT else P
    stream = f"{conn}/orderbook.1.ADAUSDT"
    return Quote(key, stream, bid, 5.0, ask, 6.0, T0 + ms, ms if seq is None else seq)


def book(ms, seq, bids=(), asks=(), snapshot=False, key=SPOT, depth=50):
    conn = S if key == SPOT else P
    stream = f"{conn}/orderbook.{depth}.ADAUSDT"
    return BookUpdate(key, stream, snapshot, list(bids), list(asks), seq, T0 + ms, seq - 1)


def whole(ms, seq=10, key=SPOT, depth=50):
    bids, asks = [(100.0, 5.0), (99.0, 50.0)], [(101.0, 6.0), (102.0, 60.0)]
    return book(ms, seq, bids, asks, True, key, depth)


def ticker(ms, mark=100.5, rate=0.0001):
    stream = f"{P}/tickers.ADAUSDT"
    return Ticker(PERP, stream, mark, 100.4, 1e6, rate, 8.0, T0 + 10_000_000, 0.02, T0 + ms)


def asked(market, topic, req_id="r1", conn=S, ms=0):
    market.link(LinkChange(conn, "asked", req_id=req_id, topics=(topic,)), ns(ms))
    return market.streams[f"{conn}/{topic}"]
