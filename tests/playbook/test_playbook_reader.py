"""What the reader makes of an engine: bands without the present, both sides, whose is what."""

import math

import pytest

from basisdesk.events import ClosePair, ExitPlan, OpenPair, SetValue
from basisdesk.playbook.reader import Beside, ViewReader
from basisdesk.playbook.reading import Memory
from tests.engine_rig import LONG, SHORT, D, Line, S
from tests.playbook.rehearsal import Rehearsal

LEGS = (LONG, SHORT)


def run(line, seconds, **prices):
    """Quotes each second, and a beat once both legs have them."""
    for _ in range(seconds):
        line.run(1, **prices)
        line.now += S // 8
        line.beat()
        line.now -= S // 8


def look(line, reader=None, **beside):
    return (reader or ViewReader(line.engine)).read(LEGS, line.now, Beside(**beside))


def test_a_pair_stands_as_the_engine_has_it():
    line = Line()
    run(line, 3)
    seen = look(line)
    now = line.engine.market.pairs[LEGS].now
    assert (seen.mid_bp, seen.open_bp, seen.close_bp) == (now.mid_bp, now.open_bp, now.close_bp)
    assert seen.stale == ""
    assert (seen.coin, seen.two_perps, seen.busy, seen.held) == ("ADA", False, False, None)
    assert (seen.funding.rate_8h_bp, seen.funding.interval_h) == (pytest.approx(1.0), 8.0)
    assert seen.funding.borrow_8h_bp == pytest.approx(8e4 * 0.000_001_502_122)
    assert seen.account.equity == D(10_000)
    assert seen.terms.probe * D("0.364") >= D(100)
    assert seen.terms.probe % seen.terms.lot == 0


def test_a_pair_that_nobody_watches_is_stale():
    line = Line()
    seen = ViewReader(line.engine).read(("bybit:spot:XUSDT", "bybit:perp:XUSDT"), line.now)
    assert seen.stale == "The pair is not watched."
    assert list(line.engine.market.pairs) == [LEGS]


def test_the_present_is_not_in_its_own_mean():
    line = Line()
    reader = ViewReader(line.engine)
    run(line, 30)
    for _ in range(30):
        run(line, 1)
        calm = look(line, reader)
    run(line, 1, perp="0.3700")
    jumped = look(line, reader)
    assert jumped.mid_bp > calm.mid_bp + 90
    assert jumped.fast.mean_bp == pytest.approx(calm.mid_bp)
    assert jumped.flow.slope_bp_min == pytest.approx(jumped.mid_bp - calm.mid_bp)
    assert look(line, reader).fast.mean_bp == jumped.fast.mean_bp  # a second look adds nothing
    run(line, 1, perp="0.3700")
    assert look(line, reader).fast.mean_bp > jumped.fast.mean_bp


def test_what_came_before_the_reader_is_taken_from_the_series():
    line, early = Line(), None
    run(line, 5)
    early = ViewReader(line.engine)
    look(line, early)
    for _ in range(120):
        run(line, 1)
        look(line, early)
    run(line, 1)
    late = look(line)
    assert late.fast.mean_bp == pytest.approx(look(line, early).fast.mean_bp)
    assert late.fast.sd_bp == pytest.approx(0.0, abs=1e-9) or math.isnan(late.fast.sd_bp)


def test_its_bands_are_kept_bit_for_bit():
    line = Line()
    reader = ViewReader(line.engine)
    for n in range(60):
        run(line, 1, perp=f"0.36{60 + n % 7}")
        look(line, reader)
    later = ViewReader(line.engine)
    later.restore(reader.dump())
    run(line, 1, perp="0.3672")
    assert look(line, later).fast == look(line, reader).fast
    assert later.dump() == reader.dump()
    reader.keep([LEGS])
    assert reader.dump() == later.dump()
    reader.keep([])
    assert reader.dump() == {}


def test_a_stale_pair_teaches_nothing():
    line = Line()
    reader = ViewReader(line.engine)
    run(line, 40)
    look(line, reader)
    run(line, 3, spot=None)
    assert look(line, reader).stale  # what was read before it is taken now
    before = reader.dump()
    run(line, 3, spot=None, perp="0.3800")
    assert look(line, reader).stale
    assert reader.dump() == before


def test_an_order_is_priced_as_the_ticket_does():
    line = Line()
    run(line, 40)
    request = OpenPair(LONG, SHORT, D(1_000), D(2), ExitPlan(D(10), D(200)))
    priced, sheet = look(line).price(request), line.engine.sheet(request)
    assert priced.refusal == ""
    assert (priced.notional, priced.verdict) == (sheet.notional, sheet.verdict_kind)
    assert [each.name for each in priced.lines][:5] == [
        "stop", "stress", "volatility", "depth", "capital",
    ]  # fmt: skip
    bare = look(line).price(OpenPair(LONG, SHORT, D(1_000), D(9), ExitPlan()))
    assert "Leverage 9" in bare.refusal


