"""Playing a tape: the same ledger at any speed, after any scrubbing, and headless."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from basisdesk.cli import main
from basisdesk.config import Paper, Settings
from basisdesk.events import Frame, SetValue
from basisdesk.lab import player as player_module
from basisdesk.lab import replay
from basisdesk.lab.player import SPEED_MAX, SPEED_MIN, commands_text
from basisdesk.lab.tape import TapeReader
from tests.lab.replay_rig import (
    ADA,
    ADA_PERP,
    T0,
    Recording,
    S,
    closing,
    opening,
    play_out,
    player_of,
    settle,
)

SECONDS = 60
SETTINGS = Settings(paper=Paper(latency_ms=0))


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    """A minute in which the recording itself trades: opened at 12 s, closed at 48 s."""
    made = Recording().quotes(1, 12)
    made.tell(12, opening())
    made.quotes(13, 48, seed=2)
    made.tell(48, closing())
    made.quotes(49, SECONDS, seed=3)
    return made.write(tmp_path_factory.mktemp("player") / "a.tape")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """Three minutes in which nobody trades, in small blocks."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("player") / "quiet.tape"
        return Recording().quotes(1, 180).write(path, 4_000, patch)


def headless(tape, commands=()):
    reader = TapeReader(tape)
    engine = replay.fresh_engine(SETTINGS, None)
    replay.open_session(engine, reader.header)
    replay.run(engine, replay.with_commands(reader, list(commands)))
    return engine


def to(player, second, **how):
    player.jump(T0 + round(second * S), **how)
    return settle(player)


@given(
    st.lists(st.integers(-1, SECONDS + 2), max_size=6),
    st.sampled_from([0.1, 1.0, 100.0, 1_000.0]),
    st.integers(7, 400),
)
@hypothesis_settings(max_examples=8)
def test_scrubbing_changes_nothing(tape, places, speed, every):
    expected = headless(tape)
    player = player_of(tape, SETTINGS, every=every)
    for second in places:
        to(player, second)
    assert play_out(player, speed, 300) == expected.books.digest()
    assert player.engine.market.events == expected.market.events
    mine, theirs = player.engine.shown().series, expected.shown().series
    for column in theirs.columns:
        shown = (series.window(0, 2e9)[1][column] for series in (mine, theirs))
        np.testing.assert_array_equal(*shown)


@given(
    st.lists(
        st.tuples(st.integers(2, SECONDS), st.sampled_from(["open", "close", "look"])), max_size=8
    )
)
@hypothesis_settings(max_examples=8)
def test_hand_trades_give_headless_the_same_ledger(tape, moves):
    player = player_of(tape, SETTINGS)
    for second, what in moves:
        to(player, second)
        command = {
            "open": opening("100"),
            "close": closing(2),
            "look": SetValue("pair", f"{ADA} {ADA_PERP}"),
        }[what]
        player.submit(command)
    digest = play_out(player, 500.0, 100)
    again = headless(tape, player.commands)
    assert again.books.digest() == digest
    assert again.funds().equity == player.engine.funds().equity


def test_saved_commands_are_what_the_command_line_reads(tape, tmp_path, capsys):
    player = player_of(tape, SETTINGS)
    to(player, 20.3)
    player.submit(opening("100"))
    to(player, 40)
    player.submit(closing(2))
    digest = play_out(player, 100.0)
    saved, config = tmp_path / "saved.jsonl", tmp_path / "settings.toml"
    saved.write_text(commands_text(player.commands))
    config.write_text("[paper]\nlatency_ms = 0\n")
    arguments = ["replay", str(tape), "--commands", str(saved), "--config", str(config), "--json"]
    assert main(arguments) == 0
    assert f'"ledger_digest":"{digest}"' in capsys.readouterr().out
    assert len(player.engine.books.results) == 2


def test_a_jump_before_a_trade_undoes_it_and_another_one_drops_what_came_later(tape):
    player = player_of(tape, SETTINGS)
    to(player, 20)
    player.submit(opening("100"))
    to(player, 30)
    assert len(player.engine.open_pairs()) == 2
    to(player, 5)
    assert player.engine.open_pairs() == []
    assert player.later_trades() == 1
    to(player, 30)
    assert len(player.engine.open_pairs()) == 2  # and it is done again on the way
    to(player, 5)
    player.submit(opening("50"))
    to(player, 30)
    assert [str(pair.long.entry_qty) for pair in player.engine.open_pairs()] == ["50", "1000"]
    assert player.later_trades() == 0


def test_looking_at_another_pair_undoes_no_trade(tape):
    player = player_of(tape, SETTINGS)
    to(player, 20)
    player.submit(opening("100"))
    to(player, 5)
    player.submit(SetValue("ticket.qty", "77"))
    assert player.later_trades() == 1
    assert len(player.commands) == 2


def test_a_step_is_one_frame_or_as_far_as_something_is_true(tape):
    player = player_of(tape, SETTINGS)
    to(player, 10)
    frames = player.frames
    player.step()
    settle(player)
    assert player.frames == frames + 1
    leg = player.engine.shown().perp
    before = leg.bid
    player.step(lambda: leg.bid != before)
    settle(player)
    assert leg.bid != before
    assert not player.playing


def test_the_speed_stays_in_its_range_and_time_goes_with_it(tape):
    player = player_of(tape, SETTINGS)
    for asked, kept in ((0.0, SPEED_MIN), (1e9, SPEED_MAX), (2.0, 2.0)):
        player.play(asked)
        assert player.speed == kept
    to(player, 10)
    player.play(2.0)
    for _ in range(10):
        player.tick(0.5)
    assert player.now_ns == T0 + 20 * S
    assert player.reached_speed == pytest.approx(2.0)


