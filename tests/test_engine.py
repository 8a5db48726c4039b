"""The walk: what is wrong is counted, what is booked is on disk first, time never goes back."""

from decimal import Decimal

import msgspec
import pytest

from basisdesk.config import Fees, Paper, Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.errors import JournalError
from basisdesk.events import (
    BEAT,
    COMMAND,
    ENTRY,
    LINK,
    Changed,
    EquityMarked,
    ExitPlan,
    Frame,
    LinkChange,
    OpenPair,
    PairOpened,
    SessionStarted,
    SetValue,
)
from basisdesk.market_time import in_market_time
from basisdesk.pairing import WATCHED_MAX
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_symbol
from tests.bybit_wire import LINEAR, SPOT, book, instruments, ticker

S = 1_000_000_000
T0 = 1_735_689_600 * S
LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
SETTINGS = Settings(paper=Paper(latency_ms=0), fees={"bybit": Fees(spot_buy_fee_in="quote")})


def frame(row, t_ns=T0):
    if row["conn"].endswith(".rest"):
        payload = msgspec.json.encode({"path": row["path"], "data": row["data"]})
    else:
        payload = row["data"].encode()
    return Frame(row["conn"], payload, t_ns)


def command(what, t_ns=T0 + S):
    return Frame(COMMAND, msgspec.json.encode(what), t_ns)


def ready(journal=None):
    """An engine with both legs described, quoted and an account of 10,000."""
    engine = Engine(SETTINGS, known_venues(), journal or MemoryJournal())
    engine.start_session(SessionStarted(T0, "s", "demo", "0", "USDT", Decimal(10_000)))
    ms = T0 // 1_000_000
    rows = [*instruments(), ticker("0.3665", "0.0001", ms + 3_600_000, ms)]
    rows += book(SPOT, "0.3639", "0.3640", "50000", ms, 5)
    rows += book(LINEAR, "0.3665", "0.3666", "50000", ms, 5)
    engine.advance([command(SetValue("pair", f"{LONG} {SHORT}"), T0)])
    engine.advance([frame(row) for row in rows])
    return engine


ENTRY_ORDER = OpenPair(
    LONG, SHORT, Decimal(1_000), Decimal(2), ExitPlan(Decimal(-900), Decimal(900))
)


@pytest.mark.parametrize(
    ("conn", "payload"),
    [
        ("nowhere.spot", b"{}"),
        ("bybit.foo", b"{}"),
        ("bybit.spot", b"\xff\x00"),
        ("bybit.spot", b'{"topic":"orderbook.1.ADAUSDT"'),
        (COMMAND, b"dance"),
        (COMMAND, b'{"do":"open_pair","long":1}'),
        (LINK, b"[]"),
        (ENTRY, b'{"kind":"party"}'),
        ("", b""),
    ],
)
def test_what_cannot_be_read_is_counted_and_nothing_else_happens(conn, payload):
    engine = ready()
    before = engine.books.digest(), engine.market.bad_frames
    engine.advance([Frame(conn, payload, T0 + S)])
    assert (engine.books.digest(), engine.market.bad_frames) == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [("pair", "x"), ("pair", "bybit:spot:A nowhere:perp:A"), ("ticket.qty", "nan"),
     ("ticket.qty", "-1"), ("ticket.qty", "lots"), ("colour", "blue")],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_said_in_the_log(key, value):
    engine = ready()
    engine.advance([command(SetValue(key, value))])
    assert engine.pair == (LONG, SHORT)
    assert engine.log[-1].text.startswith("Cannot set")


@pytest.mark.parametrize(
    ("legs", "why"),
    [
        ("bybit:spot:ADAUSDT", "name two legs"),
        ("moon:spot:ADAUSDT bybit:perp:ADAUSDT", "'moon' is no venue"),
        ("bybit:perp:ADAUSDT bybit:spot:ADAUSDT", "the second leg is a perpetual"),
        ("bybit:spot:ADAUSDT bybit:spot:ADAUSDC", "the second leg is a perpetual"),
        ("bybit:perp:ADAUSDT bybit:perp:ADAUSDT", "other than the first"),
        ("bybit:spot:ADAUSDT bybit:perp:XRPUSDT", "ADA and XRP are different coins"),
    ],
)
def test_legs_that_are_no_pair_are_refused_with_the_reason(legs, why):
    engine = ready()
    engine.advance([command(SetValue("pair", legs))])
    assert engine.pair == (LONG, SHORT)
    assert engine.log[-1].text.startswith("Cannot set 'pair'")
    assert why in engine.log[-1].text


@pytest.mark.parametrize(
    "legs",
    [
        "kraken:spot:ADA/USD bybit:perp:ADAUSDT",
        "okx:perp:ADA-USDT-SWAP bybit:perp:ADAUSDT",
        "bybit:spot:BTCUSDT kraken:perp:PF_XBTUSD",
    ],
)
def test_any_spot_and_perp_and_any_two_perps_of_a_coin_are_a_pair(legs):
    engine = ready()
    engine.advance([command(SetValue("pair", legs))])
    assert engine.pair == tuple(legs.split())
    assert engine.shown() is not None


