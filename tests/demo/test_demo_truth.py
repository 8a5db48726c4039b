"""What the desk's own codecs read off the sockets is what the exchange says is true."""

import itertools

import pytest

from basisdesk.clock import mono_s
from basisdesk.events import Quote
from tests.demo.demo_rig import Listener, order, over_sockets

pytestmark = pytest.mark.loopback

LEGS = [
    "bybit:spot:ADAUSDT", "bybit:perp:SHIB1000USDT", "binance:spot:1MBABYDOGEUSDT",
    "binance:perp:1000PEPEUSDT", "okx:spot:PEPE-USDT", "okx:perp:BTC-USDT-SWAP",
    "kraken:spot:ADA/USD", "kraken:perp:PF_XBTUSD",
]  # fmt: skip
ONE_EACH = [LEGS[0], LEGS[3], LEGS[5], LEGS[6], LEGS[7]]


async def settled(listener, times=3):
    """Wait until the book was seen to be true so often; a book that is wrong at its id fails."""
    seen = 0
    while seen < times:
        await listener.step()
        if listener.seq is None and listener.venue.rule(listener.conn, listener.topic).seeded:
            await listener.seed()
        seen += listener.true() is True


@pytest.mark.parametrize("key", LEGS)
def test_a_clean_book_is_true_and_has_no_gap(key):
    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await settled(listener, 12)
            assert (listener.gaps, listener.bad, listener.lost) == (0, 0, 0)

    over_sockets(work)


@pytest.mark.parametrize("key", LEGS)
def test_quotes_are_among_the_true_touches(key):
    """Prices for one coin, as published within the last ten seconds, and their times."""

    async def work(exchange):
        what = "book" if key.startswith("kraken") else "top"  # Kraken has no such stream
        async with Listener(exchange, key, what) as listener:
            quotes = []
            while len(quotes) < 8:
                events = await listener.step()
                quotes += [(e.bid, e.ask) for e in events if isinstance(e, Quote)]
                if what == "book" and listener.true():
                    quotes.append(listener.touch)
            touches = exchange.truth(key).touches
        assert all(abs(mono_s() - at_s) < 15 for at_s, _, _ in touches)
        assert all(a[0] <= b[0] and a[1:] != b[1:] for a, b in itertools.pairwise(touches))
        for bid, ask in quotes[2:]:
            assert any(
                bid == pytest.approx(true_bid, rel=1e-9)
                and ask == pytest.approx(true_ask, rel=1e-9)
                for _, true_bid, true_ask in touches
            ), (bid, ask)

    over_sockets(work)


@pytest.mark.parametrize("kind", ["crossed", "jump"])
@pytest.mark.parametrize("key", ONE_EACH)
def test_a_book_told_wrong_is_true_again_by_itself(key, kind):
    """Changes lead to the wrong book and back; the truth is never touched."""

    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await settled(listener)
            usual = max(exchange.truth(key).bids)
            order(exchange, kind, listener.conn)
            if kind == "crossed":
                await listener.until(lambda: listener.crossed)
            else:
                await listener.until(lambda: max(listener.bids) > 2.9 * usual)
            truth = exchange.truth(key)
            assert max(truth.bids) < min(truth.asks) < 1.1 * usual
            assert truth.touches[-1][1] == pytest.approx(usual, rel=0.05)
            exchange.command(b'{"clear": true}')
            await settled(listener)
            assert not listener.crossed
            assert (listener.gaps, listener.bad, listener.lost) == (0, 0, 0)

    over_sockets(work)


@pytest.mark.parametrize("key", ONE_EACH)
def test_a_lost_message_is_a_gap_and_a_new_subscription_mends_it(key):
    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await settled(listener)
            order(exchange, "gap", listener.conn, for_s=0)
            await listener.until(lambda: listener.gaps + listener.lost > 0)
            if not listener.venue.rule(listener.conn, listener.topic).seeded:
                await listener.again()
            await settled(listener)
            return listener.gaps + listener.lost

    assert over_sockets(work) >= 1


@pytest.mark.parametrize("kind", ["duplicate", "resnapshot", "seq_reset"])
@pytest.mark.parametrize("key", ONE_EACH)
def test_what_a_good_book_survives(key, kind):
    """Messages twice, a snapshot unasked, ids that fall back: the book stays true."""
    if kind == "resnapshot" and key.startswith("binance"):
        pytest.skip("Binance sends no snapshots on its sockets")
    if kind == "seq_reset" and not key.startswith("okx"):
        pytest.skip("only OKX announces ids that fall back")
    if kind == "duplicate" and key == "kraken:spot:ADA/USD":
        pytest.skip("no ids there: what came twice is applied twice, to the same effect")

    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await settled(listener)
            order(exchange, kind, listener.conn, for_s=0 if kind != "duplicate" else 99)
            await settled(listener, 6)
            return listener.gaps + listener.lost, exchange.truth(key).book_id

    lost, book_id = over_sockets(work)
    assert lost == 0
    if kind == "seq_reset" or (kind == "resnapshot" and key.startswith("bybit")):
        assert book_id < 10_000, "ids start again"


@pytest.mark.parametrize("key", ONE_EACH)
def test_swapped_messages_are_noticed(key):
    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await settled(listener)
            order(exchange, "swap", listener.conn)
            await listener.until(lambda: listener.gaps + listener.lost > 0)
            return listener.gaps + listener.lost

    assert over_sockets(work) >= 1


def test_a_late_snapshot_follows_its_changes():
    async def work(exchange):
        order(exchange, "late_snapshot", "okx")
        async with Listener(exchange, "okx:perp:BTC-USDT-SWAP") as listener:
            await listener.until(lambda: listener.seq is not None)
            return listener.gaps

    assert over_sockets(work) == 0


def test_a_stale_seed_over_http():
    """While it lasts the same old book is handed out; afterwards the true one."""
    key = "binance:perp:1000PEPEUSDT"

    async def work(exchange):
        async with Listener(exchange, key) as listener:
            await listener.until(lambda: len(listener.behind) > 1)
            order(exchange, "late_snapshot", "binance.rest")
            await listener.until(lambda: len(listener.behind) > 4)
            await listener.seed()
            old = listener.seeded
            for _ in range(4):
                await listener.step()
            listener.seq = None
            await listener.seed()
            again = listener.seeded
            exchange.command(b'{"clear": true}')
            listener.seq = None
            await listener.seed()
            await settled(listener)
            return old, again, listener.seeded

    old, again, now = over_sockets(work)
    assert old is not None
    assert again == old < now
