"""The forecast beside the desk: its figures, its settings, and a fault that is its own."""

import asyncio
import math
import stat
import sys
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from basisdesk.app import forecasting
from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.app.forecast_figures import funding_of, hold_of
from basisdesk.app.forecast_life import Life
from basisdesk.app.forecast_pairs import PairReaders, Past, Watched
from basisdesk.app.forecasting import STOPPED, rules_of
from basisdesk.config import Demo, Forecast, IndicatorSource, Scanner, Settings, load_settings
from basisdesk.errors import SettingsError
from basisdesk.forecast.view import Hold
from basisdesk.market.basis import BasisNow
from basisdesk.market.cross import Fx
from basisdesk.market.funding import FundingClock
from basisdesk.trading.hold_time import Hold as Held
from basisdesk.trading.like_gaps import LikeGaps
from basisdesk.trading.passage import Reversion
from tests.forecast.label_rig import LIVELY

# --- beside the score ----------------------------------------------------------------------------

NOW_MS = 1_790_000_000_000
NEXT_MS = NOW_MS - NOW_MS % 28_800_000 + 28_800_000


def clock_of(rate=1e-4, hours=8.0, settled=((-2, 3e-4), (-1, 1e-4))):
    clock = FundingClock(hours)
    clock.rate, clock.next_ms = rate, NEXT_MS
    step = round(hours * 3_600_000)
    clock.settled = [(NEXT_MS + k * step, value) for k, value in settled]
    return clock


def test_funding_over_the_hold_takes_the_settlements_within_it():
    to_next_h = (NEXT_MS - NOW_MS) / 3_600_000
    hold = Hold(to_next_h, to_next_h + 16.0)
    found = funding_of(clock_of(), 1, hold, NOW_MS)
    assert [due.at_ms for due in found.dues[:3]] == [NEXT_MS + k * 28_800_000 for k in range(3)]
    assert [due.bp for due in found.dues[:3]] == pytest.approx([1.0, 2.0, 2.0])
    assert [due.indicative for due in found.dues[:3]] == [True, False, False]
    assert found.over_median_bp == pytest.approx(1.0)  # at the stamp itself: paid
    assert found.over_p90_bp == pytest.approx(5.0)
    assert funding_of(clock_of(), -1, hold, NOW_MS).over_p90_bp == pytest.approx(-5.0)
    assert funding_of(clock_of(), 1, Hold(0.01, 0.02), NOW_MS).over_median_bp == 0.0


def test_settlements_of_another_interval_are_brought_to_it():
    clock = clock_of(hours=1.0, settled=((-3, 1e-4), (-2, 1e-4), (-1, 1e-4)))
    found = funding_of(clock, 1, Hold(), NOW_MS)
    assert {round(due.bp, 9) for due in found.dues} == {1.0}
    assert len(found.dues) >= 23
    assert math.isnan(found.over_median_bp)
    assert found.why == "how long it is held is not known"


def test_without_a_calendar_funding_says_why():
    assert funding_of(FundingClock(), 1, Hold(1.0, 2.0), NOW_MS).why
    unknown = funding_of(clock_of(rate=math.nan, settled=()), 1, Hold(100.0, 120.0), NOW_MS)
    assert math.isnan(unknown.over_median_bp)


class Rows:
    """A series of past minutes."""

    def __init__(self, times):
        self.times = np.array(times, dtype=float)

    def window(self, first_s, last_s):
        t = self.times[(self.times >= first_s) & (self.times <= last_s)]
        return t, {"spot": t * 0 + 100.0, "mid_bp": t * 0 + 5.0, "fair_bp": t * 0 - 4.5}


def pair_of(times, live_s=10_000.0):
    return SimpleNamespace(live_from_s=live_s, series=Rows(times))


def test_past_minutes_wait_until_their_pages_have_come():
    past = Past(0.0)
    past.look(pair_of([]), 1.0)
    assert past.next() is None
    assert not past.told
    past.look(pair_of([100.0, 160.0]), 2.0)  # the old page first
    past.look(pair_of([100.0, 160.0]), 9.0)
    assert past.next() is None
    whole = pair_of([100.0, 160.0, 9_940.0, 10_000.0])
    past.look(whole, 10.0)
    assert past.next() is None
    past.look(whole, 13.0)
    told = []
    while (tick := past.next()) is not None:
        told.append(tick)
    assert past.told
    assert [tick.t_ns / 1e9 for tick in told] == [100.0, 160.0, 9_940.0]
    assert told[0].mid_bp == pytest.approx(5.0)
    assert math.isnan(told[0].open_bp)


def test_a_pair_without_a_past_is_heard_after_a_while():
    past = Past(0.0)
    past.look(pair_of([], math.inf), 19.0)
    assert past.next() is None
    assert not past.told
    past.look(pair_of([], math.inf), 20.0)
    assert past.next() is None
    assert past.told


