"""The autopilot beside the desk: modes, commands, its memory, and a fault that is its own."""

import asyncio
import json
import stat
import sys
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from basisdesk.app import autopilot_disk
from basisdesk.app.autopiloting import (
    NOT_READY,
    NOT_WATCHED,
    NOTHING_TO_ACCEPT,
    STOPPED,
    TO_SUGGEST,
    TOO_MANY,
    UNSAFE,
    Autopiloting,
    AutopilotParts,
    Calls,
)
from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.app.funding_gaps import Gaps
from basisdesk.config import Demo, Scanner, Settings
from basisdesk.events import OpenPair
from basisdesk.pairing import WATCHED_MAX
from basisdesk.scan.words import FRESH, STALE, Combo
from basisdesk.trading.risk import RiskState
from basisdesk.ui.autopilot_rows import AutopilotView
from tests.playbook.playbook_rig import FIRST, PAIR, SECOND, T0, S, but, view

pytestmark = pytest.mark.usefixtures("qapp")


class Reader:
    """Gives the view it was told, at the time asked for."""

    def __init__(self, engine):
        self.engine, self.given, self.beside = engine, view(), None

    def read(self, legs, now_ns, beside):
        self.beside = beside
        return but(self.given, pair=" ".join(legs), t_ns=now_ns)

    def dump(self):
        return {}

    def restore(self, kept):
        assert kept == {}

    def keep(self, pairs):
        self.kept = list(pairs)


class Desk:
    """The autopilot of a folder, beats by hand."""

    def __init__(self, folder, **parts):
        self.engine = SimpleNamespace(
            now_ns=T0, pair=(FIRST, SECOND), open_pairs=list,
            market=SimpleNamespace(pairs={(FIRST, SECOND): None}),
        )  # fmt: skip
        self.sent, self.failed, self.kept = [], [], []
        self.view = AutopilotView()
        self.folder = folder / "autopilot"
        self.watched = []
        calls = Calls(lambda _: None, self.submit, self.fail, self.watched.append)
        joined = AutopilotParts(self.engine, calls, **parts)
        self.part = Autopiloting(folder, self.view, joined)
        self.reader = self.part._reader = Reader(self.engine)

    def submit(self, command):
        self.sent.append(command)
        self.kept.append(self.dump())

    def fail(self, *said):
        self.failed.append(said)

    def dump(self):
        return json.loads((self.folder / "autopilot.json").read_text())

    async def begin(self):
        self.part.start()
        await self.rest()
        return self

    async def rest(self):
        while self.part._jobs:
            await asyncio.gather(*self.part._jobs, return_exceptions=True)
            await asyncio.sleep(0)

    async def beat(self, given=None, after_s=1):
        self.engine.now_ns += after_s * S
        if given is not None:
            self.reader.given = given
        self.part._on_beat()
        await self.rest()

    def set(self, mode, playbook="decoupling", pair=PAIR, **values):
        return self.part.set_pair(pair, mode, playbook, values)


def run(work):
    return asyncio.run(work)


# --- modes ----------------------------------------------------------------------------------------


def test_everything_is_off_until_a_person_sets_it(tmp_path):
    async def work():
        desk = Desk(tmp_path)
        assert desk.set("auto") == NOT_READY
        await desk.begin()
        await desk.beat()
        assert (desk.sent, desk.view.watches, desk.view.ready) == ([], (), True)
        await desk.part.stop()

    run(work())


