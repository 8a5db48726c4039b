"""What an heir hands over: of two sockets side by side, each trade once and no price twice."""

import asyncio
import itertools
import json

import pytest
from feed_rig import TinyVenue, play, rig
from websockets import broadcast

from basisdesk.feed import heir as heir_module
from basisdesk.feed.heir import Heir
from basisdesk.feed.overlap import AHEAD_S
from basisdesk.venues import known_venues

VENUES = known_venues()
TRADES, TOP = "adausdt@trade", "adausdt@bookTicker"


class Wire:
    messages = 0


@pytest.fixture
def at(monkeypatch):
    """The monotonic clock in a list."""
    now = [100.0]
    monkeypatch.setattr(heir_module, "mono_s", lambda: now[0])
    return now


def heir_of(*topics, conn="binance.spot", needed=None):
    venue = VENUES["binance"]
    rule = lambda topic: venue.rule(conn, topic)  # noqa: E731
    needed = topics if needed is None else needed
    return Heir(Wire(), venue.codec(conn), rule, topics, needed, venue.codec(conn))


def trade(n):
    data = {"e": "trade", "E": n, "s": "ADAUSDT", "t": n, "p": "1.0", "q": "2", "T": n, "m": True}
    return json.dumps({"stream": TRADES, "data": data}).encode()


def top(n, venue_ms=0):
    time = {"T": venue_ms, "E": venue_ms} if venue_ms else {}
    data = {"u": n, "s": "ADAUSDT", "b": "1.0", "B": "1", "a": "1.1", "A": f"{n}", **time}
    return json.dumps({"stream": TOP, "data": data}).encode()


def number(payload):
    data = json.loads(payload)["data"]
    return data.get("t") or data["u"]


@pytest.mark.parametrize("held", [(3, 4, 5), (3, 4, 5, 6, 7), (3, 4), (), (6, 7)])
def test_each_trade_comes_once_whichever_socket_is_ahead(held):
    heir = heir_of(TRADES)
    for n in (1, 2, 3, 4, 5):
        heir.take_old(trade(n))
    for n in held:
        heir.take(trade(n))
    desk = [1, 2, 3, 4, 5] + [number(p) for p in heir.held(0.0)]
    twice = heir.to_come()  # what comes by the new socket after the change
    later = range(max(held, default=0) + 1, 10)
    desk += [n for n in later if hash(trade(n)) not in twice]
    assert sorted(desk) == list(range(1, 10))
    assert desk == sorted(desk)


def test_nothing_is_expected_again_that_both_have_brought():
    heir = heir_of(TRADES)
    for n in range(1, 6):
        heir.take_old(trade(n))
    for n in (4, 5, 6):
        heir.take(trade(n))
    assert heir.to_come() == set()


@pytest.mark.parametrize("side", ["take", "take_old"])
def test_more_trades_than_can_be_held_or_compared_are_no_change(side, monkeypatch):
    monkeypatch.setattr(heir_module, "HELD_FRAMES_MAX", 5)
    heir = heir_of(TRADES)
    for n in range(1, 6):
        getattr(heir, side)(trade(n))
    assert not heir.trouble
    getattr(heir, side)(trade(6))
    assert "held back" in heir.trouble


def test_a_held_price_does_not_move_the_quote_back(at):
    heir = heir_of(TOP)
    heir.take(top(1))
    at[0] += 0.01
    heir.take_old(top(2))
    assert heir.held(at[0]) == []
    at[0] += 0.01
    heir.take(top(3))  # ahead of the old socket
    assert [number(p) for p in heir.held(at[0])] == [3]


def test_a_held_price_of_a_socket_that_is_behind_does_not_move_the_quote_back(at):
    heir = heir_of(TOP)
    for n in (1, 2, 3):
        heir.take_old(top(n))
    at[0] += 0.2
    heir.take(top(2))
    assert heir.held(at[0]) == []


