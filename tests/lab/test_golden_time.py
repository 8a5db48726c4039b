"""Golden tapes of what time does to a pair: funding, sleep, liquidation. See golden_rig.py."""

from basisdesk.events import BorrowCharged, FundingSettled, Liquidated, OrderEnded, RiskChanged
from tests.lab.golden_rig import (
    ADA,
    ADA_PERP,
    ADA_SWAP,
    LATE,
    MS0,
    SETTINGS,
    H,
    OkxScene,
    Scene,
    meets_paper,
)

RICH, EVEN = {"spot": ("0.3639", "0.3640"), "perp": ("0.3665", "0.3666")}, ("0.3650", "0.3651")


def stamps(scene):
    """(hours after T0, late, source) of each settlement that the scene paid."""
    settled = scene.outcomes(FundingSettled)
    return [((one.settle_ms - MS0) / 3_600_000, one.late, one.source) for one in settled]


def test_funding_interval_changes_twice(tmp_path, capsys):
    scene, start = Scene(), 16 * H - 60
    scene.rows = [(t_ns + (start - 10) * 1_000_000_000, row) for t_ns, row in scene.rows]
    scene.mark(start - 5, "0.3665", "0.0002", next_h=16, interval_h=8)
    scene.quotes([start - 1, start], **RICH)
    scene.do(start, do="open_pair")
    scene.mark(16 * H - 10, "0.3670", "0.00012", next_h=16, interval_h=8)
    scene.mark(16 * H + 5, "0.3660", "0.0002", next_h=24, interval_h=8)
    scene.mark(18 * H, "0.3660", "0.0001", next_h=20, interval_h=4)
    scene.mark(20 * H - 10, "0.3655", "-0.00005", next_h=20, interval_h=4)
    scene.mark(20 * H + 10, "0.3655", "0.0001", next_h=24, interval_h=4)
    scene.mark(20.5 * H, "0.3655", "0.00003", next_h=21, interval_h=1)
    scene.mark(21 * H - 10, "0.3656", "0.00003", next_h=21, interval_h=1)
    scene.mark(21 * H + 10, "0.3651", "0.00004", next_h=22, interval_h=1)
    scene.mark(22 * H - 10, "0.3651", "0.00004", next_h=22, interval_h=1)
    scene.quotes([22 * H - 1, 22 * H], spot=EVEN, perp=EVEN)
    scene.do(22 * H, do="close_pair", pair=1)
    scene.mark(22 * H + 10, "0.3651", "0.00005", next_h=23, interval_h=1)
    scene.mark(23 * H - 10, "0.3651", "0.00005", next_h=23, interval_h=1)
    scene.mark(23 * H + 10, "0.3651", "0.00005", next_h=24, interval_h=1)
    published = [(hour, "0.0009") for hour in (23, 22, 21, 20, 16, 8)]
    scene.history(20.7 * H, published[3:])  # what is paid already is not paid again
    scene.history(23 * H + 90, published)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert stamps(scene) == [(hour, False, "ticker") for hour in (16, 20, 21, 22)]
    meets_paper("funding", said, booked)


def test_nothing_is_pro_rata_around_a_stamp(tmp_path, capsys):
    scene = Scene()
    for hour in (1, 2, 3):
        scene.mark(hour * H - 30, "0.3665", "0.0001", next_h=hour, interval_h=1)
    scene.mark(3 * H + 30, "0.3665", "0.0001", next_h=4, interval_h=1)
    scene.quotes(
        [H - 1, H, 2 * H - 1, 2 * H, 2 * H + 59, 2 * H + 60, 3 * H - 1, 3 * H - 0.1], **RICH
    )
    scene.do(H, do="open_pair")
    scene.do(2 * H, do="close_pair", pair=1)
    scene.do(2 * H + 60, do="open_pair")
    scene.do(3 * H - 0.1, do="close_pair", pair=2)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert stamps(scene) == [(2, False, "ticker")]
    meets_paper("stamp", said, booked)


def test_missed_settlement_is_caught_up_from_history(tmp_path, capsys):
    scene = Scene()
    start = 27_600
    scene.rows = [(t_ns + (start - 10) * 1_000_000_000, row) for t_ns, row in scene.rows]
    scene.mark(start - 1, "0.3665", "0.0001", next_h=8)
    scene.quotes([start - 1, start], **RICH)
    scene.do(start, do="open_pair")
    scene.mark(29_100, "0.3670", "0.00015", next_h=16)
    scene.history(29_160, [(8, "0.000125"), (0, "0.0003")])
    scene.history(29_170, [(8, "0.000125"), (0, "0.0003")])
    scene.quotes([29_199, 29_200], spot=EVEN, perp=EVEN)
    scene.do(29_200, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(hour, late) for hour, late, _ in stamps(scene)] == [(8, True)]
    meets_paper("missed", said, booked)


