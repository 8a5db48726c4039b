"""The paper venue: liquidity memory, grades, and one fill a level."""

import pytest
from trading_rig import PERP, SPOT, D, Rig, S, order, settings

from basisdesk.events import PairOpened
from basisdesk.trading.paper import Memory, grade_of, walk


def depth_refused(outcomes):
    (no,) = outcomes
    assert no.limit == "depth"


def test_walk_gives_price_and_size_of_each_level_or_nothing():
    rig = Rig()
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 4.0), (0.3641, 5.0)])
    leg = rig.market.leg(SPOT)
    memory = Memory()
    assert walk(leg, "buy", D(6), memory) == [(D("0.3640"), D(4)), (D("0.3641"), D(2))]
    assert walk(leg, "buy", D(9), memory) == [(D("0.3640"), D(4)), (D("0.3641"), D(5))]
    assert walk(leg, "buy", D("9.01"), memory) is None
    assert walk(leg, "buy", D(0), memory) == []
    leg.instrument = None
    assert walk(leg, "buy", D(1), memory) is None


@pytest.mark.parametrize(
    ("level", "done", "age_ms", "grade"),
    [(0, 50, 249, "A"), (0, 50, 250, "B"), (4, 50, 999, "B"), (5, 50, 1, "C"), (0, 50, 1000, "C"),
     (0, 51, 1, "D")],
)  # fmt: skip
def test_grade_bounds(level, done, age_ms, grade):
    assert grade_of(level, done, 100.0, age_ms)[0] == grade


def test_liquidity_memory_keeps_a_level_eaten_until_its_size_changes():
    rig = Rig()
    asks = [(0.3640, 4000.0), (0.3641, 5000.0)]
    rig.show(SPOT, [(0.3639, 1e6)], asks)
    rig.open("3000")
    opened = rig.open("3000")
    assert [(f.qty, f.price) for f in opened.fills if f.leg == "long"] == [
        (D(1000), D("0.3640")),
        (D(2000), D("0.3641")),
    ]
    rig.show(SPOT, [(0.3639, 1e6)], asks)  # the same sizes: nothing came back
    depth_refused(rig.do(order("3000.01")))
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 4500.0), (0.3641, 5000.0)])
    refilled = rig.open("4600")
    assert [f.qty for f in refilled.fills if f.leg == "long"] == [D(4500), D(100)]


def test_liquidity_memory_can_be_switched_off():
    rig = Rig(settings(memory=False))
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 4000.0)])
    for _ in range(3):
        assert rig.open("3000").fills[0].price == D("0.3640")


def test_a_refused_order_eats_nothing():
    rig = Rig()
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 10000.0)])
    rig.show(PERP, [(0.3665, 10.0)], [(0.3666, 1e6)])
    depth_refused(rig.do(order()))
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    assert isinstance(rig.open(), PairOpened)


def test_grades_say_how_real_a_fill_is():
    rig = Rig()
    asks = [(0.3640 + i / 1e4, 1000.0) for i in range(12)]
    rig.show(SPOT, [(0.3639, 1e6)], asks)
    grades = [f.grade for f in rig.open("7000").fills if f.leg == "long"]
    assert grades == ["A", "B", "B", "B", "B", "C", "D"]
    rig.now += S // 2
    rig.market.leg(SPOT).quote_ns = rig.market.leg(PERP).quote_ns = rig.now - 300_000_000
    rig.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
    rig.market.leg(SPOT).quote_ns = rig.now - 300_000_000
    old = rig.open("100")
    assert {f.grade for f in old.fills} == {"B"}
    assert "300 ms old" in old.fills[0].grade_reason
