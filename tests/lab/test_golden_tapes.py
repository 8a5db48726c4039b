"""Golden tapes of execution: every posting is the one worked out by hand in golden/*.md."""

import pytest

from basisdesk.events import (
    LegRejected,
    OrderEnded,
    PairAdded,
    PairOpened,
    PairReduced,
    RiskChanged,
)
from tests.lab.golden_rig import (
    ADA,
    ADA_PERP,
    ADA_SWAP,
    LATE,
    PLAN,
    SETTINGS,
    SPOT,
    T0,
    H,
    OkxScene,
    S,
    Scene,
    meets_paper,
)

SPOT_FIRST, PERP_FIRST = ("0.3639", "0.3640"), ("0.3665", "0.3666")
EVEN = ("0.3650", "0.3651")


def halves(start, end):
    """Every half second from start to end, both included."""
    return [half / 2 for half in range(round(2 * start), round(2 * end) + 1)]


def moves(scene):
    """(seconds, what happened, why) of each fill and each refusal of a leg."""
    kinds = PairOpened, PairAdded, PairReduced, LegRejected
    return [
        (
            (each.ts_ns - T0) / S,
            type(each).__name__,
            each.limit if isinstance(each, LegRejected) else each.reason,
        )
        for each in scene.outcomes(*kinds)
    ]


# --- both directions, two perpetuals -------------------------------------------------------------


