"""The risk state in the whole engine: hedged money, restarts, the audit, the log and the curve."""

from decimal import Decimal

import msgspec
import pytest
from engine_rig import LONG, SHORT, D, Line, S

from basisdesk.engine import CURVE_POINTS
from basisdesk.events import (
    ClosePair,
    EquityMarked,
    Halt,
    LegRejected,
    Liquidated,
    PairReduced,
    Refused,
    Resume,
    RiskChanged,
    SetValue,
)
from basisdesk.ledger.posting import Posting, Transaction


def test_a_short_that_loses_30_percent_beside_a_long_that_gains_it_trips_nothing():
    line = Line()
    line.open(leverage="1")
    line.run(5)
    start = line.engine.funds().equity
    spot, perp = D("0.3639"), D("0.3665")
    for number in range(1, 61):
        line.now += S
        up = 1 + Decimal(number) / 200
        line.quote(f"{(spot * up).quantize(D('0.0001'))}", f"{(perp * up).quantize(D('0.0001'))}")
        line.beat()
    money = line.engine.attribution(1)
    assert money.short_gross < -1_090  # 30 % of 3,665
    assert money.long_gross > 1_090
    assert abs(line.engine.funds().equity - start) < 10
    assert line.said() == []
    assert {reading.state for reading in line.engine.readings()} <= {"ok", "unknown"}


def test_a_silent_leg_beside_a_falling_one_is_no_loss_but_stops_entries():
    line = Line()
    line.open()
    line.run(5)
    equity = line.engine.funds().equity
    spot = D("0.3639")
    for _ in range(70):  # the perpetual is not heard, the coin falls by 14 %
        line.now += S
        spot -= D("0.0007")
        line.quote(f"{spot}", None)
        line.beat()
    funds = line.engine.funds()
    assert funds.equity < equity - 400
    assert funds.judged is not None
    assert abs(funds.judged - equity) < 20
    assert line.said() == [("reducing", "stale")]
    line.quote(f"{spot}", f"{spot + D('0.0026')}")
    line.open()
    refused = line.engine.outcomes[-1]
    assert isinstance(refused, Refused)
    assert refused.limit == "reducing"
    assert "Bybit perp ADAUSDT was last heard" in refused.text
    assert "ends by itself" in refused.text
    line.run(35, spot=f"{spot}", perp=f"{spot + D('0.0026')}")
    assert line.said() == [("reducing", "stale"), ("active", "stale")]
    assert abs(line.engine.funds().judged - line.engine.funds().equity) == 0
    line.open("1000")
    assert len(line.engine.open_pairs()) == 2


def test_a_loss_of_the_hedged_book_halts_and_a_restart_keeps_it():
    line = Line(drawdown_max=0.02)
    line.open("20000", "5")
    line.run(5)
    peak = line.engine.desk.watch.marks.peak
    line.run(5, spot="0.3639", perp="0.3800")  # the basis widens by 135 ticks: 270 lost
    assert line.said() == [("halted", "drawdown")]
    assert line.engine.log[-1].level == "error"
    twin = line.again(drawdown_max=0.02)
    twin.run(5, spot="0.3639", perp="0.3800")
    assert twin.engine.desk.risk.halted
    assert twin.engine.desk.risk.cause == "drawdown"
    assert twin.engine.desk.watch.marks.peak == peak
    twin.open()
    assert twin.engine.outcomes[-1].limit == "halted"
    twin.tell(Resume())
    twin.run(60, spot="0.3639", perp="0.3800")
    assert twin.engine.desk.risk.entries
    twin.tell(ClosePair(1))
    assert twin.engine.open_pairs() == []


def test_after_a_restart_money_is_judged_once_every_leg_held_was_heard():
    line = Line()
    line.open()
    line.run(5)
    twin = line.again(quoted=False)
    twin.beat()
    twin.now += S
    twin.quote(perp=None)
    twin.beat()
    assert twin.engine.funds().judged is None
    assert twin.reading("drawdown").state == "unknown"
    assert "waiting for quotes" in twin.reading("drawdown").note
    twin.now += S
    twin.quote()
    twin.beat()
    assert twin.engine.funds().judged == twin.engine.funds().equity
    blind = line.again(quoted=False)
    for _ in range(70):  # one leg never comes: it is not waited for longer than a held one
        blind.now += S
        blind.quote(perp=None)
        blind.beat()
    assert blind.engine.funds().judged is not None
    assert blind.said() == [("reducing", "stale")]


def test_positions_and_ledger_that_disagree_start_the_desk_halted():
    line = Line()
    line.open()
    line.run(3)
    entries = list(line.journal.kept)
    at, (seq, outcome, txns) = next(
        (n, entry) for n, entry in enumerate(entries) if entry[2] and hasattr(entry[1], "pair")
    )
    tampered = tuple(
        msgspec.structs.replace(
            txn,
            postings=tuple(
                msgspec.structs.replace(each, amount=each.amount * 2) for each in txn.postings
            ),
        )
        for txn in txns
    )
    entries[at] = (seq, outcome, tampered)
    twin = Line(entries)
    assert twin.engine.audit()
    assert twin.engine.desk.risk.halted
    assert twin.engine.desk.risk.cause == "audit"
    assert "Positions and ledger disagree. Pair 1" in twin.engine.desk.risk.reason
    said = [line.text for line in twin.engine.log if line.source == "audit"]
    assert said == twin.engine.audit()
    assert all(line.level == "error" for line in twin.engine.log if line.source == "audit")
    twin.open("100")
    assert twin.engine.outcomes[-1].limit == "halted"
    assert twin.said() == [("halted", "audit")]
    third = Line([*entries, *twin.journal.kept])
    assert third.said() == []  # it is halted for it already; the log says it again
    assert [line for line in third.engine.log if line.source == "audit"]


