"""Ways out of the desk, again and again, and every dialog opened while the feeds go on.

Whole desks on the demo exchange: only with BASISDESK_CLOSES=20, the repeats of each way out.
"""

import asyncio
import math
import os
import signal
import stat
import threading
from collections import Counter
from decimal import Decimal

import psutil
import pytest
from PySide6.QtWidgets import QApplication

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.events import ExitPlan, OpenPair
from basisdesk.ledger.check import check_journal

CLOSES = int(os.environ.get("BASISDESK_CLOSES", "0"))
EXIT_S = 5.0
LOOK_S = 0.4  # a dialog stands open for so long; each connection says something meanwhile
PLAN = ExitPlan(Decimal(-900), Decimal(900), Decimal(72))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.loopback,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CLOSES, reason="minutes of whole desks: set BASISDESK_CLOSES"),
]


def live(context):
    engine, pair = context.engine, context.engine.shown()
    known = pair is not None and all(engine.market.leg(key).instrument for key in engine.pair)
    return known and not pair.now.stale and math.isfinite(pair.now.open_bp)


async def until(what):
    for _ in range(3_000):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


def order(context):
    return OpenPair(*context.engine.pair, Decimal(500), Decimal(2), PLAN)


def during_a_trade(context, window):
    context.actions.submit(order(context))  # still on its way when the window goes
    window.close()


WAYS = {
    "window": lambda _, window: window.close(),
    "quit": lambda context, _: context.actions.quit(),
    "SIGTERM": lambda *_: os.kill(os.getpid(), signal.SIGTERM),
    "SIGINT": lambda *_: os.kill(os.getpid(), signal.SIGINT),
    "session end": lambda *_: QApplication.closeAllWindows(),
    "during a trade": during_a_trade,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("turn", range(CLOSES))
def test_each_way_out_is_short_whole_and_quiet(tmp_path, caplog, capfd, way, turn):
    asked_s, ended = [], []
    threads = set(threading.enumerate())

    async def pilot(context, window):
        await until(lambda: live(context))
        if turn % 2:
            context.actions.submit(order(context))
            await until(context.engine.open_pairs)
        if turn % 3 == 0:
            window.show_scanner()
            window.pick_pair()  # a question stands open
        own = psutil.Process().net_connections(kind="inet")  # the exchange is another process
        assert not [each for each in own if each.status == psutil.CONN_LISTEN]
        asked_s.append(mono_s())
        WAYS[way](context, window)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(way)

    assert run_desk(DeskOptions(tmp_path, Settings(), pilot=pilot)) == 0
    took_s = mono_s() - asked_s[0]
    said = capfd.readouterr().err + caplog.text
    assert took_s <= EXIT_S
    assert ended == [way]
    assert "Traceback" not in said
    home = tmp_path / "simulated"
    assert check_journal(home / "journal.db").problems == []
    assert not (home / "journal.db-wal").exists()  # closed, not cut
    assert (tmp_path / "layout.json").exists()
    assert [path for path in tmp_path.rglob("*") if shared(path)] == []
    assert not [each for each in threading.enumerate() if each not in threads and not each.daemon]
    print(f"left by {way} in {took_s:.2f} s")


def shared(path):
    """Whether anybody but its owner may do something with it: files are 0600, folders 0700."""
    return os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077


def dialogs_of(context, window):
    """Every way to a question of the desk, by name. Each gives what it opened."""
    positions, bars = window.positions, window.bars
    doors = {type(door).__name__: door for door in bars.doors}
    found = {
        "resume": window.ask_resume,
        "flatten": window.ask_flatten,
        "pair": window.pick_pair,
        "glossary": window.show_glossary,
        "about": window.show_about,
        "save log": window.ask_save_log,
        "tape": window.ask_tape,
        "palette": window.show_palette,
        "chart": window.open_chart,
        "scanner": window.show_scanner,
        "plan": lambda: positions.edit_plan(1),
        "explain": lambda: positions.explain(1, "net"),
        "account": lambda: window.docks["account"].panel.explain("equity"),
        "autopilot": lambda: window.docks["autopilot"].panel.edit(" ".join(context.engine.pair)),
        "new account": bars.accounts.ask_new,
        "reset account": bars.accounts.ask_reset,
    }
    for what in ("choose", "flip", "rebalance", "add_margin", "withdraw_margin"):
        found[what] = lambda what=what: positions.ask(1, what)
    for name, door in doors.items():
        if hasattr(door, "open"):
            found[name] = door.open
        if hasattr(door, "show_welcome"):
            found["welcome"] = door.show_welcome
    return found


def test_every_feed_goes_on_while_any_dialog_is_open(tmp_path):
    opened, silent = Counter(), []

    async def pilot(context, window):
        market = context.engine.market
        await until(lambda: live(context))
        context.actions.submit(order(context))
        await until(context.engine.open_pairs)
        await asyncio.sleep(1.0)
        tasks = {task for task in asyncio.all_tasks() if not task.done()}
        for name, make in dialogs_of(context, window).items():
            before = spoken(market)
            shown = set(windows())
            made = make()
            if not made and set(windows()) == shown:
                continue  # a door that is not offered in this desk
            opened[name] += 1
            await asyncio.sleep(LOOK_S)
            after = spoken(market)
            silent.extend((name, conn) for conn in before if after[conn] <= before[conn])
            for widget in set(windows()) - shown:
                widget.close()
            await asyncio.sleep(0)
        dead = [t.get_name() for t in tasks if t.done() and not t.cancelled() and t.exception()]
        assert dead == []

    assert run_desk(DeskOptions(tmp_path, Settings(), pilot=pilot)) == 0
    print(f"{len(opened)} dialogs and windows opened, {len(silent)} feeds stood still meanwhile")
    assert silent == []
    assert len(opened) >= 25


def windows():
    """What is on the screen."""
    return [each for each in QApplication.topLevelWidgets() if each.isVisible()]


def spoken(market):
    """When each connection of the pair last said something."""
    said = {}
    for stream_id, stream in market.streams.items():
        conn = stream_id.partition("/")[0]
        if stream.live:
            said[conn] = max(said.get(conn, 0), stream.heard_ns)
    return said