def test_perp_rich(tmp_path, capsys):
    scene = Scene()
    scene.mark(1, "0.3665")
    scene.quotes([1, 2], spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(2, do="open_pair")
    scene.quotes([9, 10], spot=EVEN, perp=EVEN)
    scene.do(10, do="close_pair", pair=1)
    scene.quotes([11], spot=EVEN, perp=EVEN)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    meets_paper("rich", said, booked)


def test_perp_cheap(tmp_path, capsys):
    scene = Scene()
    scene.mark(1, "0.3631")
    scene.quotes([1, 2, 3], spot=("0.3650", "0.3651"), perp=("0.3630", "0.3631"))
    legs = {"long": ADA_PERP, "short": ADA}
    scene.do(2, do="open_pair", **legs, exit={"target_bp": "1000", "stop_bp": "-5000"})
    scene.quotes([9, 10], spot=("0.3639", "0.3640"), perp=("0.3639", "0.3640"))
    scene.do(10, do="close_pair", pair=1)
    scene.quotes([11], spot=("0.3639", "0.3640"), perp=("0.3639", "0.3640"))
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    meets_paper("cheap", said, booked)


def test_two_perpetuals_each_with_its_own_funding(tmp_path, capsys):
    scene, start, end = OkxScene(), 27_000, 43_260
    scene.rows = [(t_ns + (start - 10) * S, row) for t_ns, row in scene.rows]

    def both(seconds, bybit, okx):
        scene.quotes(seconds, spot=SPOT_FIRST, perp=bybit)
        scene.swap(seconds, *okx)

    scene.mark(start - 5, "0.3631", "0.0001", next_h=8)
    scene.swap_mark(start - 5, "0.3665", "0.0002", next_h=8, after_h=12)
    both([start - 1, start], ("0.3630", "0.3631"), ("0.3665", "0.3666"))
    scene.do(start, do="open_pair", long=ADA_PERP, short=ADA_SWAP)
    scene.mark(8 * H - 20, "0.3640", "0.0001", next_h=8)
    scene.swap_mark(8 * H - 20, "0.3670", "0.0002", next_h=8, after_h=12)
    scene.mark(8 * H + 20, "0.3640", "0.0001", next_h=16)
    scene.swap_mark(8 * H + 20, "0.3670", "0.0002", next_h=12, after_h=16)
    scene.mark(12 * H - 20, "0.3640", "0.0003", next_h=16)
    scene.swap_mark(12 * H - 20, "0.3660", "0.00015", next_h=12, after_h=16)
    scene.swap_mark(12 * H + 20, "0.3660", "0.00015", next_h=16, after_h=20)
    both([end - 1, end], ("0.3649", "0.3650"), ("0.3650", "0.3651"))
    scene.do(end, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    paid = [(one["instrument"], one["amount"]) for one in said["settlements"]]
    assert paid == [(ADA_PERP, "-0.364"), (ADA_SWAP, "0.734"), (ADA_SWAP, "0.549")]
    meets_paper("perps", said, booked)


def test_each_venue_at_its_own_distance(tmp_path, capsys):
    far = "latency_ms = 500\nvenue_latency_ms = { okx = 2000 }"
    scene = OkxScene(SETTINGS.replace("latency_ms = 0", far))

    def both(seconds, bybit, okx):
        scene.quotes(seconds, spot=SPOT_FIRST, perp=bybit)
        scene.swap(seconds, *okx)

    scene.mark(0.5, "0.3631")
    scene.swap_mark(0.5, "0.3665", "0.0001", next_h=8, after_h=12)
    both(halves(1, 2.5), ("0.3630", "0.3631"), ("0.3665", "0.3666"))
    both(halves(3, 4.5), ("0.3631", "0.3632"), ("0.3664", "0.3665"))
    both(halves(9, 11), ("0.3649", "0.3650"), ("0.3650", "0.3651"))
    both(halves(11.5, 12.5), ("0.3649", "0.3650"), ("0.3651", "0.3652"))
    scene.do(2, do="open_pair", long=ADA_PERP, short=ADA_SWAP)
    scene.do(10, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(at, why) for at, _, why in moves(scene)] == [(at, "user") for at in (2.5, 4, 10.5, 12)]
    meets_paper("latency", said, booked)


# --- a leg that fills half -----------------------------------------------------------------------


def half_filled(how):
    """A click at 2 s in deep books; at 2.5 s the perp bids for 5,000 only; arrival at 3 s."""
    scene = Scene(LATE)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 2), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(2, do="open_pair", how=how)
    thin = [("0.3665", "5000")], [("0.3666", "50000")]
    scene.quotes([2.5, 3], spot=SPOT_FIRST, perp=thin)
    return scene


def closed_at_11(scene):
    """The end of most scenes: a close by hand at 10 s that is in the books at 11 s."""
    scene.quotes(halves(9.5, 11.5), spot=EVEN, perp=EVEN)
    scene.do(10, do="close_pair", pair=1)


def test_half_of_a_leg_hedged(tmp_path, capsys):
    scene = half_filled({"policy": "hedge"})
    scene.quotes(halves(3.5, 5), spot=("0.3641", "0.3642"), perp=("0.3664", "0.3665"))
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    told = [(3, "PairOpened", "user"), (4.5, "PairAdded", "hedge"), (11, "PairReduced", "user")]
    assert moves(scene) == told
    meets_paper("half-hedge", said, booked)


def test_half_of_a_leg_retried(tmp_path, capsys):
    scene = half_filled({"policy": "retry", "pay_up": 2})
    scene.quotes([3.5], spot=SPOT_FIRST, perp=("0.3664", "0.3665"))
    scene.quotes(halves(4, 6.5), spot=("0.3635", "0.3636"), perp=("0.3660", "0.3661"))
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert moves(scene) == [
        (3, "PairOpened", "user"),
        (4.5, "LegRejected", "limit"),
        (6, "PairAdded", "hedge"),
        (11, "PairReduced", "user"),
    ]
    meets_paper("half-retry", said, booked)


def test_half_of_a_leg_unwound(tmp_path, capsys):
    scene = half_filled({"policy": "unwind"})
    scene.quotes(halves(3.5, 5), spot=("0.3638", "0.3639"), perp=PERP_FIRST)
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    told = [(3, "PairOpened", "user"), (4.5, "PairReduced", "unwind"), (11, "PairReduced", "user")]
    assert moves(scene) == told
    meets_paper("half-unwind", said, booked)


# --- a leg that is rejected ----------------------------------------------------------------------


def rejected(leg, how):
    """A click at 2 s; at 3 s the venue of this leg refuses it, by a drill."""
    scene = Scene(LATE)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 3), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(1.5, do="drill", kind="reject", leg=leg)
    scene.do(2, do="open_pair", how=how)
    return scene


def test_rejected_leg_hedged(tmp_path, capsys):
    scene = rejected("short", {"policy": "hedge"})
    scene.quotes(halves(3.5, 5), spot=("0.3641", "0.3642"), perp=("0.3663", "0.3664"))
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert [(no["leg"], no["limit"]) for no in said["rejections"]] == [("short", "drill")]
    assert moves(scene)[2:] == [(4.5, "PairAdded", "hedge"), (11, "PairReduced", "user")]
    meets_paper("reject-hedge", said, booked)


def test_rejected_leg_retried(tmp_path, capsys):
    scene = rejected("long", {"policy": "retry", "pay_up": 3})
    asks = [("0.3642", "4000"), ("0.3644", "3000"), ("0.3650", "50000")]
    scene.quotes(halves(3.5, 6), spot=([("0.3641", "50000")], asks), perp=("0.3667", "0.3668"))
    scene.quotes(halves(6.5, 8), spot=("0.3642", "0.3643"), perp=("0.3666", "0.3667"))
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert moves(scene) == [
        (3, "PairOpened", "user"),
        (3, "LegRejected", "drill"),
        (4.5, "PairAdded", "hedge"),
        (6, "LegRejected", "limit"),
        (7.5, "PairAdded", "hedge"),
        (11, "PairReduced", "user"),
    ]
    meets_paper("reject-retry", said, booked)