def test_auto_is_remembered_on_the_disk_before_the_desk_hears_of_it(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        assert desk.set("auto") == ""
        await desk.beat()
        (order,) = desk.sent
        assert isinstance(order, OpenPair)
        (kept,) = desk.kept
        assert kept["autopilot"]["sent"][PAIR]["playbook"] == "decoupling"
        assert not kept["orderly"]
        (watch,) = desk.view.watches
        assert (watch.mode, watch.kind, watch.suggested) == ("auto", "enter", False)
        await desk.beat()
        assert len(desk.sent) == 1
        await desk.part.stop()

    run(work())


def test_suggest_sends_only_what_is_accepted(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("suggest")
        await desk.beat()
        assert desk.sent == []
        assert desk.view.watches[0].suggested
        assert desk.part.accept(PAIR) == ""
        await desk.rest()
        assert len(desk.sent) == 1
        assert desk.part.accept(PAIR) == NOTHING_TO_ACCEPT
        await desk.beat()
        assert len(desk.sent) == 1
        await desk.part.stop()

    run(work())


def test_a_halt_silences_it(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        halted = RiskState("halted", "by hand")
        await desk.beat(but(view(), risk=halted))
        assert desk.sent == []
        assert desk.view.watches[0].text == "Silent: the desk is halted."
        await desk.part.stop()

    run(work())


def test_an_override_is_noted_and_the_pair_rests(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("suggest")
        await desk.beat()
        assert desk.part.override(PAIR, "declined", "the news") == ""
        assert (desk.view.notes[0].kind, desk.view.notes[0].reason) == ("override", "the news")
        await desk.beat()
        assert desk.view.watches[0].code == "cool-down"
        await desk.part.stop()

    run(work())


def test_only_the_shown_pair_and_what_is_held_can_be_set(tmp_path):
    other = "okx:spot:ADA-USDT okx:perp:ADA-USDT-SWAP"

    async def work():
        desk = await Desk(tmp_path).begin()
        assert desk.set("suggest", pair=other) == NOT_WATCHED
        assert desk.set("off", pair=other) == ""
        legs = [SimpleNamespace(instrument=key) for key in other.split()]
        desk.engine.open_pairs = lambda: [SimpleNamespace(legs=legs)]
        desk.engine.market.pairs[tuple(other.split())] = None
        assert desk.part.settable() == (other, PAIR)
        assert desk.set("auto", pair=other) == ""
        desk.engine.open_pairs = list
        assert desk.set("suggest", pair=other) == ""  # less is always allowed
        assert desk.set("auto", pair=other) == NOT_WATCHED
        await desk.part.stop()

    run(work())


ETH = "bybit:spot:ETHUSDT bybit:perp:ETHUSDT"
BOTH = ((FIRST, SECOND), tuple(ETH.split()))


def test_what_is_not_off_is_watched_on_the_screen_or_not(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        assert desk.watched == []
        desk.set("suggest")
        desk.engine.pair = tuple(ETH.split())
        desk.set("suggest", pair=ETH)
        assert desk.watched == [BOTH[:1], tuple(sorted(BOTH))]
        await desk.beat()
        assert len(desk.watched) == 2  # told once
        desk.set("off")
        assert desk.watched[-1] == BOTH[1:]
        await desk.part.stop()

    run(work())


def test_what_is_held_is_watched_first(tmp_path):
    """The engine watches so many pairs and no more, the first ones."""

    async def work():
        desk = await Desk(tmp_path).begin()
        for n in range(3):
            desk.engine.pair = f"bybit:spot:A{n}USDT", f"bybit:perp:A{n}USDT"
            assert desk.set("suggest", pair=" ".join(desk.engine.pair)) == ""
        desk.engine.pair = (FIRST, SECOND)
        desk.set("auto")
        await desk.beat()
        assert desk.watched[-1][0] == (FIRST, SECOND)
        assert len(desk.watched[-1]) == 4
        await desk.part.stop()

    run(work())


def test_no_more_pairs_are_set_than_are_watched(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        for n in range(WATCHED_MAX):
            desk.engine.pair = f"bybit:spot:A{n}USDT", f"bybit:perp:A{n}USDT"
            assert desk.set("suggest", pair=" ".join(desk.engine.pair)) == ""
        last = " ".join(desk.engine.pair)
        desk.engine.pair = (FIRST, SECOND)
        assert desk.set("suggest") == TOO_MANY
        assert desk.set("off") == ""
        assert desk.set("off", pair=last) == ""
        assert desk.set("suggest") == ""
        assert desk.set("auto") == ""
        await desk.part.stop()

    run(work())


def test_bands_are_kept_of_what_is_looked_at_and_no_others(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("suggest")
        await desk.beat()
        assert desk.reader.kept == [(FIRST, SECOND)]
        desk.set("off")
        await desk.beat()
        assert desk.reader.kept == []
        await desk.part.stop()

    run(work())


def test_a_restored_pair_is_watched_though_another_is_shown(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.beat()
        await desk.part.stop()
        later = Desk(tmp_path)
        later.engine.pair = tuple(ETH.split())
        later.engine.market.pairs = {}
        await later.begin()
        assert later.watched == [BOTH[:1]]
        await later.part.stop()

    run(work())


def test_a_value_out_of_range_changes_nothing(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        assert desk.set("auto", entry_z=9.0) == (
            "entry_z is 0.5 to 6 sd; 9 is not. Choose a value within."
        )
        assert desk.view.watches == ()
        assert desk.set("auto", entry_z=2.0) == ""
        book = desk.view.playbook("decoupling")
        assert next(each.value for each in book.params if each.name == "entry_z") == 2.0
        assert "no playbook" in desk.set("auto", "nonsense")
        assert "no playbook" in desk.part.reset("nonsense")
        assert desk.part.reset("decoupling") == ""
        await desk.part.stop()

    run(work())


# --- its memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("orderly", "mode"), [(True, "auto"), (False, "suggest")])
def test_auto_comes_back_as_it_was_only_after_an_orderly_stop(tmp_path, orderly, mode):
    async def first():
        desk = await Desk(tmp_path).begin()
        desk.set("auto", entry_z=2.0)
        await desk.beat(view(2.0))
        if orderly:
            await desk.part.stop()
        else:
            desk.part.look_no_more()  # killed

    async def second():
        desk = await Desk(tmp_path).begin()
        (watch,) = desk.view.watches
        assert (watch.mode, watch.playbook) == (mode, "decoupling")
        assert desk.view.said == ("" if orderly else TO_SUGGEST)
        assert not desk.dump()["orderly"]
        assert desk.view.notes[-1].code in ("values", "mode")
        await desk.part.stop(orderly=False)
        assert not desk.dump()["orderly"]
        if sys.platform != "win32":
            modes = {stat.S_IMODE(path.stat().st_mode) for path in desk.folder.iterdir()}
            assert modes == {0o600}

    run(first())
    run(second())


def test_a_memory_that_cannot_be_written_lets_nothing_come_back_as_auto(tmp_path, monkeypatch):
    async def first():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.part.stop()

    async def second():
        desk = Desk(tmp_path)

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(autopilot_disk.os, "open", full)
        await desk.begin()
        assert desk.view.said == UNSAFE
        assert desk.view.watches[0].mode == "suggest"
        assert "No space left" in desk.view.problem
        monkeypatch.undo()
        await desk.beat()
        await desk.beat()
        assert (desk.folder / "notes.jsonl").read_text().count("out of order") == 1
        assert desk.view.problem == ""
        await desk.part.stop()

    run(first())
    run(second())


@pytest.mark.parametrize("damage", [b"", b"{", b'{"t_ns": 1}', b'{"autopilot": {"format": 9}}'])
def test_a_damaged_file_is_put_aside(tmp_path, damage):
    folder = tmp_path / "autopilot"
    folder.mkdir()
    (folder / "autopilot.json").write_bytes(damage)

    async def work():
        desk = await Desk(tmp_path).begin()
        assert desk.view.watches == ()
        assert "cannot be read" in desk.view.problem
        assert (folder / "autopilot.bad.json").read_bytes() == damage
        assert desk.set("suggest") == ""
        await desk.part.stop()

    run(work())


def test_notes_are_appended_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(autopilot_disk, "NOTES_BYTES_MAX", 400)

    async def work():
        desk = await Desk(tmp_path).begin()
        for _ in range(10):
            desk.set("suggest")
            desk.set("off")
            await desk.rest()
        await desk.part.stop()
        assert {path.name for path in desk.folder.glob("notes*")} >= {"notes.1.jsonl"}
        kept = (desk.folder / "notes.1.jsonl").read_bytes().splitlines()
        assert all(json.loads(line)["kind"] == "set" for line in kept)
        assert sum(path.stat().st_size for path in desk.folder.glob("notes*")) < 2_000

    run(work())


# --- a fault --------------------------------------------------------------------------------------


def test_a_fault_ends_it_alone(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        desk.reader.read = lambda *_: 1 / 0
        await desk.beat()
        ((exc, where, sentence),) = desk.failed
        assert isinstance(exc, ZeroDivisionError)
        assert (where, sentence) == ("the autopilot", STOPPED)
        assert [each.mode for each in desk.view.watches] == ["off"]
        assert desk.view.stopped
        assert desk.set("auto") == STOPPED
        await desk.beat()
        await desk.part.stop()
        assert (len(desk.failed), desk.sent) == (1, [])

    async def again():
        desk = await Desk(tmp_path).begin()
        assert desk.view.watches[0].mode == "suggest"
        await desk.part.stop()

    run(work())
    run(again())


def test_a_command_that_waits_for_the_disk_is_dropped_at_the_end(tmp_path):
    async def work():
        desk = await Desk(tmp_path).begin()
        desk.set("auto")
        await desk.rest()
        desk.part._on_beat()
        await desk.part.stop()
        assert desk.sent == []

    run(work())


# --- what others say ------------------------------------------------------------------------------


def test_score_lead_and_gap_come_from_beside(tmp_path):
    score = object()
    told = SimpleNamespace(
        t_ns=T0, score=score, direction=-1, lead=SimpleNamespace(leader="perp", why="by 40 ms")
    )
    forecast = SimpleNamespace(pairs={(FIRST, SECOND): told}, margin=0.1)

    async def work():
        desk = await Desk(tmp_path, forecast=forecast).begin()
        desk.set("suggest", "decoupling")
        got = desk.part._beside(desk.part._pilot, FIRST, SECOND)
        assert (got.score, got.score_side, got.margin) == (score, -1, 0.1)
        assert (got.leader, got.lead, got.gap) == ("perp", "by 40 ms", None)
        desk.engine.now_ns += 11 * S
        got = desk.part._beside(desk.part._pilot, FIRST, SECOND)
        assert (got.score, got.margin) == (None, 0.02)
        await desk.part.stop()

    run(work())


def test_the_widest_gap_is_of_fresh_perpetuals():
    perps = [f"{venue}:perp:ADAUSDT" for venue in ("bybit", "binance", "okx")]
    combos = (
        Combo("ADA", "spot-perp", FIRST, SECOND),
        Combo("ADA", "perp-perp", perps[0], perps[1]),
        Combo("ADA", "perp-perp", perps[1], perps[0]),
        Combo("ADA", "perp-perp", perps[2], perps[0]),
        Combo("BTC", "perp-perp", "bybit:perp:BTCUSDT", "okx:perp:BTC-USDT-SWAP"),
    )
    openings = SimpleNamespace(
        combos=combos,
        state=np.array([FRESH, FRESH, FRESH, STALE, FRESH]),
        rate_8h_bp=np.array([90.0, -4.0, 4.0, 50.0, 8.0]),
    )
    scan = SimpleNamespace(openings=openings, strip=SimpleNamespace(btc_eth_bp=1.5))
    gaps = Gaps()
    gap = gaps.of(scan, SECOND)
    assert (gap.long, gap.short, gap.gap_8h_bp, gap.venues) == (perps[1], perps[0], 4.0, 2)
    assert gap.btc_eth_bp == 1.5
    assert gaps.of(scan, "bybit:perp:XRPUSDT") is None
    scan.openings = None
    assert gaps.of(scan, SECOND) is None


# --- the whole desk -------------------------------------------------------------------------------

DESK = msgspec.structs.replace(
    Settings(), demo=Demo(seed=7, scenario="2025 calm"), scanner=Scanner(on=False)
)


async def until(what, patience_s=40.0):
    for _ in range(int(patience_s / 0.05)):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the autopilot did not get there")


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(180)
def test_a_desk_with_it_goes_on_when_it_ends(tmp_path, monkeypatch):
    seen = {}

    async def pilot(context, window):
        view = context.autopilot
        await until(lambda: view.ready)
        pair = " ".join(context.engine.pair)
        assert context.autopilot_actions.set_pair(pair, "auto", "carry", {}) == ""
        await until(lambda: view.watches and view.watches[0].text)
        seen["text"] = view.watches[0].text
        monkeypatch.setattr(context.autopilot_actions, "look", lambda _: 1 / 0)
        await until(lambda: view.stopped)
        frames = context.engine.market.frames
        await until(lambda: context.engine.market.frames > frames + 20)
        window.docks["autopilot"].raise_()
        window.autopilot.refresh()
        seen["foot"] = window.autopilot.foot.text()
        seen["banner"], seen["fault_ns"] = context.status.banner, context.status.fault_ns

    async def second(context, window):
        engine = context.engine
        context.actions.show_pair("bybit:spot:ETHUSDT", "bybit:perp:ETHUSDT")
        await until(lambda: context.autopilot.ready and engine.pair[0] == "bybit:spot:ETHUSDT")
        seen["again"] = context.autopilot.watches
        await until(lambda: context.autopilot.watches[0].text)  # looked at, not only remembered
        seen["watched"] = [" ".join(pair) for pair in engine.market.pairs]
        forecast = context.forecast
        await until(lambda: tuple(seen["again"][0].pair.split()) in forecast.pairs)

    assert run_desk(DeskOptions(tmp_path, DESK, pilot=pilot)) == 0
    assert seen["banner"] == seen["foot"] == STOPPED
    assert not seen["fault_ns"]
    assert run_desk(DeskOptions(tmp_path, DESK, pilot=second)) == 0
    assert [each.mode for each in seen["again"]] == ["suggest"]
    assert seen["again"][0].pair in seen["watched"]
