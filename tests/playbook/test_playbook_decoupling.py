"""Decoupling (S1): enters what has turned, refuses what widens, leaves by price or by time."""

import pytest

from basisdesk.events import ClosePair, ExitPlan, OpenPair, Result
from basisdesk.playbook.decoupling import Decoupling
from basisdesk.playbook.words import Account, Band
from basisdesk.trading.risk import RiskState
from tests.playbook.playbook_rig import T0, Books, D, but, held, view

BOOK = Decoupling()
PLAN = ExitPlan(D("7.5"), D("82.5"), D(2))  # nets 58.5 - 7.5 - 31 = 20 bp


def says(seen, book=BOOK):
    return book.decide(seen, T0)


def flow(seen, **given):
    return but(seen, flow=but(seen.flow, **given))


def test_it_enters_a_spread_that_has_stopped_widening():
    found = says(view())
    assert (found.kind, found.code, found.direction) == ("enter", "turned", 1)
    (order,) = found.commands
    assert isinstance(order, OpenPair)
    assert order.exit.target_bp == D("7.50")  # the mean and half a deviation, at the close line
    assert order.exit.stop_bp == D("81.50")  # leaving now and 20 bp
    assert order.exit.max_hold_h == D(2)
    for figure in ("60.0 bp", "5.0 sd", "58.5 bp to target 7.5 bp leaves 20.0 bp after 31.0 bp"):
        assert figure in found.text


def test_the_reverse_is_the_mirror():
    found = says(flow(view(-66.0, low_bp=-66.0, fast=Band(-35.0, 15.0, True)), slope_bp_min=-0.5))
    (order,) = found.commands
    assert (found.direction, order.long, order.short) == (-1, view().second, view().first)
    assert order.exit.stop_bp < order.exit.target_bp


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"stale": "Perp quote is old."}, "stale", "Perp quote is old."),
        ({"risk": RiskState("halted", "drawdown")}, "risk", "halted: drawdown"),
        ({"busy": True}, "busy", "one at a time"),
        ({"slow": Band(0.0, 12.0)}, "warm-up", "not full"),
        ({"open_bp": float("nan")}, "thin", "too little"),
        ({"slow": Band(0.0, 45.0, True)}, "inside", "1.3 sd from its 2 h mean"),
        ({"fast": Band(1.0, 15.0, True)}, "no-cross", "0.08 sd beyond the 2 h mean"),
        ({"mid_bp": 30.0, "open_bp": 25.0}, "cost-zone", "after 31.0 bp"),
    ],
)
def test_it_refuses_with_a_sentence(change, code, words):
    found = says(but(view(), **change))
    assert (found.kind, found.code, found.commands) == ("stand", code, ())
    assert words in found.text


def test_it_does_not_stand_against_momentum():
    edge = 0.10 * 15.0  # of the 5 min deviation, a minute
    assert says(flow(view(), slope_bp_min=edge)).code == "turned"
    found = says(flow(view(), slope_bp_min=edge + 0.01))
    assert found.code == "widening"
    assert "widens with momentum" in found.text
    assert says(flow(view(), slope_bp_min=float("nan"))).code == "widening"
    assert says(flow(view(), slope_bp_min=-30.0)).code == "turned"


def test_depth_confirms_or_refuses():
    assert says(flow(view(), depth_ratio=0.09)).code == "depth"
    assert says(flow(view(), tilt=0.9)).code == "depth"
    assert says(flow(view(), tilt=-0.9)).code == "turned"
    assert says(flow(view(), depth_ratio=float("nan"), tilt=float("nan"))).code == "turned"


def test_without_a_leader_the_size_is_cut_or_the_trade_refused():
    (led,), (alone,) = says(view()).commands, says(flow(view(), leader="")).commands
    assert alone.qty == led.qty / 2
    strict = BOOK.with_values({"lead_cut": 0.0})
    assert says(flow(view(), leader="", lead="no stable leader"), strict).code == "lead"