def test_a_machine_that_is_too_slow_leaves_nothing_out(tape):
    player = player_of(tape, SETTINGS)
    player.play(1_000.0)
    while player.playing:
        player.tick(1.0, lambda: False)  # 32 frames a tick, whatever was asked
    assert player.frames == len(list(TapeReader(tape)))
    assert player.reached_speed < 100


def test_a_walk_in_slices_can_be_stopped_and_gone_on_with(tape):
    player = player_of(tape, SETTINGS)
    player.jump(T0 + 40 * S)
    for _ in range(3):
        player.work(lambda: False)
    assert player.working
    assert 0.0 < player.progress < 1.0
    player.pause()
    assert not player.working
    assert play_out(player, 100.0) == headless(tape).books.digest()


def test_snapshots_are_thinned_to_their_number(tape, monkeypatch):
    monkeypatch.setattr("basisdesk.lab.snapshots.SNAPSHOTS_MAX", 5)
    player = player_of(tape, SETTINGS, every=10)
    digest = play_out(player, 100.0)
    assert len(player.snapshots) <= 5
    assert player.snapshots.every > 10
    to(player, 30)
    assert play_out(player, 100.0) == digest


# --- leaving out ---------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch):
    """Jumps leave out whatever they may."""
    monkeypatch.setattr(player_module, "WALK_S_MAX", 0.0)
    monkeypatch.setattr(player_module, "WARM_UP_NS", 10 * S)
    monkeypatch.setattr(player_module, "HEAD_NS", 5 * S)


def surveyed(player):
    for block in range(len(player.index)):
        player.index.survey(block)
    return player


def test_a_long_jump_walks_head_and_warm_up_only_and_says_so(quiet, hasty):
    player = surveyed(player_of(quiet, SETTINGS))
    to(player, 150)
    ((from_ns, to_ns),) = player.holes
    assert 3 * S <= from_ns - T0 <= 5 * S  # begin of a block
    assert 135 * S <= to_ns - T0 <= 140 * S
    assert player.now_ns == T0 + 150 * S
    assert player.frames < 400
    pair = player.engine.shown()
    assert math.isfinite(pair.now.mid_bp)
    assert not player.doubt


def test_walking_what_was_left_out_makes_it_exact(quiet, hasty):
    player = surveyed(player_of(quiet, SETTINGS))
    to(player, 150)
    player.walk_holes()
    settle(player)
    assert player.holes == ()
    assert player.now_ns == T0 + 150 * S
    player.submit(opening())
    assert play_out(player, 100.0) == headless(quiet, player.commands).books.digest()
    assert len(player.engine.open_pairs()) == 1


def test_nothing_is_left_out_where_somebody_trades_or_holds(quiet, hasty):
    player = surveyed(player_of(quiet, SETTINGS))
    to(player, 20, whole=True)
    player.submit(opening())
    to(player, 150)  # holds
    assert player.holes == ()
    to(player, 6, whole=True)
    player.snapshots.drop(lambda mark: True)
    to(player, 170)  # over a trade by hand
    assert player.holes == ()
    assert len(player.engine.open_pairs()) == 1
    assert play_out(player, 100.0) == headless(quiet, player.commands).books.digest()


def test_a_recording_that_trades_next_waits_for_what_was_left_out(tmp_path, monkeypatch, hasty):
    made = Recording().quotes(1, 100)
    made.tell(100, opening())
    made.quotes(101, 120)
    path = made.write(tmp_path / "late.tape", 4_000, monkeypatch)
    player = player_of(path, SETTINGS)  # not surveyed: it cannot know
    to(player, 80)
    assert player.holes
    player.play(100.0)
    for _ in range(100):
        player.tick(0.1)
    assert player.blocked
    assert not player.playing
    assert player.now_ns <= T0 + 100 * S
    assert not player.engine.open_pairs()
    player.walk_holes()
    settle(player)
    assert play_out(player, 100.0) == headless(path).books.digest()
    assert len(player.engine.open_pairs()) == 1


def test_a_stretch_left_out_too_early_is_in_doubt_once_the_survey_found_a_trade(tape, hasty):
    player = player_of(tape, SETTINGS)
    player.holes = ((T0 + 5 * S, T0 + 30 * S),)
    assert not player.doubt
    surveyed(player)
    assert player.doubt


def test_words_in_a_stretch_left_out_are_heard(tmp_path, monkeypatch, hasty):
    made = Recording().quotes(1, 50)
    made.tell(50, SetValue("ticket.qty", "123"))
    made.quotes(51, 120)
    player = surveyed(player_of(made.write(tmp_path / "w.tape", 4_000, monkeypatch), SETTINGS))
    to(player, 110)
    assert player.holes
    assert player.engine.shown().qty == 123.0


def test_stamps_that_go_back_are_merged_as_headless(tmp_path):
    made = Recording().quotes(1, 20)
    frames = made.frames
    for at in range(30, len(frames) - 1, 7):  # what waited in a queue comes after what did not
        frames[at], frames[at + 1] = frames[at + 1], frames[at]
    late = frames[-9]
    frames[-9] = Frame(late.conn, late.payload, late.t_ns - 3 * S)
    path = made.write(tmp_path / "odd.tape")
    player = player_of(path, SETTINGS)
    for second in (12.0, 7.5, 17.0):
        to(player, second)
        player.submit(opening("100"))
    digest = play_out(player, 100.0)
    assert headless(path, player.commands).books.digest() == digest
    assert player.engine.books.digest() != headless(path).books.digest()


def test_money_is_exact_after_a_restore(tape):
    player = player_of(tape, SETTINGS)
    to(player, 30)
    worth = player.engine.funds().equity
    to(player, 50)
    to(player, 30)
    assert player.engine.funds().equity == worth
    assert isinstance(worth, Decimal)
    assert player.engine.audit() == []
