"""A changed setting opens the desk anew in this process: what stays, what is let go."""

import asyncio
from decimal import Decimal

import msgspec
import pytest
from PySide6.QtWidgets import QApplication

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Alerts, Network, Paper, Settings
from basisdesk.events import Execution, ExitPlan, OpenPair

LONG, SHORT = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PLAN = ExitPlan(Decimal(-900), Decimal(900), Decimal(72))
PASSWORD, TOKEN = "HUNTER2PW", "T0KENSECRET"
SETTINGS = msgspec.structs.replace(
    Settings(),
    paper=Paper(latency_ms=20),
    network=Network(f"http://alice:{PASSWORD}@127.0.0.1:3128"),
    alerts=Alerts(webhook=f"https://hooks.example/{TOKEN}"),
)
REOPENS = 2

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(150)]


async def until(what):
    for _ in range(2_000):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


def test_pairs_and_orders_at_work_stay_and_the_windows_before_are_let_go(tmp_path):
    seen = []

    async def pilot(context, window):
        engine = context.engine
        if not seen:
            legs = [engine.market.leg(key) for key in (LONG, SHORT)]
            await until(
                lambda: all(leg.instrument for leg in legs) and not engine.shown().now.stale
            )
            limit = Execution("limit", limit_bp=Decimal(800))
            for number, how in enumerate((Execution(), limit), 1):
                order = OpenPair(LONG, SHORT, Decimal(500), Decimal(2), PLAN, 0, how)
                context.actions.submit(order)
                await until(lambda wanted=number: len(engine.desk.pairs) == wanted)
        works = sorted(pair.work is not None for pair in engine.desk.pairs.values())
        widgets = len(QApplication.instance().allWidgets())
        seen.append((context.settings.ui.theme, works, widgets))
        if len(seen) <= REOPENS:
            theme = ("light", "contrast")[len(seen) - 1]
            context.settings_actions.read()
            assert context.settings_actions.save({"ui.theme": theme}) == ""
            context.settings_actions.reopen()
            await until(lambda: False)  # the desk is left and takes this pilot with it

    assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot)) == 0
    assert [theme for theme, _, _ in seen] == ["dark", "light", "contrast"]
    assert seen[0][1] == seen[1][1] == seen[2][1] == [False, True]
    assert seen[2][2] < 1.2 * seen[0][2]  # not a whole window more each time
    secrets = (PASSWORD.encode(), TOKEN.encode())
    kept = [path for path in (tmp_path / "simulated").rglob("*") if path.is_file()]
    assert any(path.name == "journal.db" for path in kept)
    assert [path.name for path in kept if any(s in path.read_bytes() for s in secrets)] == []