def test_settlement_heard_of_after_the_close(tmp_path, capsys):
    scene = Scene()
    start, end = 27_600, 29_000
    scene.rows = [(t_ns + (start - 10) * 1_000_000_000, row) for t_ns, row in scene.rows]
    scene.mark(start - 1, "0.3665", "0.0001", next_h=8)
    scene.quotes([start - 1, start], **RICH)
    scene.do(start, do="open_pair")
    scene.quotes([end - 1, end], spot=EVEN, perp=EVEN)
    scene.do(end, do="close_pair", pair=1)
    scene.history(29_160, [(8, "0.000125"), (0, "0.0003")])
    scene.quotes([29_161], spot=EVEN, perp=EVEN)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert [(hour, late) for hour, late, _ in stamps(scene)] == [(8, True)]
    meets_paper("late-close", said, booked)


def test_funding_beyond_cash_comes_from_the_margin(tmp_path, capsys):
    scene = Scene(SETTINGS + "[account]\nstart = 5478.20\n[risk]\nreserve = 0.0\n")
    start = 8 * H - 60
    scene.rows = [(t_ns + (start - 10) * 1_000_000_000, row) for t_ns, row in scene.rows]
    scene.mark(start - 1, "0.3665", "-0.0004", next_h=8)
    scene.quotes([start - 1, start], **RICH)
    scene.do(start, do="open_pair")
    scene.mark(8 * H - 10, "0.3670", "-0.0004", next_h=8)
    scene.mark(8 * H + 5, "0.3670", "0.0001", next_h=16)
    scene.quotes([8 * H + 19, 8 * H + 20], spot=EVEN, perp=EVEN)
    scene.do(8 * H + 20, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    (paid,) = scene.outcomes(FundingSettled)
    assert str(paid.from_margin.normalize()) == "1.42375"
    meets_paper("from-margin", said, booked)


def test_suspend_of_nine_hours(tmp_path, capsys):
    start, slept, woke = 21_660, 21_720, 54_120
    scene = Scene(asleep=(slept, woke))
    scene.rows = [(t_ns + (start - 60) * 1_000_000_000, row) for t_ns, row in scene.rows]
    cheap = {"spot": ("0.3650", "0.3651"), "perp": ("0.3630", "0.3631")}
    even = ("0.3639", "0.3640")
    scene.mark(start - 10, "0.3631", next_h=8)
    scene.quotes([start - 1, start], **cheap)
    legs = {"long": ADA_PERP, "short": ADA}
    plan = {"target_bp": "1000", "stop_bp": "-5000"}
    scene.do(start, do="open_pair", **legs, exit=plan)
    scene.quotes(range(start + 1, slept + 1), **cheap)
    scene.quotes(range(woke, woke + 81), spot=even, perp=even)
    scene.mark(woke, "0.3640", next_h=16)
    scene.do(woke + 5, do="open_pair", **legs, exit=plan)
    scene.history(woke + 10.5, [(8, "0.00008"), (0, "0.0001")])
    scene.do(woke + 80, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert [refused["limit"] for refused in said["refusals"]] == ["reducing"]
    assert [(hour, late) for hour, late, _ in stamps(scene)] == [(8, True)]
    assert [charge.hours for charge in scene.outcomes(BorrowCharged)] == [1, 9]
    stopped, well = scene.outcomes(RiskChanged)
    assert (stopped.state, stopped.cause) == ("reducing", "clock")
    assert "32,400 s" in stopped.reason or "32400 s" in stopped.reason
    assert (well.state, well.cause) == ("active", "clock")
    assert 30 <= (well.ts_ns - stopped.ts_ns) / 1e9 < 32
    meets_paper("suspend", said, booked)


def liquidated(scene):
    """The only liquidation of a scene: (price that triggers, to 8 places, its fill, its reason)."""
    (event,) = scene.outcomes(Liquidated)
    return f"{event.liq_price:.8f}", str(event.fills[0].price), event.fills[0].grade_reason


def spiked(t_s, scene, spot, perp, mark):
    """Both books and then the mark jump; the books hold for two seconds."""
    scene.quotes([t_s], spot=spot, perp=perp)
    scene.mark(t_s + 0.5, mark)
    scene.quotes([t_s + 1, t_s + 2], spot=spot, perp=perp)


def test_short_is_liquidated_in_a_spike(tmp_path, capsys):
    scene = Scene()
    scene.mark(1, "0.3665")
    scene.quotes([1, 2], **RICH)
    scene.do(2, do="open_pair", leverage="5")
    spiked(10, scene, ("0.4339", "0.4340"), ("0.4369", "0.4370"), "0.4370")
    spiked(20, scene, ("0.4349", "0.4350"), ("0.4378", "0.4379"), "0.4380")
    spiked(30, scene, ("0.4549", "0.4550"), ("0.4580", "0.4581"), "0.4582")
    scene.quotes([39, 40, 41], spot=("0.4199", "0.4200"), perp=("0.4210", "0.4211"))
    scene.do(40, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    price, fill, reason = liquidated(scene)
    assert (price, fill) == ("0.43761194", "0.4398")  # 0.3665 * 1.2 / 1.005
    assert reason.startswith("bankruptcy price")
    assert said["pairs"][0]["close_reason"] == "user"
    meets_paper("spike", said, booked)


def test_short_is_liquidated_in_a_gap(tmp_path, capsys):
    scene = Scene()
    scene.mark(1, "0.3665")
    scene.quotes([1, 2], **RICH)
    scene.do(2, do="open_pair", leverage="5")
    spiked(20, scene, ("0.4549", "0.4550"), ("0.4580", "0.4581"), "0.4582")
    scene.quotes([29, 30, 31], spot=("0.4549", "0.4550"), perp=("0.4580", "0.4581"))
    scene.do(30, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    price, fill, reason = liquidated(scene)
    assert (price, fill) == ("0.43761194", "0.4582")
    assert reason.startswith("mark beyond bankruptcy")
    meets_paper("gap", said, booked)


def test_one_of_two_perpetuals_is_liquidated(tmp_path, capsys):
    scene = OkxScene(LATE)

    def both(seconds, bybit, okx):
        scene.quotes(seconds, spot=("0.3639", "0.3640"), perp=bybit)
        scene.swap(seconds, *okx)

    scene.mark(0.5, "0.3631")
    scene.swap_mark(0.5, "0.3665", "0.0001", next_h=8, after_h=12)
    both([1, 2, 2.5, 3], ("0.3630", "0.3631"), ("0.3665", "0.3666"))
    scene.do(2, do="open_pair", long=ADA_PERP, short=ADA_SWAP, leverage="5")
    high = ("0.4365", "0.4366"), ("0.4378", "0.4379")
    both([20], *high)
    scene.swap_mark(20.5, "0.4380", "0.0001", next_h=8, after_h=12)
    both([21], *high)
    both([21.5, 22, 22.5], ("0.4355", "0.4356"), high[1])
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    price, fill, _ = liquidated(scene)
    assert (price, fill) == ("0.43739433", "0.4396")  # 0.3665 * 1.2 / 1.0055
    assert said["pairs"][0]["close_reason"] == "liquidation"
    meets_paper("perps-spike", said, booked)


def test_winning_short_is_deleveraged(tmp_path, capsys):
    scene = Scene()
    scene.mark(1, "0.3665")
    scene.quotes([1, 2], **RICH)
    scene.do(2, do="open_pair")
    fallen = ("0.3600", "0.3601"), ("0.3602", "0.3603")
    scene.mark(9, "0.3601")
    scene.quotes([9, 10], *fallen)
    scene.do(10, do="drill", kind="adl", pair=1)
    scene.quotes([19, 20, 21], ("0.3590", "0.3591"), ("0.3591", "0.3592"))
    scene.do(20, do="close_pair", pair=1)
    said, booked = scene.replay(tmp_path, capsys)
    assert said["refusals"] == []
    assert said["liquidations"][0]["fills"][0]["grade"] == "D"
    meets_paper("adl", said, booked)


def test_entry_that_travels_into_a_sleep_never_happened(tmp_path, capsys):
    """Nine hours later the perp stands below spot: what was meant at the click is long gone."""
    woke = 32_462
    scene = Scene(LATE, asleep=(62.2, woke))
    scene.mark(1, "0.3665")
    scene.quotes([second / 2 for second in range(2, 125)], **RICH)
    scene.do(61.9, do="open_pair")
    moved = {"spot": RICH["spot"], "perp": ("0.3565", "0.3566")}
    scene.quotes([woke, woke + 0.5, woke + 1, woke + 2], **moved)
    said, booked = scene.replay(tmp_path, capsys)
    assert booked == []
    (refused,) = said["refusals"]
    assert (refused["limit"], refused["allowed"]) == ("late", "10 s")
    assert "stood still for 9.0 h while the order travelled" in refused["text"]
    assert said["risk"][0]["cause"] == "clock"


def test_resting_order_does_not_outlive_its_time_in_a_sleep(tmp_path, capsys):
    """It works for 600 s from 50 s on; nine hours later the ask is below its price."""
    woke = 32_462
    scene = Scene(LATE, asleep=(62.2, woke))
    scene.mark(1, "0.3665")
    scene.quotes([second / 2 for second in range(2, 125)], **RICH)
    scene.do(50, do="open_pair", how={"style": "passive", "good_for_s": "600"})
    moved = {"spot": ("0.3629", "0.3630"), "perp": ("0.3565", "0.3566")}
    scene.quotes([woke, woke + 0.5, woke + 1, woke + 2], **moved)
    _, booked = scene.replay(tmp_path, capsys)
    assert [end.why for end in scene.outcomes(OrderEnded)] == ["expired"]
    assert booked == []
