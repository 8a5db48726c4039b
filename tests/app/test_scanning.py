"""The whole desk with its scanner: the panels fill, planted openings stand where they should."""

import asyncio
import math
import os

import msgspec
import numpy as np
import pytest

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.app.scanning import STOPPED, unspoken
from basisdesk.clock import mono_s
from basisdesk.config import Demo, Settings
from basisdesk.scan.words import FRESH, SectorRow, SectorView

# The panels fill in 5 s on a machine of two cores that has nothing else to do; a suite shares them.
FILL_S = float(os.environ.get("BASISDESK_FILL_S", "25"))
PATIENCE_S = 60.0
SETTINGS = msgspec.structs.replace(Settings(), demo=Demo(seed=7, scenario="openings"))

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(180)]


async def until(what, patience_s=PATIENCE_S):
    for _ in range(int(patience_s / 0.05)):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the scanner did not get there")


def rows_of(openings, coin, kinds=("perp-perp", "spot-perp")):
    """Places of a coin's fresh openings."""
    return [
        at
        for at, combo in enumerate(openings.combos)
        if combo.coin == coin and combo.kind in kinds and openings.state[at] == FRESH
    ]


def place_of(openings, long, short):
    return next(
        at for at, each in enumerate(openings.combos) if (each.long, each.short) == (long, short)
    )


def filled(view):
    """Every panel has its coins, venues and sectors."""
    openings = view.openings
    return (
        openings is not None
        and len(openings) > 2_500
        and len(view.matrix.coins) == 60
        and view.matrix.venues == ("binance", "bybit", "okx", "kraken")
        and len(view.sectors.rows) >= 8
        and len(view.scores) > 450
        and len(view.composites) == 60
        and np.isfinite(openings.rate_8h_bp).mean() > 0.95
    )


def deep(view):
    """The books of the four planted coins' best openings have come."""
    return all(
        any(not view.openings.touch_only[at] for at in rows_of(view.openings, coin))
        for coin in ("PENDLE", "WIF", "SYRUP")
    )


def test_no_sector_speaks_while_the_past_is_filled_in():
    row = SectorRow("L1", 16, 9, 1.0, 1.0, 0.2, 0.5, 0.5, 2.2, 0.1, 0.2, "hot", 5, "L1 is hot.")
    view = unspoken(SectorView((row,)), 74, 470)
    assert view.rows[0] == row._replace(state="calm", since_ms=0, words="")
    assert "74 of 470 legs" in view.verdict


def test_the_panels_fill_and_planted_openings_are_ranked_as_they_should_be(tmp_path):
    seen = {}

    async def pilot(context, window):
        scanner = window.show_scanner()
        began_s = mono_s()
        await until(lambda: filled(context.scan))
        seen["fill_s"] = mono_s() - began_s
        await until(lambda: deep(context.scan))
        await until(lambda: context.scan.strip.worth > 0)
        scanner.refresh_all()
        seen["view"] = view = context.scan
        table = scanner.scanner.table.scanner
        seen["first"] = [view.openings.combos[at] for at in table.order[:3].tolist()]
        seen["openings"], seen["triggers"] = view.openings, view.triggers
        seen["strip"] = view.strip

    assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot)) == 0
    openings, triggers = seen["openings"], seen["triggers"]
    net, worth = openings.net_bp, openings.capacity >= openings.size
    print(f"panels filled after {seen['fill_s']:.1f} s")
    assert seen["fill_s"] < FILL_S

    # The one that earns its costs stands first, in the figures and on the screen.
    best = place_of(openings, "bybit:perp:PENDLEUSDT", "okx:perp:PENDLE-USDT-SWAP")
    assert net[best] > 10.0
    assert worth[best]
    assert int(np.nanargmax(np.where(worth, net, math.nan))) == best
    assert seen["first"][0] == openings.combos[best]
    assert {openings.combos[at].coin for at in np.flatnonzero(net > 0.0)} == {"PENDLE"}

    # The one that looks good before costs: 8 bp per 8 h, and less than nothing after them.
    wif = rows_of(openings, "WIF", ("spot-perp",))
    assert np.nanmin(openings.rate_8h_bp[wif]) > 6.0
    assert np.nanmax(net[wif]) < -5.0

    # The one without depth: the largest gap of all, no net at this size, and nothing to trade.
    syrup = rows_of(openings, "SYRUP", ("perp-perp",))
    paid = [at for at in syrup if openings.rate_8h_bp[at] > 25.0]
    assert paid
    assert not np.isfinite(net[paid]).any()
    assert not worth[paid].any()

    # One hour against eight: the raw rates differ and by true intervals nothing does; and reverse.
    crossed = {
        (each.coin, frozenset((each.long, each.short))): each.crossed
        for each in triggers
        if each.kind == "gap"
    }
    tia = frozenset(("binance:perp:TIAUSDT", "okx:perp:TIA-USDT-SWAP"))
    sei = frozenset(("binance:perp:SEIUSDT", "okx:perp:SEI-USDT-SWAP"))
    assert crossed.get(("TIA", tia), "raw") == "raw"
    assert abs(openings.rate_8h_bp[place_of(openings, *sorted(tia))]) < 2.0
    assert crossed.get(("SEI", sei), "8h") == "8h"
    at = place_of(openings, *sorted(sei))
    assert openings.rate_8h_bp[at] > 5.0
    assert abs(openings.rate_short[at] - openings.rate_long[at]) < 0.5e-4
    assert seen["strip"].coins == 60
    assert seen["strip"].fail_depth >= 1
    assert seen["strip"].fail_cost >= 1


def test_a_fault_of_the_scanner_ends_the_scanner_and_nothing_else(tmp_path, caplog):
    seen = {}

    def broken(*_):
        raise ZeroDivisionError("planted")

    async def pilot(context, window):
        scanner = window.show_scanner()
        await until(lambda: context.scan.version > 1)
        context.scan_actions._phases = (broken,) * 6
        await until(lambda: context.status.banner)
        version, beats = context.scan.version, context.engine.now_ns
        await until(lambda: context.engine.now_ns > beats + 2_000_000_000)
        scanner.refresh_all()
        seen["version"] = context.scan.version - version
        seen["banner"], seen["foot"] = context.status.banner, scanner.foot.history.text()
        seen["risk"] = context.engine.desk.risk.state

    assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot)) == 0
    assert seen == {"version": 0, "banner": STOPPED, "foot": STOPPED, "risk": "active"}
    assert "the scanner ended by a fault" in caplog.text