def test_rejected_leg_unwound(tmp_path, capsys):
    scene = rejected("short", {"policy": "unwind"})
    scene.quotes(halves(3.5, 5), spot=("0.3637", "0.3638"), perp=PERP_FIRST)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert said["pairs"][0]["close_reason"] == "unwind"
    meets_paper("reject-unwind", said, booked)


def test_missing_leg_overdue(tmp_path, capsys):
    scene = rejected("short", {"policy": "hedge"})
    scene.settings += "[risk]\nunhedged_s_max = 5\n"
    scene.quotes(halves(3.5, 9.5), ("0.3638", "0.3639"), perp=([], [("0.3666", "50000")]))
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    stopped = scene.outcomes(RiskChanged)[0]
    assert (stopped.state, stopped.cause) == ("reducing", "unhedged")
    assert (stopped.ts_ns - T0) / S == pytest.approx(8, abs=0.5)
    assert said["pairs"][0]["close_reason"] == "unwind"
    meets_paper("overdue", said, booked)


# --- fees taken in coins -------------------------------------------------------------------------

COINS = LATE.replace('spot_buy_fee_in = "quote"', 'spot_buy_fee_in = "base"')


def test_spot_leg_in_part_with_fees_in_coins(tmp_path, capsys):
    scene = Scene(COINS)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 2), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(2, do="open_pair", how={"policy": "hedge"})
    thin = [("0.3639", "50000")], [("0.3640", "6000.01")]
    scene.quotes([2.5, 3], spot=thin, perp=PERP_FIRST)
    scene.quotes(halves(3.5, 5), spot=("0.3640", "0.3641"), perp=("0.3664", "0.3665"))
    closed_at_11(scene)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    told = [(3, "PairOpened", "user"), (4.5, "PairAdded", "hedge"), (11, "PairReduced", "user")]
    assert moves(scene) == told
    meets_paper("coins-thin", said, booked)


def test_borrowed_coins_alone_are_bought_back_with_fees_in_coins(tmp_path, capsys):
    scene = Scene(COINS)
    scene.mark(1, "0.3631")
    scene.quotes(halves(1, 5), spot=("0.3650", "0.3651"), perp=("0.3630", "0.3631"))
    scene.do(1.5, do="drill", kind="reject", leg="long")
    legs = {"long": ADA_PERP, "short": ADA, "how": {"policy": "unwind"}}
    scene.do(2, do="open_pair", **legs, exit={"target_bp": "1000", "stop_bp": "-5000"})
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert said["pairs"][0]["close_reason"] == "unwind"
    meets_paper("borrow-coins", said, booked)


# --- the books crash while an exit travels -------------------------------------------------------


def opened_at_3(exit_plan=PLAN):
    """An entry of 10,000 that is in the books at 3 s."""
    scene = Scene(LATE)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 3.5), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(2, do="open_pair", exit=exit_plan)
    return scene


THIN_SPOT = [("0.3650", "4000")], [("0.3651", "50000")]
THIN_PERP = [("0.3650", "50000")], [("0.3651", "6000")]