def test_a_renewed_connection_gets_a_new_decoder_and_keeps_its_prices():
    engine = ready()
    before = engine.market.leg(LONG).mid
    old = engine._decoders["bybit.spot"]
    renewed = msgspec.json.encode(LinkChange("bybit.spot", "renewed"))
    engine.advance([Frame(LINK, renewed, T0 + 1)])
    assert engine.market.leg(LONG).mid == before
    ms = T0 // 1_000_000
    engine.advance([frame(row, T0 + 2) for row in book(SPOT, "0.3639", "0.3640", "50000", ms, 6)])
    assert engine._decoders["bybit.spot"] is not old
    assert engine.market.links["bybit.spot"].renewed == 1
    assert engine.log[-1].text == "renewed"


def test_time_never_goes_back():
    engine = ready()
    engine.advance([Frame(BEAT, b"", T0 + 5 * S), Frame(BEAT, b"", T0 + 2 * S)])
    assert engine.now_ns == T0 + 5 * S


def test_a_disk_that_fails_books_nothing_and_is_not_silent():
    class Full(MemoryJournal):
        def append(self, outcome, txns=()):
            if not isinstance(outcome, SessionStarted | EquityMarked):
                raise JournalError("The disk is full.")
            return 0

    engine = ready(Full())
    before = engine.books.digest()
    with pytest.raises(JournalError):
        engine.advance([command(ENTRY_ORDER)])
    assert engine.books.digest() == before
    assert engine.open_pairs() == []


def test_the_journal_has_an_outcome_before_anything_of_it_can_be_seen():
    seen = []

    class Watching(MemoryJournal):
        def append(self, outcome, txns=()):
            if isinstance(outcome, PairOpened):
                seen.append(len(engine.open_pairs()))
            return 0

    journal = Watching()
    engine = ready(journal)
    engine.advance([command(ENTRY_ORDER)])
    assert seen == [0]
    assert len(engine.open_pairs()) == 1


def test_entries_on_a_tape_are_booked_as_at_a_restart():
    kept = []

    class Keeping(MemoryJournal):
        def append(self, outcome, txns=()):
            kept.append(outcome)
            return 0

    engine = ready(Keeping())
    engine.advance([command(ENTRY_ORDER)])
    again = Engine(SETTINGS, known_venues(), MemoryJournal())
    again.advance([Frame(ENTRY, msgspec.json.encode(o), o.ts_ns) for o in kept])
    assert again.books.digest() == engine.books.digest()
    assert [p.pair for p in again.open_pairs()] == [1]


def test_a_lost_connection_takes_its_prices_with_it_at_once():
    engine = ready()
    down = msgspec.json.encode(LinkChange("bybit.spot", "down", "closed by the venue"))
    changed = engine.advance([Frame(LINK, down, T0 + S)])
    assert changed & Changed.QUOTES
    assert engine.market.leg(LONG).mid != engine.market.leg(LONG).mid  # NaN
    engine.advance([command(ENTRY_ORDER, T0 + S)])
    assert engine.outcomes[-1].limit == "quote_age"
    assert "closed by the venue" in engine.log[-2].text


def test_fast_motion_scales_the_limits_that_are_times():
    paper = Paper(latency_ms=80, jitter_ms=10, venue_latency_ms={"okx": 120, "kraken": 0})
    slow = msgspec.structs.replace(SETTINGS, paper=paper)
    fast = in_market_time(slow, 60.0)
    names = ["quote_age_ms_max", "leg_skew_ms_max", "loop_gap_ms_max", "unhedged_s_max",
             "stale_s_max", "clock_jump_s_max"]  # fmt: skip
    for name in names:
        assert getattr(fast.risk, name) == 60 * getattr(slow.risk, name), name
    assert (fast.paper.latency_ms, fast.paper.jitter_ms) == (4_800, 600)
    assert fast.paper.venue_latency_ms == {"okx": 7_200, "kraken": 0}
    same = {name: getattr(slow.risk, name) for name in names}
    assert msgspec.structs.replace(fast.risk, **same) == slow.risk  # and nothing else
    assert in_market_time(SETTINGS, 1.0) is SETTINGS
    assert in_market_time(SETTINGS, 0.5).risk == SETTINGS.risk


def test_every_time_of_risk_and_paper_is_scaled():
    """A new limit in milliseconds or seconds is not forgotten."""
    fast = in_market_time(Settings(paper=Paper(jitter_ms=1)), 7.0)
    for part, plain in ((fast.risk, Settings().risk), (fast.paper, Paper(jitter_ms=1))):
        for name in part.__struct_fields__:
            if name.endswith(("_ms", "_ms_max", "_s_max", "_s")) and name != "venue_latency_ms":
                assert getattr(part, name) == 7 * getattr(plain, name), name


