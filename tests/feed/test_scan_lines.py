"""The four lines of the scanner's calls at one host, by a clock of the test's own."""

import itertools

import pytest

from basisdesk.feed.faults import Fault
from basisdesk.feed.pace import Pace
from basisdesk.feed.scan_lines import (
    MINUTES,
    PAST_TRIES,
    SETTLED,
    Books,
    Pages,
    Past,
    Singles,
    Wish,
)

ODD, BROKEN, GONE = Fault("no such thing", "odd"), Fault("HTTP 503"), Fault("refused", "away")
PACE = Pace()
LEGS = [f"tiny:perp:C{n}" for n in range(8)]
STEP_S = 0.25
UPTIMES_S = (0.0, 7.3, 1.1 * 2.0**20, 1.1 * 2.0**30)


def drive(line, now_s, until_s, takes_s=0.0, judge=lambda _: None):
    """Ask for whatever the line gives, answered after `takes_s`: [(when asked, wish)]."""
    asked, out = [], []
    while now_s < until_s:
        for due_s, wish in list(out):
            if due_s <= now_s:
                out.remove((due_s, wish))
                line.done(wish, judge(wish), now_s)
        while line.ready(now_s) and (wish := line.pick(now_s)) is not None:
            line.took(wish, now_s)
            asked.append((now_s, wish))
            out.append((now_s + takes_s, wish))
        now_s += STEP_S
    return asked


def gaps(asked, name):
    times = [at_s for at_s, wish in asked if wish.name == name]
    return [b - a for a, b in itertools.pairwise(times)]


@pytest.mark.parametrize("start_s", UPTIMES_S)
@pytest.mark.parametrize("takes_s", [0.0, 1.0])
def test_pages_come_at_their_pace_at_every_uptime(start_s, takes_s):
    pages = Pages(PACE)
    pages.want({"/a": 5.0, "/b": 60.0}, start_s, first_s=1.0)
    asked = drive(pages, start_s, start_s + 300.0, takes_s)
    assert asked[0][0] == pytest.approx(start_s + 1.0, abs=STEP_S)
    assert all(4.5 <= gap <= 5.5 for gap in gaps(asked, "/a"))
    assert len(gaps(asked, "/a")) == pytest.approx(59, abs=1)
    assert len(gaps(asked, "/b")) == 4


def test_a_page_that_takes_longer_than_its_round_is_asked_half_a_round_later_and_never_twice():
    pages = Pages(PACE)
    pages.want({"/a": 5.0}, 0.0)
    asked = drive(pages, 0.0, 200.0, takes_s=12.0)
    assert all(14.5 <= gap <= 15.0 for gap in gaps(asked, "/a"))


def test_the_second_round_of_pages_may_be_shifted_once():
    pages = Pages(PACE)
    pages.want({"/a": 5.0}, 0.0, shift_s=2.0)
    assert [at_s for at_s, _ in drive(pages, 0.0, 20.0)] == [0.0, 7.0, 12.0, 17.0]


def test_a_new_pace_of_pages_holds_at_once():
    pages = Pages(PACE)
    pages.want({"/a": 100.0, "/gone": 5.0}, 0.0)
    drive(pages, 0.0, 1.0)
    pages.want({"/a": 5.0}, 1.0)
    assert {wish.path for _, wish in drive(pages, 1.0, 20.0)} == {"/a"}
    assert drive(pages, 20.0, 26.0)
    pages.hurry(26.1)
    assert pages.pick(26.1) == Wish("/a", "/a")
    pages.want({}, 30.0)
    assert not drive(pages, 30.0, 60.0)


def test_a_page_that_fails_is_asked_for_later_and_later_and_soon_again_once_it_works():
    pages = Pages(PACE)
    pages.want({"/a": 5.0, "/slow": 3600.0}, 0.0)
    asked = drive(pages, 0.0, 400.0, judge=lambda _: BROKEN)
    rests = [round(gap) for gap in gaps(asked, "/slow")]
    assert rests[:6] == [5, 10, 20, 40, 60, 60]  # an hour's page does not wait an hour
    assert max(gaps(asked, "/a")) <= 61
    well = drive(pages, 400.0, 500.0)
    assert max(gaps(well, "/a")) <= 5.5


