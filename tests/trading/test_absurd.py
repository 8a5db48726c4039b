"""Absurd numbers, from a feed or from a hand: refused with a sentence, and never an exception."""

import json

import msgspec
import pytest
from bybit_wire import LINEAR, REST, SPOT, book, instruments, ticker
from trading_rig import FREE, HOUR, PERP, PLAN, T0, D, Rig, S, order
from trading_rig import SPOT as SPOT_KEY

from basisdesk.config import Fees, Paper, Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import (
    BEAT,
    COMMAND,
    AddMargin,
    ClosePair,
    ExitPlan,
    Frame,
    FundingHistory,
    FundingSettled,
    Liquidated,
    OpenPair,
    PairOpened,
    PairReduced,
    Refused,
    SessionStarted,
)
from basisdesk.trading import words
from basisdesk.venues import known_venues

SANE = {"spot": ("0.3639", "0.3640"), "perp": ("0.3665", "0.3666")}
WIDE = ExitPlan(D(-1000), D(1000), D(72))


class Walk:
    """A whole engine on Bybit's own messages."""

    def __init__(self, in_coin="quote", odd=None):
        conf = msgspec.structs.replace(
            Settings(), paper=Paper(0, 0), fees={"bybit": Fees(spot_buy_fee_in=in_coin)}
        )
        self.engine, self.t, self.u = Engine(conf, known_venues(), MemoryJournal()), T0, 10
        start = SessionStarted(T0, "s", "demo", "", "USDT", D(10_000))
        self.engine.start_session(start)
        self.say(*[odd(row) if odd else row for row in instruments()])
        self.mark("0.3665")
        self.later()

    def say(self, *rows):
        frames = []
        for row in rows:
            body = row["data"].encode()
            if row["conn"] == REST:
                body = msgspec.json.encode({"path": row["path"], "data": row["data"]})
            frames.append(Frame(row["conn"], body, self.t))
        self.engine.advance(frames)

    def mark(self, price, rate="0.0001"):
        self.say(ticker(price, rate, (T0 + 7 * HOUR) // 10**6, self.t // 10**6))

    def later(self, ns=S, size="50000", **tops):
        self.t += ns
        self.u += 1
        for conn, name in ((SPOT, "spot"), (LINEAR, "perp")):
            bid, ask = tops.get(name, SANE[name])
            self.say(*book(conn, bid, ask, size, self.t // 10**6, self.u))
        self.engine.advance([Frame(BEAT, b"", self.t)])

    def do(self, command):
        before = len(self.engine.outcomes)
        self.engine.advance([Frame(COMMAND, msgspec.json.encode(command), self.t)])
        return list(self.engine.outcomes)[before:]

    def open(self, qty="10000"):
        return self.do(OpenPair(SPOT_KEY, PERP, D(qty), D(2), WIDE))


TINY = ("0.000000001", "0.000000002")


@pytest.mark.parametrize("leg", ["spot", "perp"])
@pytest.mark.parametrize(
    ("top", "reason"),
    [(TINY, "number"), (("0.0400", "0.0401"), "jump"), (("900000000", "900010000"), "jump")],
)
def test_one_absurd_price_trades_nothing_liquidates_nothing_and_moves_no_equity(leg, top, reason):
    walk = Walk()
    assert isinstance(walk.open()[0], PairOpened)
    walk.later()
    equity, engine = walk.engine.funds().equity, walk.engine
    walk.later(**{leg: top})
    engine.market.pair(SPOT_KEY, PERP)
    assert engine.market.bad_by_reason[reason] >= 1
    (no,) = walk.do(ClosePair(1))
    assert isinstance(no, Refused)
    assert no.text.startswith(leg.capitalize())
    assert engine.sheet(OpenPair(SPOT_KEY, PERP, D(100), D(2), WIDE)).refusal.limit == "quote_jump"
    assert engine.market.leg(SPOT_KEY if leg == "spot" else PERP).book.levels("buy", 5) == []
    assert engine.funds().equity == equity
    assert engine.attribution(1).total == engine.attribution(1).truth
    walk.later()  # the next message is sane again: nothing has to be waited for
    assert isinstance(walk.do(ClosePair(1))[0], PairReduced)


def test_a_price_below_one_tick_is_never_confirmed():
    walk = Walk()
    walk.open()
    for _ in range(20):
        walk.later(spot=TINY)
    assert [pair.state for pair in walk.engine.open_pairs()] == ["open"]
    assert isinstance(walk.do(ClosePair(1))[0], Refused)


def test_a_true_crash_is_confirmed_by_three_updates_over_two_seconds():
    walk = Walk()
    walk.open()
    crash = {"spot": ("0.1000", "0.1001"), "perp": ("0.1001", "0.1002")}
    walk.later(**crash)
    (no,) = walk.do(ClosePair(1))
    said = "Spot price jumped from 0.36395 to 0.10005; waiting for it to be confirmed."
    assert no.text == said
    walk.later(**crash)
    walk.later(**crash)
    walk.later(**crash)
    assert isinstance(walk.do(ClosePair(1))[0], PairReduced)


def test_a_mark_that_jumps_liquidates_only_once_it_is_confirmed():
    walk = Walk()
    walk.open()
    kinds = lambda: {type(outcome) for outcome in walk.engine.outcomes}  # noqa: E731
    walk.mark("5.0")
    walk.later()
    assert Liquidated not in kinds()
    walk.mark("0.3665")
    walk.later()
    assert walk.engine.market.leg(PERP).mark == 0.3665
    for _ in range(4):
        walk.mark("5.0")
        walk.later()
    assert Liquidated in kinds()


@pytest.mark.parametrize("leg", [SPOT_KEY, PERP])
def test_levels_that_round_to_no_tick_are_no_levels_wherever_they_come_from(leg):
    rig = Rig()
    rig.open()
    rig.ticker(PERP, 0.3667)
    rig.show(leg, [(1e-9, 1e6)], [(2e-9, 1e6)])
    (no,) = rig.do(ClosePair(1))
    assert isinstance(no, Refused)
    assert rig.desk.sheet(order(), rig.market, rig.funds, rig.now).refusal is not None
    assert rig.later(HOUR, fresh=True) is not None


# --- looking changes nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("look", [False, True])
def test_looking_at_the_ticket_does_not_change_what_a_later_order_fills(look):
    walk = Walk()
    walk.later(size="10000")
    walk.open("9000")
    away = {"spot": ("0.3640", "0.3641"), "perp": ("0.3666", "0.3667")}
    walk.later(S // 2, size="10000", **away)
    if look:
        request = OpenPair(SPOT_KEY, PERP, D(100), D(2), WIDE)
        walk.engine.sheet(request)
        walk.engine.desk.max_qty(request, walk.engine.market, walk.engine.funds(), walk.t)
    walk.later(S // 2, size="10000")
    (no,) = walk.open("1500")
    assert isinstance(no, Refused)
    assert no.limit == "depth"


# --- funding heard of after the close ------------------------------------------------------------


def test_funding_of_stamps_held_through_is_booked_after_the_close_once():
    rig = Rig()
    rig.open(plan=FREE)
    rig.now += 20 * HOUR
    rig.fresh()
    next_ms = (T0 + 24 * HOUR) // 10**6
    rig.ticker(PERP, 0.3665, next_ms=next_ms)
    (closed,) = rig.do(ClosePair(1))
    assert isinstance(closed, PairReduced)
    stamps = [(T0 + hours * HOUR) // 10**6 for hours in (0, 8, 16, 24)]
    clock = rig.market.leg(PERP).funding
    clock.learn(FundingHistory(PERP, [(stamp, "0.01") for stamp in stamps]))
    rig.later(5 * HOUR)
    rig.later(S)
    rig.do(ClosePair(1))
    paid = [outcome for outcome in rig.log if isinstance(outcome, FundingSettled)]
    history = [outcome for outcome in paid if outcome.source == "history"]
    assert [outcome.settle_ms for outcome in history] == stamps[1:3]
    assert len(paid) == len({outcome.settle_ms for outcome in paid}) == 2
    assert all(outcome.late and outcome.amount == D("36.65") for outcome in history)


def test_funding_heard_of_long_after_the_close_is_let_go():
    rig = Rig()
    rig.open(plan=FREE)
    rig.now += 9 * HOUR
    rig.fresh()
    rig.do(ClosePair(1))
    clock = rig.market.leg(PERP).funding
    clock.mark = 0.3665
    clock.learn(FundingHistory(PERP, [((T0 + 8 * HOUR) // 10**6, "0.01")]))
    assert rig.later(73 * HOUR) == []


# --- absurd sizes of a hand ----------------------------------------------------------------------

ABSURD = [
    "1e999", "1e9999999", "1e-999", "1e-9999999", "NaN", "sNaN", "-1", "0", "-0", "Infinity",
    "1" + "0" * 5_000, "0." + "1" * 5_000, "1." + "1" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("number", ABSURD, ids=lambda text: text[:12])
def test_an_absurd_size_leverage_or_plan_is_a_sheet_with_a_refusal(number):
    walk, absurd = Walk(), D(number)
    request = OpenPair(SPOT_KEY, PERP, D(1000), D(2), PLAN)
    replace = msgspec.structs.replace
    sheets = [
        walk.engine.sheet(replace(request, qty=absurd)),
        walk.engine.sheet(replace(request, exit=ExitPlan(absurd, absurd, absurd))),
    ]
    look, engine = replace(request, leverage=absurd), walk.engine
    sheets.append(engine.sheet(look))
    assert engine.desk.max_qty(look, engine.market, engine.funds(), engine.now_ns) == 0
    for sheet in sheets:
        assert sheet.refusal is not None
        assert len(sheet.refusal.text) < 400


@pytest.mark.parametrize("number", ABSURD, ids=lambda text: text[:12])
def test_an_absurd_number_in_a_command_is_refused_in_a_short_sentence(number):
    walk = Walk()
    walk.open()
    for command in (
        {"do": "open_pair", "long": SPOT_KEY, "short": PERP, "qty": number, "leverage": "2"},
        {"do": "add_margin", "pair": 1, "amount": number},
        {"do": "close_pair", "pair": 1, "fraction": number},
    ):
        before = len(walk.engine.outcomes)
        frame = Frame(COMMAND, json.dumps(command).encode(), walk.t)
        walk.engine.advance([frame])
        for outcome in list(walk.engine.outcomes)[before:]:
            assert len(getattr(outcome, "text", "")) < 400
    rig = Rig()
    rig.open()
    (no,) = rig.do(AddMargin(1, D(number)))
    assert isinstance(no, Refused)
    assert len(no.text) < 400


def test_money_nobody_can_read_is_told_in_short():
    assert words.money(D("1e9999999"), "USDT") == "1E+9999999 USDT"
    assert words.money(D("NaN"), "USDT") == "NaN USDT"
    assert words.money(D("1234.5"), "USDT") == "1,234.50 USDT"


# --- a coin that is not what its symbol says -----------------------------------------------------


@pytest.mark.parametrize("coin", ["Ada", "<b>x</b>", "BTC"])
def test_an_instrument_whose_coin_is_not_in_its_symbol_is_refused_at_the_border(coin):
    def odd(row):
        old = '"baseCoin": "ADA"'
        assert old in row["data"]
        return {**row, "data": row["data"].replace(old, f'"baseCoin": "{coin}"')}

    walk = Walk("base", odd)
    (no,) = walk.open("1000")
    assert isinstance(no, Refused)
    assert no.limit == "instrument"
    assert walk.engine.market.bad_by_reason["symbol"] >= 1