def test_pairs_looked_at_long_ago_are_forgotten():
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    coins = ("ADA", "BTC", "ETH", "BNB", "DOGE", "SOL", "XRP", "LTC")
    for number, coin in enumerate((*coins, "LTC", "XRP")):
        pair = SetValue("pair", f"bybit:spot:{coin}USDT bybit:perp:{coin}USDT")
        engine.advance([Frame(COMMAND, msgspec.json.encode(pair), number + 1)])
    kept = [split_symbol(spot)[0] for spot, _ in engine.market.pairs]
    assert sorted(kept) == sorted(coins[-6:])
    assert engine.pair[0] == "bybit:spot:XRPUSDT"


def looked(engine, number, key, *coins):
    pairs = ", ".join(f"bybit:spot:{coin}USDT bybit:perp:{coin}USDT" for coin in coins)
    engine.advance([Frame(COMMAND, msgspec.json.encode(SetValue(key, pairs)), number)])
    return [split_symbol(spot)[0] for spot, _ in engine.market.pairs]


def test_what_is_watched_unseen_is_not_forgotten_and_not_shown():
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    looked(engine, 1, "pair", "ADA")
    assert looked(engine, 2, "watch", "SOL", "XRP") == ["ADA", "SOL", "XRP"]
    assert engine.pair[0] == "bybit:spot:ADAUSDT"
    for number, coin in enumerate(("BTC", "ETH", "BNB", "DOGE", "LTC", "UNI", "SOL")):
        kept = looked(engine, 3 + number, "pair", coin)
    assert {"SOL", "XRP"} < set(kept)
    assert len(kept) == 8  # six that were shown, and two
    assert "XRP" not in looked(engine, 20, "watch", "SOL")
    assert "SOL" in looked(engine, 21, "watch")  # still on the screen


@pytest.mark.parametrize("value", ["bybit:spot:ADAUSDT", "a b", "bybit:spot:ADAUSDT x:perp:ADA"])
def test_what_is_no_pair_cannot_be_watched(value):
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    row = SetValue("watch", f"bybit:spot:BTCUSDT bybit:perp:BTCUSDT, {value}")
    engine.advance([Frame(COMMAND, msgspec.json.encode(row), 1)])
    assert list(engine.market.pairs) == [("bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT")]
    assert "Cannot set" in engine.log[-1].text
    assert engine.pair == ("", "")


def test_no_more_pairs_are_watched_than_the_limit():
    engine = Engine(Settings(), known_venues(), MemoryJournal())
    kept = looked(engine, 1, "watch", *(f"C{at}" for at in range(WATCHED_MAX + 1)))
    assert len(kept) == WATCHED_MAX
    assert "more than" in engine.log[-1].text


def test_looking_at_figures_changes_none():
    """A panel that paints between two beats may not move what a replay of the tape shows."""

    def walk(look):
        engine = ready()
        engine.advance([command(ENTRY_ORDER, T0 + S), Frame(BEAT, b"", T0 + 2 * S)])
        legs = list(engine.market.legs)
        t_ns = T0 + 2 * S + 10_000_000
        rows = book(LINEAR, "0.4500", "0.4501", "50000", T0 // 1_000_000 + 2_010, 6)
        engine.advance([frame(row, t_ns) for row in rows])
        if look:
            assert engine.mids()[SHORT] == Decimal("0.45005")
            engine.worths().clear()
            engine.attribution(1)
            engine.funds()
            assert list(engine.market.legs) == legs
        down = msgspec.json.encode(LinkChange("bybit.linear", "down", "gone"))
        engine.advance([Frame(LINK, down, t_ns + 1), Frame(BEAT, b"", T0 + 3 * S)])
        return engine.funds(), engine.mids()

    assert walk(look=True) == walk(look=False)


def test_the_last_price_heard_stands_after_a_leg_fell_silent():
    engine = ready()
    engine.advance([command(ENTRY_ORDER, T0 + S)])
    rows = book(LINEAR, "0.4500", "0.4501", "50000", T0 // 1_000_000 + 2_010, 6)
    engine.advance([frame(row, T0 + 2 * S) for row in rows])
    engine.advance([Frame(BEAT, b"", T0 + 3 * S)])
    equity = engine.funds().equity
    down = msgspec.json.encode(LinkChange("bybit.linear", "down", "gone"))
    engine.advance([Frame(LINK, down, T0 + 3 * S + 1), Frame(BEAT, b"", T0 + 4 * S)])
    assert engine.mids()[SHORT] == Decimal("0.45005")
    assert engine.funds().equity == equity


def test_a_price_that_cannot_be_true_beside_the_other_leg_moves_no_equity():
    engine = ready()
    engine.advance([command(ENTRY_ORDER, T0 + S)])
    engine.advance([Frame(BEAT, b"", T0 + 2 * S)])
    before, mid = engine.funds().equity, engine.mids()[SHORT]
    for number in range(40):  # believed after a while, for the feed insists; still not of one coin
        at_ns = T0 + 3 * S + number * S // 10
        rows = book(LINEAR, "1.1000", "1.1001", "50000", at_ns // 1_000_000, 6 + number)
        engine.advance([frame(row, at_ns) for row in rows])
    assert engine.market.leg(SHORT).mid > 1.0
    assert engine.funds().equity == before
    assert engine.mids()[SHORT] == mid