def test_where_nobody_was_reached_a_page_keeps_its_pace():
    pages = Pages(PACE)
    pages.want({"/a": 5.0}, 0.0)
    assert max(gaps(drive(pages, 0.0, 100.0, judge=lambda _: GONE), "/a")) <= 5.5


@pytest.mark.parametrize("start_s", UPTIMES_S)
@pytest.mark.parametrize("takes_s", [0.0, 0.6])
def test_depth_is_one_at_a_time_with_a_gap_and_ten_seconds_a_leg(start_s, takes_s):
    books = Books(PACE, 1.5, 10.0, lambda leg: f"/levels?{leg}")
    books.want(LEGS, start_s)
    asked = drive(books, start_s, start_s + 300.0, takes_s)
    between = [b[0] - a[0] for a, b in itertools.pairwise(asked)]
    assert min(between) >= 1.5 + takes_s - 1e-6
    for leg in LEGS:
        assert min(gaps(asked, leg)) >= 10.0 - 1e-6
        assert max(gaps(asked, leg)) <= 30.0
    assert [wish.name for _, wish in asked[:2]] == LEGS[:2]


def test_the_most_wanted_books_come_oftener_and_none_is_left_out():
    many = [f"tiny:perp:C{n}" for n in range(40)]
    books = Books(PACE, 1.0, 10.0, lambda leg: f"/levels?{leg}")
    books.want(many, 0.0)
    counts = {
        leg: 1 + len(gaps(drive_cached, leg))
        for drive_cached in [drive(books, 0.0, 600.0)]
        for leg in many
    }
    assert min(counts.values()) >= 2
    assert counts[many[0]] > 4 * counts[many[-1]]
    assert counts[many[0]] <= 60


def test_a_leg_that_leaves_and_returns_keeps_its_ten_seconds():
    books = Books(PACE, 0.5, 10.0, lambda leg: leg)
    books.want(LEGS[:1], 0.0)
    assert len(drive(books, 0.0, 1.0)) == 1
    books.want([], 1.0)
    books.want(LEGS[:1], 2.0)
    assert not drive(books, 2.0, 9.0)
    assert len(drive(books, 9.0, 12.0)) == 1
    books.want([], 60.0)
    assert not books._due_s


def test_a_book_that_fails_rests_and_the_others_go_on():
    books = Books(PACE, 0.5, 10.0, lambda leg: leg)
    books.want(LEGS, 0.0)
    asked = drive(books, 0.0, 300.0, judge=lambda wish: ODD if wish.name == LEGS[0] else None)
    assert len(gaps(asked, LEGS[0])) < 8
    assert len(gaps(asked, LEGS[1])) > 20


def test_single_legs_are_asked_in_rotation_once_a_minute_each():
    paths = {"a": ("/1", "/2"), "b": (), "c": ("/3",)}
    singles = Singles(PACE, 1.0, 60.0, paths.__getitem__)
    singles.want(["a", "b", "c"], 0.0)
    asked = drive(singles, 0.0, 200.0)
    assert [wish.path for _, wish in asked[:3]] == ["/1", "/2", "/3"]
    assert len(asked) == 12
    assert all(59.0 <= gap <= 62.0 for gap in gaps(asked, "c"))


def past_of(leg):
    return (f"/minutes?{leg}", f"/settled?{leg}")


def test_the_past_of_each_leg_is_asked_for_once_in_the_order_wanted():
    past = Past(PACE, 1.0, 10.0, past_of)
    past.want(LEGS)
    asked = drive(past, 0.0, 100.0)
    assert [wish.path for _, wish in asked] == [path for leg in LEGS for path in past_of(leg)]
    assert (past.filled, past.wanted) == (8, 8)
    past.want(LEGS[:3])
    past.want([*LEGS, "tiny:spot:NEW"])
    assert {wish.name for _, wish in drive(past, 100.0, 200.0)} == {"tiny:spot:NEW"}
    assert past.filled == past.wanted == 9
    past.start_over()
    past.want(LEGS)
    assert len(drive(past, 200.0, 300.0)) == 16