def test_a_position_is_told_with_what_closing_it_nets():
    line = Line()
    run(line, 3)
    line.open()
    run(line, 2)
    seen = look(line)
    own = seen.held
    assert (own.pair, own.direction, own.state) == (1, 1, "open")
    assert own.notional == pytest.approx(D(3_640), rel=D("0.01"))
    total = line.engine.attribution(1).total
    assert own.net < total < 0  # leaving costs two fees and the spreads more
    line.tell(ClosePair(1))
    run(line, 1)
    after = look(line)
    assert after.held is None
    assert after.closed == (1, "user")
    assert after.ours[-1].net == pytest.approx(own.net, abs=D("0.5"))


def test_of_two_positions_the_autopilots_own_is_read():
    line = Line()
    run(line, 3)
    line.open("1000")
    line.open("2000")
    run(line, 1)
    assert look(line).held.pair == 1
    assert look(line, own=(2,)).held.pair == 2


def test_of_two_positions_what_the_autopilot_asked_for_is_read_before_a_persons():
    line = Line()
    run(line, 3)
    line.open("1000")
    by = "autopilot: carry, carry (decision 4)"
    line.tell(OpenPair(LONG, SHORT, D(2_000), D(2), ExitPlan(D(10), D(200)), by=by))
    run(line, 1)
    seen = look(line)
    assert (seen.held.pair, seen.held.by, sorted(seen.live)) == (2, by, [1, 2])
    assert look(line, own=(1,)).held.by == ""


def test_a_position_is_told_though_nobody_watches_its_pair():
    line = Line()
    run(line, 3)
    line.open()
    run(line, 1)
    line.engine.market.forget(LEGS)
    seen = look(line)
    assert seen.stale == "The pair is not watched."
    assert (seen.held.pair, seen.live, seen.busy) == (1, (1,), False)
    line.tell(ClosePair(1))
    run(line, 1)
    after = look(line)
    assert (after.held, after.live, after.closed) == (None, (), (1, "user"))
    assert after.ours[-1].pair == 1


def test_what_is_beyond_belief_is_not_remembered():
    memory = Memory(300.0, 7_200.0)
    memory.take(0.0, 5.0, 0.4)
    before = memory.dump()
    for mid_bp, price in ((math.inf, 0.4), (1e300, 0.4), (5.0, 1e300), (5.0, math.inf), (5.0, 0.0)):
        memory.note(1.0, mid_bp, price)
        memory.catch_up(2.0)
        memory.take(1.0, mid_bp, price)
        assert memory.dump() == before


@pytest.mark.parametrize("value", ["x", None, [1], {}])
def test_bands_of_another_shape_are_refused(value):
    kept = Memory(300.0, 7_200.0).dump()
    for damaged in (kept | {"t_s": value}, kept | {"fast": kept["fast"] | {"var": value}}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Memory(300.0, 7_200.0).restore(damaged)


def test_risk_and_sector_are_the_desks():
    line = Line()
    run(line, 3)
    line.tell(SetValue("sector.ADA", "against"))
    assert look(line).sector == "against"
    run(line, 1)
    assert look(line).risk == line.engine.desk.risk
    assert line.now % S == 0


def test_candles_that_come_later_make_the_bands_anew(monkeypatch):
    told = Rehearsal._backfill
    monkeypatch.setattr(Rehearsal, "_backfill", lambda self, key: None)
    made = Rehearsal("2025 calm", LEGS)
    made.run(1)
    assert not made.view.slow.warm
    for key in LEGS:
        told(made, key)
    made.run(0.2)
    assert made.view.slow.warm
    assert abs(made.view.slow.mean_bp) < 15.0


def test_candles_that_come_in_pages_the_oldest_first_fill_the_bands_too(monkeypatch):
    """The series reaches a day back with the first page; the hours that count come after it."""
    told, later = Rehearsal._feed, []

    def in_part(self, rows):
        klines = [row for row in rows if b"/kline?" in row[1][:60]]
        later.extend(klines[1:])
        told(self, [row for row in rows if row not in klines[1:]])

    monkeypatch.setattr(Rehearsal, "_feed", in_part)
    made = Rehearsal("2025 calm", LEGS)
    monkeypatch.setattr(Rehearsal, "_feed", told)
    assert len(later) == 2  # the newer half of a day, of both legs
    made.run(1)
    assert not made.view.slow.warm
    restored = ViewReader(made.engine)
    restored.restore(made.reader.dump())
    for reader in (made.reader, restored):
        reader.read(LEGS, made.now_ns)
    told(made, later)
    made.run(0.2)
    assert made.view.slow.warm
    assert restored.read(LEGS, made.now_ns).slow.warm  # bands kept half full are no hindrance
