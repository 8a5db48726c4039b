"""A whole desk on the demo exchange: window, feeds, trade, log, tape, restart."""

import asyncio
import json
import math
from decimal import Decimal

import msgspec
import pytest

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.cli import main
from basisdesk.config import Paper, Settings
from basisdesk.errors import ProfileError
from basisdesk.events import ClosePair, ExitPlan, Halt, OpenPair, Resume

LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PLAN = ExitPlan(Decimal(-900), Decimal(900), Decimal(72))
SETTINGS = msgspec.structs.replace(Settings(), paper=Paper(latency_ms=20))
PATIENCE_S = 40.0

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(150)]


async def until(what, patience_s=PATIENCE_S):
    """True once the condition holds; the patience is a limit for a broken desk, not a pace."""
    for _ in range(int(patience_s / 0.02)):
        if what():
            return True
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


def fly(profile, pilot, settings=SETTINGS):
    """Run a desk with a pilot in it; what the pilot raises, this raises."""
    assert run_desk(DeskOptions(profile, settings, pilot=pilot)) == 0


def live(context):
    engine = context.engine
    pair = engine.shown()
    described = all(engine.market.leg(key).instrument for key in (LONG, SHORT))
    return described and pair is not None and not pair.now.stale and math.isfinite(pair.now.open_bp)


async def open_one(context, qty="500"):
    await until(lambda: live(context))
    context.actions.submit(OpenPair(LONG, SHORT, Decimal(qty), Decimal(2), PLAN))
    await until(context.engine.open_pairs)


def test_open_close_save_and_replay_to_the_same_digest(tmp_path, capsys):
    seen = {}

    async def pilot(context, window):
        engine = context.engine
        await open_one(context)
        await asyncio.sleep(0.5)  # let the market move while the pair is open
        context.actions.submit(ClosePair(1))
        await until(lambda: not engine.open_pairs())
        context.actions.save_log(tmp_path / "logs")
        await until(lambda: context.status.saved)
        seen.update(
            digest=engine.books.digest(),
            equity=engine.funds().equity,
            total=engine.attribution(1).total,
            points=len(engine.shown().series),
            bad=engine.market.bad_frames,
        )

    fly(tmp_path, pilot)
    assert seen["points"] > 1_300  # a day of minutes before the first live sample
    assert seen["bad"] == 0
    assert seen["equity"] - 10_000 == seen["total"]
    (log,) = (tmp_path / "logs").iterdir()
    assert {p.name for p in log.iterdir()} == {
        "pairs.csv",
        "fills.csv",
        "funding.csv",
        "postings.csv",
        "plans.csv",
        "refusals.csv",
        "rejections.csv",
        "session.json",
        "report.html",
    }
    (tape,) = (tmp_path / "simulated" / "tapes").iterdir()
    capsys.readouterr()
    assert main(["replay", str(tape), "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["ledger_digest"] == seen["digest"]
    assert main(["check", str(tmp_path / "simulated" / "journal.db")]) == 0


def test_a_restart_resumes_the_open_pair_its_margin_its_plan_and_the_halt(tmp_path, capsys):
    seen = {}

    async def first(context, window):
        await open_one(context)
        context.actions.submit(Halt("test"))
        await until(lambda: context.engine.desk.risk.state == "halted")

    async def second(context, window):
        engine = context.engine
        (pair,) = engine.open_pairs()
        assert pair.plan == PLAN
        assert pair.margin > 0
        assert engine.desk.risk.state == "halted"
        await until(lambda: live(context))
        before = len(engine.outcomes)
        context.actions.submit(OpenPair(LONG, SHORT, Decimal(500), Decimal(2), PLAN))
        await until(lambda: len(engine.outcomes) > before)
        assert engine.outcomes[-1].limit == "halted"
        context.actions.submit(Resume("test"))
        context.actions.submit(ClosePair(1))
        await until(lambda: not engine.open_pairs())
        seen.update(digest=engine.books.digest(), equity=engine.funds().equity)

    fly(tmp_path, first)
    fly(tmp_path, second)
    tape = max((tmp_path / "simulated" / "tapes").iterdir(), key=lambda path: path.stat().st_mtime)
    capsys.readouterr()
    assert main(["replay", str(tape), "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["ledger_digest"] == seen["digest"]  # a resumed session replays as it was
    assert Decimal(replayed["equity"]["end"]) == seen["equity"]
    assert [pair["close_reason"] for pair in replayed["pairs"]] == ["user"]


def test_the_demo_market_goes_on_where_it_was(tmp_path):
    prices = []

    async def pilot(context, window):
        await until(lambda: live(context))
        prices.append(context.engine.market.leg(LONG).mid)
        await asyncio.sleep(2.5)  # the exchange keeps its state every two seconds
        prices.append(context.engine.market.leg(LONG).mid)

    fly(tmp_path, pilot)
    fly(tmp_path, pilot)
    assert prices[2] == pytest.approx(prices[1], rel=0.01)


def test_an_exchange_that_dies_is_said_and_comes_back(tmp_path):
    import psutil

    async def pilot(context, window):
        await until(lambda: live(context))
        children = psutil.Process().children()
        (exchange,) = [c for c in children if "demo-exchange" in c.cmdline()]
        exchange.kill()
        assert await until(lambda: "demo exchange stopped" in context.status.banner)
        assert await until(lambda: not live(context))
        assert await until(lambda: live(context) and not context.status.banner)

    fly(tmp_path, pilot)


def test_a_second_desk_on_the_same_profile_is_one_sentence(tmp_path):
    def begun():
        """What a desk makes first of all; the first one's own threads may make more any time."""
        kinds = ("*.tape", "*.db", "*.log", "*.lock", "*.toml")
        return sorted(str(path) for kind in kinds for path in tmp_path.rglob(kind))

    async def pilot(context, window):
        before = begun()
        assert len(before) >= 3
        with pytest.raises(ProfileError, match="Another desk"):
            run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot))
        assert begun() == before

    fly(tmp_path, pilot)