def test_the_newest_of_all_legs_comes_before_what_is_older_of_any():
    past = Past(PACE, 1.0, 10.0, lambda leg: [f"/{n}?{leg}" for n in range(4)])
    past.want(LEGS[:4])
    asked = [wish.path for _, wish in drive(past, 0.0, 9.5)]
    assert asked == [f"/{n}?{leg}" for leg in LEGS[:4] for n in (0, 1)]
    assert (past.filled, past.wanted) == (2, 4)  # four halves
    asked = [wish.path for _, wish in drive(past, 9.5, 60.0)]
    assert asked == [f"/{n}?{leg}" for leg in LEGS[:4] for n in (2, 3)]
    assert past.filled == 4
    assert not past._begun


def test_what_fails_of_the_past_is_asked_again_and_what_never_works_given_up():
    failing = iter([BROKEN] * 7)

    def judge(wish):
        if wish.path == past_of(LEGS[1])[0]:
            return ODD
        return next(failing, None) if wish.path == past_of(LEGS[2])[1] else None

    past = Past(PACE, 1.0, 10.0, past_of)
    past.want(LEGS)
    asked = drive(past, 0.0, 1_000.0, judge=judge)
    times = {
        path: [wish.path for _, wish in asked].count(path)
        for path in [path for leg in LEGS for path in past_of(leg)]
    }
    assert times.pop(past_of(LEGS[1])[0]) == PAST_TRIES
    assert times.pop(past_of(LEGS[2])[1]) == 8
    assert set(times.values()) == {1}
    assert past.filled == 8
    assert not past._later
    assert not past._tries
    assert not past._left


def test_legs_without_any_past_are_done_with():
    past = Past(PACE, 1.0, 10.0, lambda leg: () if leg in LEGS[:4] else past_of(leg))
    past.want(LEGS)
    assert len(drive(past, 0.0, 60.0)) == 8
    assert past.filled == 8


def test_a_leg_left_in_the_middle_starts_again_and_late_answers_change_nothing():
    past = Past(PACE, 1.0, 10.0, past_of)
    past.want(LEGS[:2])
    first = past.pick(0.0)
    past.took(first, 0.0)
    past.want([])
    past.done(first, None, 1.0)
    assert not drive(past, 1.0, 20.0)
    past.want(LEGS[:1])
    dropped = past.pick(30.0)
    past.took(dropped, 30.0)
    past.lost(dropped)
    assert len(drive(past, 30.0, 60.0)) == 2
    assert past.filled == 1


def filled(legs=LEGS[:3], paths_of=past_of):
    """A line whose past is there."""
    past = Past(PACE, 1.0, 10.0, paths_of)
    past.want(legs)
    drive(past, 0.0, 60.0)
    assert past.filled == len(legs)
    return past


def test_the_newest_is_asked_for_again_and_what_is_filled_stays_filled():
    past, seen = filled(), set()
    past.again(LEGS[:3], SETTLED)
    past.again(LEGS[:3], SETTLED)  # once while it waits
    past.again(LEGS[:1], MINUTES)
    past.again(LEGS[5:], MINUTES)  # not begun: it comes anyway

    def judge(_):
        seen.add(past.filled)

    asked = [wish.path for _, wish in drive(past, 60.0, 120.0, judge=judge)]
    assert asked == [past_of(leg)[1] for leg in LEGS[:3]] + [past_of(LEGS[0])[0]]
    assert seen == {3}
    assert not past._repeats


def test_a_path_is_made_anew_when_it_is_asked_for_again():
    now = iter(range(100))
    past = filled(LEGS[:1], lambda leg: (f"/minutes?end={next(now)}", "/settled"))
    past.again(LEGS[:1], MINUTES)
    assert [wish.path for _, wish in drive(past, 60.0, 70.0)] == ["/minutes?end=1"]