def test_past_minutes_make_no_candidate():
    life = Life(LIVELY)
    past = Past(0.0)
    past.look(pair_of([60.0 * k for k in range(1, 160)]), 1.0)
    past.look(pair_of([60.0 * k for k in range(1, 160)]), 21.0)
    while (tick := past.next()) is not None:
        life.hear("pair", tick)
    assert life.knows("pair")
    assert not life.forecaster.taken().candidates


SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"


def readers(now, position=None, fx=None):
    """The readers of a made-up desk with one pair."""
    pair = SimpleNamespace(now=now)
    perps = ("bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP")
    market = SimpleNamespace(pairs={(SPOT, PERP): pair, perps: pair}, fx=lambda *_: fx)
    market.settings = Settings()
    engine = SimpleNamespace(
        market=market,
        pair=perps,
        settings=Settings(),
        open_pairs=lambda: [] if position is None else [position],
    )
    return PairReaders(engine, lambda: ((SPOT, PERP), perps), {"ADA": 1.5}.get)


NOW = BasisNow(mid_bp=10.0, open_bp=8.0, close_bp=12.0, fair_bp=-4.5, fees_bp=31.0)


def test_a_trade_aims_at_fair_value_as_it_can_be_left():
    found = readers(NOW)
    (watched,) = found.watched()  # two perpetuals are none of its pairs
    terms = found.terms(watched, 0)
    assert terms == (1, 31.0, -2.5, 1.5)
    below = msgspec.structs.replace(NOW, mid_bp=-10.0)
    assert readers(below).terms(watched, 0).direction == 1  # the market of `watched` counts
    (watched,) = readers(below).watched()
    assert readers(below).terms(watched, 0)[:3] == (-1, 31.0, -6.5)


def test_a_held_pair_is_seen_from_its_own_side_and_to_its_own_target():
    position = SimpleNamespace(
        direction=-1,
        plan=SimpleNamespace(target_bp=Decimal("7.5")),
        reference=SimpleNamespace(instrument=SPOT),
        other=SimpleNamespace(instrument=PERP),
    )
    found = readers(NOW, position)
    (watched,) = found.watched()
    assert watched.position is position
    assert found.terms(watched, 0)[:3] == (-1, 31.0, 7.5)
    position.plan.target_bp = None
    assert found.terms(watched, 0)[:3] == (-1, 31.0, -6.5)


def test_changing_money_is_a_cost_and_an_old_rate_makes_it_unknown():
    usd = Watched(("kraken:spot:ADAUSD", PERP), SimpleNamespace(now=NOW), None)
    fx = Fx(bid=0.9998, ask=1.0002, mid=1.0)
    assert readers(NOW, fx=fx).cost_bp(usd, 0) == pytest.approx(35.0)
    old = msgspec.structs.replace(fx, stale="too old")
    assert math.isnan(readers(NOW, fx=old).cost_bp(usd, 0))


# --- settings ------------------------------------------------------------------------------------


def test_the_settings_make_the_registered_rule():
    settings = Settings(forecast=Forecast(horizon_h=4, gain_bp=6, stop_bp=12))
    rules = rules_of(settings)
    assert (rules.horizon_h, rules.gain_bp, rules.stop_bp) == (4, 6, 12)
    assert rules.hash != rules_of(Settings()).hash


@pytest.mark.parametrize(
    "text",
    [
        "[forecast]\nmargin = 0.6",
        "[forecast]\nhorizon_h = 0",
        "[forecast]\ngain_bp = -1",
        "[forecast]\nstop_bp = 0",
        "[forecast]\nodd = 1",
        '[forecast.indicators."Odd Name"]\nfile = "x"',
        "[forecast.indicators.flow]\nevery_s = 5",
    ],
)
def test_wrong_settings_are_refused(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="forecast"):
        load_settings(path)


