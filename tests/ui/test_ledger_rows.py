"""Postings, fills and log lines as plain rows, newest first and bounded."""

from decimal import Decimal

from ui_rig import PERP, SPOT, Rig

from basisdesk.engine import LogLine
from basisdesk.events import ClosePair, ExitPlan, OpenPair
from basisdesk.ledger.posting import Posting, Transaction
from basisdesk.ui.ledger_rows import (
    ROWS_MAX,
    exact_text,
    fill_rows,
    grade_meaning,
    log_rows,
    posting_rows,
)
from basisdesk.ui.times import clock_ms_text, date_text, held_text, zone_text

D = Decimal


def traded():
    rig = Rig().begin()
    rig.submit(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(3), D(120), D(72))))
    rig.submit(ClosePair(1))
    return rig


def test_all_postings_stand_newest_transaction_first_and_sum_to_zero():
    rig = traded()
    rows = posting_rows(rig.engine.books.recent, utc=True)
    assert [row.key[0] for row in rows] == sorted((row.key[0] for row in rows), reverse=True)
    sums = {}
    for row in rows:
        place = (row.key[0], row.currency)
        sums[place] = sums.get(place, 0) + row.value
    assert set(sums.values()) == {0}


def test_postings_are_bounded():
    txn = Transaction(0, "x", (Posting("a", "USDT", D(1)), Posting("b", "USDT", D(-1))))
    rows = posting_rows([(n, txn) for n in range(3_000)], utc=True)
    assert len(rows) == ROWS_MAX
    assert rows[0].key == (2_999, 0)


def test_each_fill_stands_with_its_side_price_fee_and_grade():
    rig = traded()
    rows = fill_rows(list(rig.engine.outcomes), rig.engine, utc=True)
    assert len(rows) == 4
    first = rows[-1]
    assert (first.leg, first.side, first.qty) == ("long", "\u25b2 buy", "4,000")
    assert first.price == "0.3640"
    assert (first.fee, first.fee_currency) == ("4", "ADA")
    assert first.grade == "A"
    assert "top level" in first.grade_reason
    assert len({row.key for row in rows}) == 4


def test_only_poor_grades_are_coloured():
    assert [grade_meaning(grade) for grade in "ABCD"] == ["", "", "warn", "loss"]


def test_the_log_shows_a_level_and_what_is_worse():
    lines = [LogLine(n, level, "x", "said") for n, level in enumerate(("info", "warn", "error"))]
    assert [line.level for line in log_rows(lines, "info")] == ["error", "warn", "info"]
    assert [line.level for line in log_rows(lines, "warn")] == ["error", "warn"]
    assert [line.level for line in log_rows(lines, "error")] == ["error"]
    assert len(log_rows([LogLine(n, "info", "x", "y") for n in range(3_000)], "info")) == ROWS_MAX


def test_amounts_keep_every_digit_and_at_least_two():
    assert exact_text(D("0.79868052")) == "+0.79868052"
    assert exact_text(D("-5")) == "\u22125.00"
    assert exact_text(D("1E+3")) == "+1,000.00"


def test_times_carry_milliseconds_and_a_zone():
    t_ns = 1_700_000_000_123_456_789
    assert clock_ms_text(t_ns, utc=True) == "22:13:20.123"
    assert date_text(t_ns, utc=True) == "2023-11-14 22:13"
    assert clock_ms_text(0, utc=True) == date_text(0, utc=True) == ""
    assert zone_text(utc=True) == "UTC"
    assert zone_text(utc=False, t_ns=t_ns)


def test_spans_have_two_units():
    spans = [held_text(s) for s in (-1, 42, 842, 34_800, 90_000)]
    assert spans == ["0s", "42s", "14m 02s", "9h 40m", "1d 01h"]
