"""A replay in its window, alone and beside a desk that goes on."""

import asyncio
import json

import msgspec
import pytest

from basisdesk.app import replaying
from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.cli import main
from basisdesk.config import Paper, Settings, TapeSettings
from basisdesk.errors import UserError
from basisdesk.events import ClosePair, Halt, SetValue
from basisdesk.ui.topbar import TopBar
from tests.lab.replay_rig import ADA, ADA_PERP, T0, Recording, S, opening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SETTINGS = msgspec.structs.replace(
    Settings(paper=Paper(latency_ms=0), tape=TapeSettings(record=True)),
    scanner=msgspec.structs.replace(Settings().scanner, on=False),
    forecast=msgspec.structs.replace(Settings().forecast, on=False),
)
PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return Recording().quotes(1, 120).write(tmp_path_factory.mktemp("replay") / "a.tape")


async def until(what):
    for _ in range(int(PATIENCE_S / 0.01)):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the replay did not get there")


def alone(profile, tape, pilot, **options):
    """Run a replay without a desk; what the pilot raises, this raises."""
    how = {"replay": tape, "alone": True, "pilot": pilot} | options
    assert run_desk(DeskOptions(profile, SETTINGS, **how)) == 0


async def stands(replay):
    await until(lambda: not (replay.player.working or replay._opening))


def test_play_trade_scrub_and_save_as_headless(tmp_path, tape, capsys):
    seen = {}

    async def pilot(context, window):
        replay = context.actions
        await stands(replay)
        assert context.mode == "replay"
        assert context.engine.pair == (ADA, ADA_PERP)
        assert "REPLAY" in window.windowTitle()
        replay.jump(T0 + 30 * S)
        await stands(replay)
        assert context.clock.now_ns() == T0 + 30 * S
        replay.submit(opening())
        await until(context.engine.open_pairs)
        replay.jump(T0 + 10 * S)  # before it: undone
        await stands(replay)
        assert context.engine.open_pairs() == []
        assert replay.view.later == 1
        replay.submit(opening("500"))
        await until(lambda: replay._asked is not None)
        assert context.engine.open_pairs() == []  # nothing happens before the answer
        replay._asked.accept()
        await until(context.engine.open_pairs)
        replay.set_speed(1.0)
        replay.play()
        replay.jump(T0 + 60 * S)  # while it plays: it plays on from there
        await until(lambda: not replay.player.working)
        assert replay.player.playing
        replay.set_speed(1_000.0)
        await until(lambda: replay.view.at_end)
        replay.submit(Halt("by hand"))
        replay.save_commands(str(tmp_path / "mine.jsonl"))
        replay.save_log(tmp_path / "logs")
        await until(lambda: context.status.saved.startswith(str(tmp_path / "logs")))
        assert window.findChild(TopBar).isVisible()
        seen["digest"] = context.engine.books.digest()

    (tmp_path / "logs").mkdir()
    alone(tmp_path / "profile", tape, pilot)
    (log,) = (tmp_path / "logs").iterdir()
    assert (log / "report.html").exists()
    capsys.readouterr()
    given = ["--commands", str(tmp_path / "mine.jsonl"), "--json"]
    assert main(["replay", str(tape), *given]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ledger_digest"] == seen["digest"]
    assert [pair["qty"] for pair in said["pairs"]] == ["500"]
    assert tape.with_name("a.tape.idx").exists()


def test_steps_stop_where_they_say_and_trades_wait_for_a_walk(tmp_path, tape):
    async def pilot(context, window):
        replay, engine = context.actions, context.engine
        await stands(replay)
        frames = replay.player.frames
        replay.step("frame")
        await stands(replay)
        assert replay.player.frames == frames + 1
        before = replay._tops()
        replay.step("change")
        await stands(replay)
        assert replay._tops() != before
        replay.jump(T0 + 100 * S)
        replay.submit(opening())
        assert "being walked" in replay.view.note
        replay.cancel()
        assert not replay.player.working
        replay.player.holes = ((T0, T0 + S),)
        replay.submit(ClosePair(1))
        assert "left out" in replay.view.note
        replay.player.holes = ()
        replay.show_pair(ADA_PERP, ADA_PERP)
        replay.submit(SetValue("pair", f"{ADA} {ADA_PERP}"))
        replay.reconnect("bybit.spot")
        assert "nothing to connect" in replay.view.note
        assert engine.pair == (ADA, ADA_PERP)

    alone(tmp_path, tape, pilot)


def test_a_bug_in_a_replay_ends_the_replay_alone(tmp_path, tape, monkeypatch):
    async def pilot(context, window):
        replay = context.actions
        await stands(replay)
        monkeypatch.setattr(replay.player, "tick", lambda *_: 1 / 0)
        replay.play()
        await until(lambda: replay.view.note)
        assert "ZeroDivisionError" in replay.view.note
        assert not replay.player.playing
        assert window.isVisible()

    alone(tmp_path, tape, pilot)


def test_a_tape_damaged_in_the_middle_plays_up_to_there_and_says_so(tmp_path, monkeypatch):
    path = Recording().quotes(1, 60).write(tmp_path / "d.tape", 3_000, monkeypatch)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)

    async def pilot(context, window):
        replay = context.actions
        await stands(replay)
        replay.set_speed(1_000.0)
        replay.play()
        await until(lambda: "damaged in block" in replay.view.note)
        assert replay.player.now_ns > T0 + 10 * S

    alone(tmp_path / "profile", path, pilot)


