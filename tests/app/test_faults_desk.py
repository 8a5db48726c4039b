"""Faults of the machine around a running desk: it hangs, is hidden, its disk is full."""

import asyncio
import math
import os
import time
from decimal import Decimal

import msgspec
import pytest

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Paper, Settings, TapeSettings
from basisdesk.errors import JournalError
from basisdesk.events import ExitPlan, OpenPair, Refused
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.journal import Journal

SETTINGS = msgspec.structs.replace(
    Settings(), paper=Paper(latency_ms=0), tape=TapeSettings(record=False)
)
PLAN = ExitPlan(Decimal(-900), Decimal(900), Decimal(72))
HANG_S = float(os.environ.get("BASISDESK_HANG_S", "3"))

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(150)]


async def until(what, patience_s=40.0):
    for _ in range(int(patience_s / 0.02)):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


def live(context):
    engine = context.engine
    pair = engine.shown()
    return (
        pair is not None
        and not pair.now.stale
        and math.isfinite(pair.now.open_bp)
        and all(engine.market.leg(key).instrument for key in engine.pair)
    )


def an_order(context):
    long, short = context.engine.pair
    return OpenPair(long, short, Decimal(500), Decimal(2), PLAN)


def fly(profile, pilot):
    assert run_desk(DeskOptions(profile, SETTINGS, pilot=pilot)) == 0


def hang(seconds):
    """A slot that does not return: neither sockets nor engine get a turn."""
    time.sleep(seconds)


def test_a_window_that_hung_trades_nothing_old_and_goes_on(tmp_path):
    async def pilot(context, window):
        engine, market = context.engine, context.engine.market
        await until(lambda: live(context))
        gaps, before = market.loop_gaps, len(engine.outcomes)
        hang(HANG_S)
        context.actions.submit(an_order(context))  # clicked at once, before anything new was read
        await until(lambda: len(engine.outcomes) > before)
        refused = engine.outcomes[-1]
        assert isinstance(refused, Refused)
        assert not engine.open_pairs()
        await until(lambda: live(context))
        assert market.loop_gaps > gaps
        context.actions.submit(an_order(context))
        await until(engine.open_pairs)

    fly(tmp_path, pilot)
    assert check_journal(tmp_path / "simulated" / "journal.db").problems == []


def test_a_hidden_window_changes_nothing_for_the_engine(tmp_path):
    async def pilot(context, window):
        await until(lambda: live(context))
        market = context.engine.market

        async def heard():
            frames, paints = market.frames, window.refreshes
            await asyncio.sleep(2.0)  # a rate needs time
            return market.frames - frames, window.refreshes - paints

        shown = await heard()
        window.hide()
        hidden = await heard()
        window.show()
        assert hidden[0] > 0.6 * shown[0]
        assert hidden[1] < 0.2 * shown[1] + 5
        assert live(context)

    fly(tmp_path, pilot)


def test_a_full_disk_stops_trading_in_words_and_the_next_start_goes_on(tmp_path, monkeypatch):
    def full(self, decided):
        raise JournalError("The journal cannot be written: database or disk is full.")

    async def first(context, window):
        await until(lambda: live(context))
        with monkeypatch.context() as disk:
            disk.setattr(Journal, "append_many", full)
            context.actions.submit(an_order(context))
            await until(lambda: "disk is full" in context.status.banner)
            assert "Trading is halted, your ledger is safe" in context.status.banner
            assert not context.engine.open_pairs()  # what was not written did not happen
            assert all(math.isnan(leg.mid) for leg in context.engine.market.legs.values())

    async def second(context, window):
        await until(lambda: live(context))
        assert not context.engine.open_pairs()

    fly(tmp_path, first)
    assert check_journal(tmp_path / "simulated" / "journal.db").problems == []
    fly(tmp_path, second)