def test_a_sound_journal_passes_the_audit():
    line = Line()
    line.open()
    line.run(3)
    line.tell(ClosePair(1, D("0.4")))
    assert line.engine.audit() == []
    assert line.again().said() == []


@pytest.mark.parametrize("word", ["for", "against", ""])
def test_the_sector_overlay_says_a_word_of_a_coin(word):
    line = Line()
    line.tell(SetValue("sector.ADA", "against"))
    line.tell(SetValue("sector.ADA", word))
    assert line.engine.market.sectors == {"ADA": word}


@pytest.mark.parametrize(
    ("key", "value"),
    [("sector.ADA", "maybe"), ("sector.", "for"), ("sector.ada", "for"), ("sector.A B", "for"),
     ("sector.Ä", "for"), ("sector." + "A" * 31, "for"), ("sectors.ADA", "for")],
)  # fmt: skip
def test_a_sector_that_makes_no_sense_is_said_in_the_log(key, value):
    line = Line()
    line.tell(SetValue(key, value))
    assert line.engine.market.sectors == {}
    assert line.engine.log[-1].level == "warn"
    assert line.engine.log[-1].text.startswith("Cannot set")


def test_the_log_says_how_serious_it_is_and_nothing_of_marks():
    line = Line()
    line.open()
    line.run(2)
    levels = {each.text: each.level for each in line.engine.log}
    assert not any("EquityMarked" in text for text in levels)
    position = line.engine.desk.pairs[1]
    engine = line.engine
    at = line.now
    reject = LegRejected(at, 1, "short", SHORT, "lot", "no")
    forced = Liquidated(at, 1, SHORT, D(1), D(1), (), D(1), D(1), False, cause="adl")
    reduced = PairReduced(at, 1, D(1), "user", (), D(1), D(1), D(0), D(0), False)
    assert engine._level(reject) == "warn"
    assert engine._level(forced) == "error"
    assert engine._level(reduced) == "info"
    position.state = "unhedged"
    assert engine._level(reduced) == "warn"
    assert engine._level(RiskChanged(at, "halted", "")) == "error"
    assert engine._level(RiskChanged(at, "reducing", "")) == "warn"
    assert engine._level(RiskChanged(at, "active", "")) == "info"


def test_the_curve_has_every_mark_and_a_point_a_minute():
    line = Line()
    line.open()
    line.run(200)
    curve = line.engine.curve
    assert curve.maxlen == CURVE_POINTS
    times = [point.t_ns for point in curve]
    assert times == sorted(times)
    assert 4 <= len(curve) <= 6
    last = curve[-1]
    assert last.equity == pytest.approx(float(line.engine.funds().equity))
    assert last.free == pytest.approx(float(line.engine.funds().free))
    assert last.exposure == pytest.approx(10_000 * (0.36395 + 0.36655))
    assert last.unhedged == 0.0
    marks = [each for _, each, _ in line.journal.kept if isinstance(each, EquityMarked)]
    twin = line.again()
    assert [point.t_ns for point in twin.engine.curve][: len(marks)] == [m.ts_ns for m in marks]
    assert twin.engine.held == line.engine.held  # known by the fills, between the marks too
    assert twin.engine.held[-1].gross == pytest.approx(last.exposure, rel=1e-3)


def test_marks_are_few_however_many_frames_there_are():
    line = Line()
    line.run(3)
    for _ in range(300):
        line.now += S // 1000
        line.quote()
    marks = [each for _, each, _ in line.journal.kept if isinstance(each, EquityMarked)]
    assert len(marks) == 1
    line.tell(Halt())
    line.tell(Resume())
    line.run(3)
    marks = [each for _, each, _ in line.journal.kept if isinstance(each, EquityMarked)]
    assert len(marks) == 1


def test_every_figure_on_the_screen_can_be_explained():
    line = Line()
    line.open()
    line.run(3)
    engine = line.engine
    truth = engine.attribution(1)
    for term in ("basis", "funding", "fees", "slippage", "borrow", "residual", "total"):
        told = engine.explain(term, 1)
        assert told.figure == getattr(truth, term)
        assert sum(row.amount for row in told.rows) == told.figure
    assert engine.explain("margin", 1).figure == engine.desk.pairs[1].margin
    assert engine.explain("equity").figure == engine.funds().equity
    assert engine.explain("cash").figure == engine.explain("free").figure == engine.funds().free
    with pytest.raises(KeyError):
        engine.explain("luck", 1)
    with pytest.raises(KeyError):
        engine.explain("basis")
    twin = line.again()
    told = twin.engine.explain("fees", 1)
    assert told.figure == truth.fees
    assert [row.cause for row in told.rows] == [row.cause for row in engine.explain("fees", 1).rows]


def test_a_posting_is_what_a_row_says():
    line = Line()
    line.open()
    rows = line.engine.explain("margin", 1).rows
    kept = [txn for _, _, txns in line.journal.kept for txn in txns]
    for row in rows:
        assert any(
            isinstance(txn, Transaction)
            and txn.cause == row.cause
            and Posting(row.account, row.currency, row.amount) in txn.postings
            for txn in kept
        )
    assert LONG in line.engine.market.legs