def test_a_tape_without_a_message_is_refused(tmp_path):
    empty = Recording()
    empty.frames.clear()
    path = empty.write(tmp_path / "empty.tape")
    with pytest.raises(UserError, match="holds no message"):
        alone(tmp_path / "profile", path, None, exit_after_s=1.0)


@pytest.mark.loopback
def test_the_desk_beside_it_records_on_and_never_sees_its_trades(tmp_path, tape):
    seen = {}

    async def pilot(context, window):
        desk = context.actions
        await until(lambda: context.engine.shown() is not None and desk._tape.frames > 20)
        desk.open_tape(tmp_path / "none.tape")
        assert "Cannot read tape" in context.status.banner
        desk.open_tape(tape)
        replay = desk._replays.replay
        await stands(replay)
        replay.submit(opening())
        replay.set_speed(100.0)
        replay.play()
        before = desk._tape.frames
        await until(lambda: replay.player.engine.open_pairs() and replay.view.at_end)
        await until(lambda: desk._tape.frames > before + 10)
        assert context.engine.open_pairs() == []
        assert len(replay.player.engine.open_pairs()) == 1
        assert replay.context.status.account == replaying.ACCOUNT
        replay.quit()
        await until(lambda: desk._replays.replay is None)
        before = desk._tape.frames
        await until(lambda: desk._tape.frames > before + 10)
        assert window.isVisible()
        seen["digest"] = context.engine.books.digest()

    assert run_desk(DeskOptions(tmp_path / "profile", SETTINGS, pilot=pilot)) == 0
    assert seen["digest"]


def test_the_command_line_refuses_a_speed_or_a_tape_before_any_window(tmp_path, tape, capsys):
    assert main(["--profile", str(tmp_path), "--replay", str(tape), "--speed", "5000"]) == 2
    assert "0.1 to 1,000" in capsys.readouterr().err
    assert main(["--profile", str(tmp_path), "--replay", str(tmp_path / "no.tape")]) == 2
    assert "Cannot read tape" in capsys.readouterr().err
    assert not (tmp_path / "replay").exists()


def test_an_imported_tape_shows_a_pair_by_itself(tmp_path):
    made = Recording()
    made.frames = made.frames[1:]  # nobody looked at a pair
    path = made.quotes(1, 20).write(tmp_path / "i.tape")

    async def pilot(context, window):
        await stands(context.actions)
        assert context.engine.pair == (ADA, ADA_PERP)

    alone(tmp_path / "profile", path, pilot)