def test_a_held_price_looks_no_younger_than_it_is(at):
    heir, perp = heir_of(TOP), heir_of(TOP, conn="binance.public")
    heir.take(top(1))
    perp.take(top(1, venue_ms=1_700_000_000_000))
    at[0] += AHEAD_S
    assert [number(p) for p in heir.held(at[0])] == [1]
    at[0] += 0.01
    assert heir.held(at[0]) == []  # Binance spot says no time, and this is too old for "now"
    assert [number(p) for p in perp.held(at[0])] == [1]  # this says itself how old it is


def test_messages_that_build_on_each_other_are_all_held_whatever_the_old_socket_brought():
    depth = "adausdt@depth@100ms"
    heir = heir_of(depth, TRADES)

    def diff(n):
        data = {"e": "depthUpdate", "E": n, "s": "ADAUSDT", "U": n, "u": n, "b": [], "a": []}
        return json.dumps({"stream": depth, "data": data}).encode()

    heir.take(diff(1))
    for payload in (trade(1), diff(1), diff(2)):
        heir.take_old(payload)
    heir.take(trade(1))
    heir.take(diff(2))
    heir.take(trade(2))
    assert heir.held(0.0) == [diff(1), diff(2), trade(2)]
    assert heir.to_come() == set()


def test_it_is_not_ready_before_its_subscriptions_are_answered():
    heir = heir_of(TRADES, TOP)
    heir.asked("7", (TRADES,))
    heir.asked("8", (TOP,))
    heir.take(top(1))
    assert not heir.ready
    heir.take(b'{"result":null,"id":7}')
    assert heir.ready


def test_silence_is_a_fault_where_the_old_socket_spoke():
    for heard, needed, words in (
        ((), (TOP,), ""),
        ((TOP,), (TOP,), f"no data on {TOP}"),
        ((TRADES,), (TOP,), "no data at all"),
        ((TRADES,), (TRADES,), "no data at all"),
    ):
        heir = heir_of(TRADES, TOP, needed=needed)
        heir.asked("1", (TRADES, TOP))
        heir.overdue(heard)
        assert words in heir.trouble
        assert heir.ready == (not words)
    heir = heir_of(TRADES, TOP)
    heir.take(trade(1))
    heir.overdue((TRADES,))  # the top rests on both
    assert heir.ready


@pytest.mark.loopback
@pytest.mark.parametrize("behind", [-3, 3])
def test_a_renewal_loses_and_doubles_no_trade(behind):
    """The new socket is three trades ahead of the old one, or behind it, when it takes over."""
    said = lambda n: json.dumps({"topic": "trade.ADA", "n": n}).encode()  # noqa: E731

    async def scenario():
        async with rig(venue=TinyVenue(kinds=("top", "trade"))) as r:
            r.market.quiet_ns = 10**18
            await r.until(lambda: r.state() == "live")
            (old,) = r.exchange._topics
            r.exchange.snapshots["top.ADA"] = []
            r.exchange.faults.muted = {"top.ADA"}  # the change waits for that
            r.supervisor.links["tiny.spot"]._renewal.ask()
            await r.until(lambda: r.exchange.asked("subscribe")["trade.ADA"] == 2)
            (new,) = [ws for ws in r.exchange._topics if ws is not old]
            first, second = (old, new) if behind > 0 else (new, old)
            for n in itertools.count():
                broadcast([first], said(n), text=True)
                if n >= abs(behind):
                    broadcast([second], said(n - abs(behind)), text=True)
                if n == 12:
                    r.exchange.faults.muted = set()
                if n > 12 and r.supervisor.facts()["tiny.spot"].renewals:
                    break
                await asyncio.sleep(0.01)
            for more in range(n - abs(behind) + 1, n + 20):
                if second is new or more > n:
                    broadcast([new], said(more), text=True)
            trades = lambda: [  # noqa: E731
                json.loads(p)["n"] for p in r.payloads("tiny.spot") if b'"trade.ADA"' in p
            ]
            await r.until(lambda: trades()[-1:] == [n + 19])
            assert trades() == list(range(n + 20))

    play(scenario)