def test_the_threshold_rises_with_volatility_and_after_losses():
    calm = but(view(mid=60.0), slow=Band(22.0, 24.0, True), fast=Band(40.0, 20.0, True))
    assert says(calm).code == "turned"  # 1.58 sd
    assert says(but(calm, fast=Band(40.0, 26.0, True))).code == "inside"  # 1.5 x 26 / 24
    lost = tuple(Result(n, T0, D(-1)) for n in (1, 2))
    assert says(but(calm, ours=lost)).code == "inside"  # 1.5 + 2 x 0.25
    won = tuple(Result(n, T0, D(1)) for n in range(3, 8))
    assert says(but(calm, ours=lost + won)).code == "turned"  # five pairs back


def test_the_size_grows_with_the_way_back_over_the_expected_range():
    sizes = []
    for sd in (12.0, 30.0):
        seen = but(view(books=Books(most="10000", depth="10000")), slow=Band(0.0, sd, True))
        sizes.append(says(seen).commands[0].qty)
    assert sizes[0] == D(10_000)
    assert sizes[1] == D(7_000)  # 42 bp of the way back over 60 bp


def test_the_bankroll_stays_idle():
    small = but(view(), account=Account(D(1_000), D(1_000), D(1_000)))
    assert says(small).commands[0].qty == D(1_000)  # half of 1,000 at 0.50


def test_a_refusal_of_the_desk_is_told():
    found = says(view(books=Books(refusal="The entry needs 9 USDT.")))
    assert (found.kind, found.code) == ("stand", "size")
    assert found.text.endswith("The entry needs 9 USDT.")


# --- leaving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "hours", "mid", "code"),
    [
        ("-5", 0.1, 40.0, "hold"),
        ("5", 0.1, 40.0, "hold"),  # 10 bp of the 17.3 that are waited for
        ("9", 0.1, 40.0, "time"),
        ("5", 0.4, 40.0, "time"),  # 10 bp of 9.3
        ("-5", 9.0, 40.0, "hold"),  # a loss is the plan's business: stop and time stop
        ("3", 0.05, 5.0, "reverted"),
        ("2", 0.05, 5.0, "hold"),  # back at the mean, but 4 bp of the 5 that an exit is for
        ("-3", 0.05, 5.0, "hold"),
        (None, 5.0, 5.0, "hold"),
    ],
)
def test_it_leaves_by_price_and_by_time(net, hours, mid, code):
    seen = but(view(mid), held=held(PLAN, net, hours, close_bp=mid + 1.5))
    found = says(seen)
    assert found.code == code
    assert found.commands == ((ClosePair(1),) if code != "hold" else ())


def test_it_leaves_when_the_averages_have_crossed_back():
    seen = but(view(40.0), held=held(PLAN, "3", 0.05), fast=Band(-1.0, 15.0, True))
    assert says(seen).code == "crossed"
    assert says(but(seen, held=held(PLAN, "1", 0.05))).code == "hold"  # 2 bp are no exit


def test_an_exit_asks_no_more_than_the_entry_promised():
    value = {param.name: param.value for param in BOOK.params}
    assert 0.0 < value["exit_net_bp"] <= value["edge_min_bp"]
    back = but(view(5.0), held=held(PLAN, "1", 0.05, close_bp=6.5))
    assert says(back).code == "hold"
    assert says(back, BOOK.with_values({"exit_net_bp": 0.0})).code == "reverted"


@pytest.mark.parametrize(
    ("given", "busy", "code"),
    [
        ({"mine": False}, False, "not-ours"),
        ({"state": "unhedged"}, False, "busy"),
        ({}, True, "busy"),
    ],
)
def test_it_leaves_alone_what_is_not_its_own_or_at_work(given, busy, code):
    seen = but(view(5.0), held=held(PLAN, "50", 1.0, **given), busy=busy)
    assert says(seen).code == code
