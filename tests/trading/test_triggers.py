"""What moves the risk state: once, for a reason that lasts, and never one leg alone."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watch_rig import DAY, HOUR, NOON, SHORT, T0, D, Floor, S

from basisdesk.events import EquityMarked, Outcome, RiskChanged
from basisdesk.trading.marks import MARK_NS
from basisdesk.trading.readings import HALTS, STOPS

HEALTHY = 31  # seconds after which a cause that went away lets entries go on


def test_a_healthy_book_says_nothing_but_its_marks():
    floor = Floor()
    floor.open()
    said = floor.run(3_600)
    assert floor.moves(said) == []
    assert {reading.state for reading in floor.watch.readings(
        floor.positions, floor.market, floor.funds(), floor.now)} <= {"ok", "unknown"}  # fmt: skip
    marks = [each.ts_ns for each in said if isinstance(each, EquityMarked)]
    gaps = {later - sooner for sooner, later in pairwise(marks)}
    assert gaps == {MARK_NS}
    assert len(marks) == 4


# --- losses halt ---------------------------------------------------------------------------------


def test_a_drawdown_from_the_peak_halts_once_and_says_how_to_go_on():
    floor = Floor(daily_loss_max=1.0)
    floor.run(5, 10_500)
    floor.run(5, 9_460)  # 9.9 % below the peak that was never marked
    assert floor.watch.risk.state == "active"
    assert floor.reading("drawdown").state == "near"
    said = floor.run(30, 9_450)
    (change,) = [each for each in said if isinstance(each, RiskChanged)]
    assert (change.state, change.cause, change.scope) == ("halted", "drawdown", "desk")
    assert "10.00 % below its peak of 10,500.00 USDT" in change.reason
    assert "the limit is 10 %" in change.reason
    assert "further loss" in change.resume
    reading = floor.reading("drawdown")
    assert (reading.state, reading.limit, reading.unit, reading.acts) == ("over", 10.0, "%", HALTS)
    assert reading.value == pytest.approx(10.0)
    assert reading.resume == change.resume


def test_a_loss_that_stands_at_one_look_only_is_a_wrong_quote():
    floor = Floor()
    floor.run(5)
    for _ in range(20):
        assert floor.moves(floor.run(0.5, 5_000)) == []
        assert floor.moves(floor.run(2.5, 10_000)) == []
    assert floor.moves(floor.run(2.0, 5_000)) == []
    assert floor.moves(floor.run(1.0, 5_000)) == [("halted", "drawdown")]


def test_one_look_too_high_makes_no_peak():
    floor = Floor()
    floor.run(5)
    floor.run(0.5, 12_000)
    assert floor.moves(floor.run(60, 10_000)) == []
    assert floor.reading("drawdown").value == 0.0


def test_after_a_resume_only_a_further_loss_halts_again():
    floor = Floor(daily_loss_max=1.0)
    floor.run(5)
    assert floor.moves(floor.run(10, 8_900)) == [("halted", "drawdown")]
    floor.resume()
    assert floor.moves(floor.run(600)) == []
    assert floor.reading("drawdown").value == 0.0
    assert floor.moves(floor.run(10, 8_020)) == []  # 9.9 % below 8,900
    assert floor.moves(floor.run(10, 8_000)) == [("halted", "drawdown")]


def test_a_restart_between_resume_and_its_mark_counts_anew_all_the_same():
    floor = Floor()
    floor.run(5)
    floor.run(10, 8_900)
    floor.resume()
    twin = floor.again()
    twin.start()
    assert twin.moves(twin.run(60)) == []
    assert twin.watch.marks.peak == 8_900


def test_a_halt_by_hand_resumed_keeps_the_peak():
    floor = Floor()
    floor.run(5, 10_400)
    floor.tell(RiskChanged(floor.now, "halted", "lunch"))
    assert floor.moves(floor.run(10, 9_000)) == []  # halted already: nothing more to say
    floor.resume()
    assert floor.moves(floor.run(10)) == [("halted", "drawdown")]


def test_a_red_button_pressed_after_a_loss_hides_nothing_of_it():
    floor = Floor()
    floor.run(5)
    floor.run(10, 8_900)
    floor.tell(RiskChanged(floor.now, "halted", "by hand"))
    floor.resume()
    assert floor.moves(floor.run(60)) == []


def test_the_loss_of_the_day_is_counted_from_midnight():
    floor = Floor(now=T0 + 23 * HOUR)
    floor.run(60)
    assert floor.moves(floor.run(3_540, 9_750)) == []  # 2.5 % today
    assert floor.now >= T0 + DAY
    assert floor.watch.marks.day_start == 9_750
    assert floor.moves(floor.run(60, 9_500)) == []  # 2.6 % of the new day
    assert floor.moves(floor.run(60, 9_450)) == [("halted", "daily_loss")]
    assert "9,750.00 USDT today" in floor.watch.risk.reason


def test_a_desk_closed_over_midnight_counts_from_the_last_mark_before():
    floor = Floor(now=T0 + 20 * HOUR)
    floor.run(60)
    twin = floor.again()
    twin.now = T0 + DAY + 9 * HOUR
    twin.start()
    assert twin.moves(twin.run(10, 9_690)) == [("halted", "daily_loss")]
    assert "of 10,000.00 USDT today" in twin.watch.risk.reason


def test_a_resume_after_the_days_loss_begins_the_day_anew():
    floor = Floor()
    floor.run(5)
    assert floor.moves(floor.run(10, 9_600)) == [("halted", "daily_loss")]
    floor.resume()
    floor.run(1)
    assert floor.moves(floor.run(60, 9_320)) == []  # 2.9 % of 9,600
    assert floor.moves(floor.run(10, 9_300)) == [("halted", "daily_loss")]


def test_pairs_in_a_row_halt_together_and_only_once_there_are_enough():
    floor = Floor()
    floor.run(5)
    for _ in range(4):
        floor.earn(-100)
    assert floor.moves(floor.run(5)) == []
    assert floor.reading("rolling").note.startswith("4 of 5 closed pairs")
    floor.earn(220)
    floor.run(5)
    assert floor.reading("rolling").state == "near"  # 1.8 % of 10,000
    floor.earn(-150)  # the last five: -100 -100 -100 +220 -150
    assert floor.moves(floor.run(5)) == [("halted", "rolling")]
    floor.resume()
    floor.now += S
    for _ in range(4):
        floor.earn(-100)
    assert floor.moves(floor.run(5)) == []
    floor.earn(-100)
    assert floor.moves(floor.run(5)) == [("halted", "rolling")]


def test_money_is_not_judged_before_every_leg_held_was_heard():
    floor = Floor()
    floor.run(5)
    twin = floor.again()
    twin.known = False
    twin.start()
    assert twin.run(60, 5_000) == []
    assert twin.reading("drawdown").state == "unknown"
    twin.known = True
    said = twin.run(3, 9_990)
    assert twin.moves(said) == []
    assert isinstance(said[0], EquityMarked)


# --- the win rate stops entries ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "pairs", "state", "said"),
    [
        (0, 19, "unknown", "19 of 20 closed pairs"),
        (12, 20, "ok", "12 of 20 pairs won"),
        (9, 20, "near", "not enough evidence"),  # 45 %, interval 26 to 66 %
        (6, 20, "over", "Even the upper end is below 55 %"),  # 30 %, interval 15 to 52 %
        (98, 200, "near", "not enough evidence"),  # 49 %, interval 42 to 56 %
        (90, 200, "over", "interval 38 to 52 %"),  # 45 %, interval 38 to 52 %
    ],
)
def test_a_win_rate_stops_entries_only_on_evidence(wins, pairs, state, said):
    floor = Floor(rolling_pairs=200, rolling_loss_max=1.0)
    for number in range(pairs):
        floor.earn(1 if number < wins else -1)
    changes = floor.moves(floor.run(5))
    reading = floor.reading("win_rate")
    assert (reading.state, reading.acts) == (state, STOPS)
    assert said in reading.note
    assert changes == ([("reducing", "win_rate")] if state == "over" else [])


def test_a_low_win_rate_waits_for_a_person_and_then_counts_anew():
    floor = Floor(rolling_pairs=200)
    for _ in range(20):
        floor.earn(-1)
    assert floor.moves(floor.run(5)) == [("reducing", "win_rate")]
    assert floor.moves(floor.run(600)) == []
    peak = floor.watch.marks.peak
    floor.resume()
    assert floor.moves(floor.run(600)) == []
    assert floor.watch.marks.peak == peak  # of this the resume says nothing
    floor.now += S
    for _ in range(20):
        floor.earn(-1)
    assert floor.moves(floor.run(5)) == [("reducing", "win_rate")]


# --- restarts ------------------------------------------------------------------------------------


def test_a_restart_restores_state_peak_and_day():
    floor = Floor()
    floor.run(5)
    floor.run(1_000, 10_800)
    floor.run(10, 9_000)
    assert floor.watch.risk.state == "halted"
    twin = floor.again()
    assert twin.watch.risk == floor.watch.risk
    assert twin.watch.marks.peak == 10_800
    assert twin.watch.marks.day_start == floor.watch.marks.day_start == 10_000
    twin.start()
    assert twin.moves(twin.run(600)) == []


def test_reducing_ends_by_itself_after_a_restart_too():
    floor = Floor(stale_s_max=5)
    floor.open()
    floor.run(60, quoted=False)
    assert floor.watch.risk.state == "reducing"
    twin = floor.again()
    twin.start()
    assert twin.moves(twin.run(29)) == []
    assert twin.moves(twin.run(5)) == [("active", "stale")]


def test_a_journal_of_an_older_desk_still_folds():
    old = b'{"kind":"risk","ts_ns":5,"state":"halted","reason":"by hand"}'
    floor = Floor()
    floor.tell(msgspec.json.decode(old, type=Outcome))
    risk = floor.watch.risk
    assert (risk.state, risk.cause, risk.scope) == ("halted", "user", "desk")
    assert "Resume" in risk.resume


# --- always --------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rise", "fall", "crash", "quiet", "sleep", "earn", "lose", "resume",
                         "halt", "restart", "still"]),
        st.integers(1, 40),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_a_change_is_said_once_and_a_halt_waits_for_a_person(steps):
    floor = Floor(stale_s_max=10, win_rate_pairs=5)
    floor.open()
    state = ("active", "user")
    looks = 0
    for what, many in steps:
        factor = {"rise": "1.002", "fall": "0.99", "crash": "0.85"}.get(what)
        if factor:
            floor.equity *= D(factor)
        if what in ("earn", "lose"):
            floor.earn(many if what == "earn" else -many)
        if what == "sleep":
            floor.now += many * 60 * S
        if what in ("resume", "halt"):
            change = RiskChanged(floor.now, "active" if what == "resume" else "halted", "by hand")
            floor.tell(change)
            state = (change.state, change.cause)
        if what == "restart":
            floor = floor.again()
            floor.start()
        looks += 2 * many
        for change in floor.run(many, quoted=what != "quiet"):
            if not isinstance(change, RiskChanged):
                continue
            assert (change.state, change.cause) != state
            assert state[0] != "halted"
            assert change.reason
            assert change.resume or change.state == "active"
            state = (change.state, change.cause)
        assert (floor.watch.risk.state, floor.watch.risk.cause) == state
    marks = [each for each in floor.kept if isinstance(each, EquityMarked)]
    asked = sum(what in ("resume", "restart") for what, _ in steps)
    hours = (floor.now - NOON) / HOUR
    assert len(marks) <= 2 + asked + 4 * hours + hours / 24 + 1
    assert floor.again().watch.risk == floor.watch.risk
    assert floor.again().watch.marks.peak == floor.watch.marks.peak


def test_marks_tell_exposure_and_what_nothing_hedges():
    floor = Floor()
    floor.open(short="4000")
    floor.look()
    mark = next(each for each in floor.kept if isinstance(each, EquityMarked))
    assert mark.exposure == D("10000") * D("0.36395") + D(4000) * D("0.36645")
    assert mark.unhedged == D(6000) * D("0.36395")
    floor.hedge(qty="6000")
    floor.now += MARK_NS
    (mark,) = floor.look()
    assert mark.unhedged == 0


def test_a_close_is_marked_at_once():
    floor = Floor()
    floor.open()
    floor.run(5)
    floor.close()
    floor.now += 1
    (mark,) = floor.look()
    assert mark.ts_ns == floor.now
    assert mark.exposure == 0
    assert isinstance(mark.equity, Decimal)


def test_looking_changes_nothing():
    floor = Floor()
    floor.open()
    floor.run(40)
    before = floor.watch.marks.peak, floor.watch.risk, floor.watch._high
    floor.equity = D(99_999)
    floor.now += DAY
    for _ in range(5):
        floor.reading("drawdown")
    floor.equity, floor.now = D(10_000), floor.now - DAY
    assert (floor.watch.marks.peak, floor.watch.risk, floor.watch._high) == before
    assert floor.moves(floor.run(5)) == []
    assert floor.reading("stale").value == 0
    assert SHORT in floor.market.legs