def test_depth_crashes_under_a_close_by_hand(tmp_path, capsys):
    scene = opened_at_3()
    scene.quotes([9.5, 10], spot=EVEN, perp=EVEN)
    scene.do(10, do="close_pair", pair=1)
    scene.quotes([10.5, 11], spot=THIN_SPOT, perp=THIN_PERP)
    scene.quotes(halves(11.5, 13), spot=("0.3648", "0.3649"), perp=EVEN)
    scene.quotes(halves(19.5, 21.5), spot=EVEN, perp=EVEN)
    scene.do(20, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [at for at, _, _ in moves(scene)] == [3, 11, 12.5, 21]
    meets_paper("depth-hand", said, booked)


def test_depth_crashes_under_the_plan(tmp_path, capsys):
    scene = opened_at_3({"target_bp": "20", "stop_bp": "5000"})
    scene.quotes(halves(9, 9.5), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.quotes([10, 10.5], spot=EVEN, perp=EVEN)
    scene.quotes([11, 11.5, 12], spot=THIN_SPOT, perp=THIN_PERP)
    scene.quotes(halves(12.5, 14.5), spot=("0.3651", "0.3652"), perp=("0.3652", "0.3653"))
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    told = [(3, "user"), (11.5, "target"), (14, "target")]
    assert [(at, why) for at, _, why in moves(scene)] == told
    meets_paper("depth-plan", said, booked)


def test_exit_leg_rejected(tmp_path, capsys):
    scene = opened_at_3()
    scene.quotes(halves(9, 11), spot=EVEN, perp=EVEN)
    scene.do(9.5, do="drill", kind="reject", leg="short")
    scene.do(10, do="close_pair", pair=1)
    scene.quotes(halves(11.5, 13), spot=EVEN, perp=("0.3652", "0.3653"))
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert moves(scene)[1:] == [
        (11, "PairReduced", "user"),
        (11, "LegRejected", "drill"),
        (12.5, "PairReduced", "user"),
    ]
    meets_paper("exit-reject", said, booked)


# --- orders that work for a while ----------------------------------------------------------------


def test_passive_leg_through_its_queue(tmp_path, capsys):
    scene = Scene(LATE + "spot_maker = 0.0008\n")
    scene.mark(1, "0.3665")
    bids = [("0.3639", "3000"), ("0.3638", "20000")]
    perp_bids = [("0.3665", "5000"), ("0.3664", "20000")]
    spot, perp = (bids, [("0.3640", "50000")]), (perp_bids, [("0.3666", "50000")])
    scene.quotes([*halves(1, 6), 6.2, *halves(6.5, 8), 8.2, 8.5], spot=spot, perp=perp)
    how = {"style": "passive", "passive_leg": "long", "pay_up": 2}
    scene.do(2, do="open_pair", how=how)
    scene.trade(4.2, SPOT, "Sell", "0.3639", "2000")
    scene.trade(5.2, SPOT, "Sell", "0.3639", "4000")
    scene.trade(7.2, SPOT, "Sell", "0.3638", "500")
    scene.quotes(halves(19.5, 21.5), spot=EVEN, perp=EVEN)
    scene.do(20, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(end.pair, end.why) for end in scene.outcomes(OrderEnded)] == [(1, "filled")]
    makers = [fill for fill in said["pairs"][0]["fills"] if fill["liquidity"] == "maker"]
    assert [(fill["qty"], fill["grade"]) for fill in makers] == [("3000", "B"), ("7000", "C")]
    meets_paper("passive", said, booked)


def test_entry_in_three_slices(tmp_path, capsys):
    scene = Scene(LATE)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 4), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.quotes(halves(8, 10), spot=("0.3640", "0.3641"), perp=("0.3667", "0.3668"))
    scene.quotes(halves(14, 16), spot=("0.3641", "0.3642"), perp=("0.3668", "0.3669"))
    scene.do(2, do="open_pair", how={"slices": 3, "slice_gap_s": "5"})
    scene.quotes(halves(19.5, 21.5), spot=EVEN, perp=EVEN)
    scene.do(20, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(end.pair, end.why) for end in scene.outcomes(OrderEnded)] == [(1, "filled")]
    assert [(at, why) for at, _, why in moves(scene)] == [
        (3.5, "user"),
        (9.5, "slice"),
        (15.5, "slice"),
        (21, "user"),
    ]
    meets_paper("sliced", said, booked)


def test_slices_go_on_after_a_rejected_one(tmp_path, capsys):
    scene = Scene(LATE)
    scene.mark(1, "0.3665")
    scene.quotes(halves(1, 25), spot=SPOT_FIRST, perp=PERP_FIRST)
    scene.do(2, do="open_pair", how={"slices": 3, "slice_gap_s": "5", "policy": "unwind"})
    scene.do(5, do="drill", kind="reject", leg="short")
    scene.quotes(halves(29.5, 31.5), spot=EVEN, perp=EVEN)
    scene.do(30, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(end.pair, end.why) for end in scene.outcomes(OrderEnded)] == [(1, "filled")]
    meets_paper("sliced-unwind", said, booked)


# --- the papers themselves -----------------------------------------------------------------------


def test_a_wrong_sum_on_paper_is_found(tmp_path, monkeypatch):
    wrong = "| second | cause | account | currency | amount | how |\n|---|---|---|---|---|---|\n"
    wrong += "| 2 | x | assets:cash | USDT | 3 | 2 × 2 |\n"
    (tmp_path / "wrong.md").write_text(wrong)
    monkeypatch.setattr("tests.lab.golden_rig.TABLES", tmp_path)
    with pytest.raises(AssertionError, match="is 4, not 3"):
        meets_paper("wrong", {}, [])