def test_indicators_come_from_the_settings(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[forecast.indicators.flow]\nfile = "f.csv"\nunit = "coins"\n', "utf-8")
    found = load_settings(path).forecast.indicators
    assert found == {"flow": IndicatorSource("f.csv", "coins", 3_600.0)}


# --- the whole desk ------------------------------------------------------------------------------

DESK = msgspec.structs.replace(
    Settings(), demo=Demo(seed=7), scanner=Scanner(on=False), forecast=Forecast(gain_bp=3)
)
PATIENCE_S = 60.0


async def until(what):
    for _ in range(int(PATIENCE_S / 0.05)):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the forecast did not get there")


def beats(view, n=0):
    """Seconds after the first score of the pair on the screen."""
    here = view.here
    scored = here is not None and here.score is not None and not here.stale
    return scored and view.version >= n


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(180)
def test_a_desk_forecasts_its_pair_and_goes_on_after_a_restart(tmp_path):
    seen = {}

    async def first(context, window):
        view = context.forecast
        await until(lambda: beats(view))
        start = view.version
        await until(lambda: beats(view, start + 4) and view.here.funding.dues)
        seen["here"], seen["version"] = view.here, view.model

    async def second(context, window):
        view = context.forecast
        await until(lambda: beats(view))  # the first ones are stale: no quotes yet
        seen["again"], seen["problem"] = view.here, view.problem
        context.actions.save_log(tmp_path / "log")
        await until(lambda: context.status.saved)
        seen["log"] = context.status.saved

    assert run_desk(DeskOptions(tmp_path, DESK, pilot=first)) == 0
    here = seen["here"]
    assert len(here.rows) == 44
    assert here.decision.startswith("abstain")
    assert here.regime_why
    assert here.funding.dues
    assert here.cost_bp == pytest.approx(31.0, abs=0.1)
    parts = [row.contribution for row in here.rows]
    assert sum(parts) + here.score.bias == pytest.approx(here.score.logit)
    folder = next((tmp_path / "simulated" / "forecast").glob("*/*"))
    assert any(path.name.startswith("dump-") for path in folder.iterdir())
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    assert run_desk(DeskOptions(tmp_path, DESK, pilot=second)) == 0
    # the memories of a day are there at once: nothing was learned anew
    missing = {row.name for row in seen["again"].rows if row.missing}
    assert not missing & {"z_5m", "z_2h", "z_24h", "sd_2h", "slope"}
    assert not seen["problem"]
    assert seen["log"]


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(180)
def test_a_fault_of_the_forecast_ends_the_forecast_and_nothing_else(tmp_path, monkeypatch):
    seen = {}

    def broken(*_):
        raise ZeroDivisionError("a fault")

    async def pilot(context, window):
        view = context.forecast
        await until(lambda: beats(view))
        monkeypatch.setattr(forecasting, "bands_of", broken)
        await until(lambda: view.problem == STOPPED)
        frames = context.engine.market.frames
        await until(lambda: context.engine.market.frames > frames + 20)
        seen["banner"], seen["fault_ns"] = context.status.banner, context.status.fault_ns

    assert run_desk(DeskOptions(tmp_path, DESK, pilot=pilot)) == 0
    assert seen["banner"] == STOPPED
    assert not seen["fault_ns"]


def test_a_desk_without_forecast_has_none(tmp_path):
    seen = {}

    async def pilot(context, window):
        seen["forecast"] = context.forecast

    settings = msgspec.structs.replace(DESK, forecast=Forecast(on=False))
    assert run_desk(DeskOptions(tmp_path, settings, pilot=pilot)) == 0
    assert seen["forecast"] is None
    assert not (tmp_path / "simulated" / "forecast").exists()


def test_the_hold_is_looked_at_each_minute_of_the_market():
    """At 60 times its pace a hold of a minute ago is an hour old."""
    slow = forecasting._Slow()
    assert slow.hold_due(5.0, 0)
    slow.at_s, slow.at_ns, slow.hold = 100.0, 1_000_000_000, Hold(0.5, 1.0)
    assert not slow.hold_due(100.9, 60_000_000_000)
    assert slow.hold_due(101.1, 61_000_000_000)
    slow.hold = Hold(why="not known yet")
    assert not slow.hold_due(104.0, 5_000_000_000)
    assert slow.hold_due(105.0, 5_000_000_000)


def test_what_a_hold_stands_on_is_told(monkeypatch):
    tick = SimpleNamespace(target_bp=-4.5, direction=1, exit_bp=lambda _: 20.0)
    engine = SimpleNamespace(market=None, now_ns=0, settings=None)
    watched = SimpleNamespace(position=None, key=(SPOT, PERP))
    like, seen = LikeGaps(0.5, math.inf, 9, 7), Reversion(-4.5, 30.0, 0.12, 24.0)
    found = Held(0.5, math.inf, reversion=seen, like=like, minutes=1_440)
    hold = hold_of(watched, tick, SimpleNamespace(until=lambda *_: found), engine)
    assert (hold.median_h, hold.p90_h, hold.came, hold.gaps, hold.hours) == (
        0.5,
        math.inf,
        7,
        9,
        24,
    )
    assert hold.half_low_h < hold.half_h == 0.12 < hold.half_high_h
    young = Held(why="not known yet: 30 of 240 min of basis")
    hold = hold_of(watched, tick, SimpleNamespace(until=lambda *_: young), engine)
    assert hold.why == young.why
    assert math.isnan(hold.median_h)
    never = Held(may_never=True, why="it lies beyond")
    assert hold_of(watched, tick, SimpleNamespace(until=lambda *_: never), engine).may_never
    bare = SimpleNamespace(target_bp=math.nan)
    assert "no target" in hold_of(watched, bare, None, engine).why