def test_what_is_asked_again_comes_after_the_newest_of_new_legs_and_before_what_is_older():
    past = Past(PACE, 1.0, 10.0, lambda leg: [f"/{n}?{leg}" for n in range(4)])
    past.want(LEGS[:1])
    drive(past, 0.0, 2.5)  # the two newest of the one leg
    past.want(LEGS[:2])
    past.again(LEGS[:1], SETTLED)
    asked = [wish.path for _, wish in drive(past, 3.0, 60.0)]
    new, old = LEGS[1], LEGS[0]
    assert asked[:3] == [f"/0?{new}", f"/1?{new}", f"/1?{old}"]
    assert len(asked) == 7
    assert past.filled == 2


def test_what_fails_again_is_tried_later_and_given_up_without_becoming_undone():
    past = filled()
    past.again(LEGS[:2], SETTLED)
    failing = iter([BROKEN] * 5)

    def judge(wish):
        assert past.filled == 3
        return ODD if wish.name == LEGS[0] else next(failing, None)

    asked = [wish.name for _, wish in drive(past, 60.0, 1_000.0, judge=judge)]
    assert (asked.count(LEGS[0]), asked.count(LEGS[1])) == (PAST_TRIES, 6)
    assert past.filled == 3
    assert not past._repeats
    assert not past._later
    assert not past._tries


def test_what_is_asked_again_and_not_wanted_any_more_is_forgotten():
    past = filled()
    past.again(LEGS[:3], SETTLED)
    out = past.pick(60.0)
    past.took(out, 60.0)
    past.want(LEGS[2:3])
    past.lost(out)
    assert {wish.name for _, wish in drive(past, 61.0, 90.0)} == {LEGS[2]}
    past.again(LEGS[2:3], SETTLED)
    out = past.pick(90.0)
    past.took(out, 90.0)
    past.yielded(out, 90.0)
    assert [wish for _, wish in drive(past, 90.0, 100.0)] == [out]
    assert past.filled == 1


LINES = {
    "pages": lambda: Pages(PACE),
    "books": lambda: Books(PACE, 0.5, 10.0, lambda leg: leg),
    "singles": lambda: Singles(PACE, 1.0, 60.0, lambda leg: (f"/1{leg}", f"/2{leg}")),
    "past": lambda: Past(PACE, 0.5, 10.0, past_of),
}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("start_s", UPTIMES_S)
def test_a_call_that_made_way_is_no_failure_and_comes_again_after_the_gap(kind, start_s):
    line = LINES[kind]()
    if kind == "pages":
        line.want({"/hourly": 3_600.0}, start_s)
    else:
        line.want(LEGS[:1], *([] if kind == "past" else [start_s]))
    wish = line.pick(start_s)
    for turn in range(5):
        now_s = start_s + 2.0 * turn
        assert line.ready(now_s)
        assert line.pick(now_s) == wish
        line.took(wish, now_s)
        line.yielded(wish, now_s + 0.25)
        assert not line.ready(now_s + 0.25)
    assert not line._fails
    assert not line._out


def test_where_no_restraint_is_needed_a_dozen_waits_at_once_and_no_more():
    quick = Pace(restraint=0.0)
    past = Past(quick, quick.calm_s, 10.0, past_of)
    past.want([f"tiny:perp:C{n}" for n in range(200)])
    asked = drive(past, 0.0, 20.0)
    most = max(len(list(group)) for _, group in itertools.groupby(at_s for at_s, _ in asked))
    assert most == int(quick.tick_s / quick.calm_s)
    assert asked[-1][0] <= 400 * quick.calm_s + 1.0
    slow = Past(quick, quick.calm_s, 10.0, past_of)
    slow.want(LEGS)
    for _ in range(100):
        if slow.ready(50.0) and (wish := slow.pick(50.0)):
            slow.took(wish, 50.0)
    assert len(slow._out) <= most
