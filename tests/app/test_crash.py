"""A bug that escapes: seen at once, nothing looks live, the next start waits for a person."""

import asyncio
import math

import msgspec
import pytest

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Paper, Settings, TapeSettings
from basisdesk.feed.tasks import spawn
from basisdesk.ledger.check import check_journal

SETTINGS = msgspec.structs.replace(
    Settings(), paper=Paper(latency_ms=0), tape=TapeSettings(record=False)
)

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(120)]


async def until(what, patience_s=40.0):
    for _ in range(int(patience_s / 0.02)):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


def live(context):
    pair = context.engine.shown()
    return pair is not None and not pair.now.stale and math.isfinite(pair.now.open_bp)


def break_engine(context):
    """A bug in the middle of the walk."""

    def boom(*_):
        raise ZeroDivisionError("a bug")

    context.engine.market.apply_all = boom


def break_task(context):
    async def boom():
        raise ZeroDivisionError("a bug")

    spawn(boom(), "boom", context.actions._on_task_dead)


def break_callback(context):
    def boom():
        raise ZeroDivisionError("a bug")

    asyncio.get_running_loop().call_soon(boom)


@pytest.mark.parametrize("fault", [break_engine, break_task, break_callback])
def test_a_bug_stops_the_desk_in_full_view_and_the_next_start_is_halted(tmp_path, fault):
    async def first(context, window):
        await until(lambda: live(context))
        fault(context)
        await until(lambda: "has a bug" in context.status.banner)
        assert context.status.banner_level == "error"
        assert not any(dock.isEnabled() for dock in window.docks.values())
        legs = context.engine.market.legs.values()
        assert all(math.isnan(leg.mid) for leg in legs)  # no price looks live any more

    async def second(context, window):
        assert context.engine.desk.risk.state == "halted"
        assert "fault" in context.engine.desk.risk.reason

    run_desk(DeskOptions(tmp_path, SETTINGS, pilot=first))
    assert check_journal(tmp_path / "simulated" / "journal.db").problems == []
    run_desk(DeskOptions(tmp_path, SETTINGS, pilot=second))
