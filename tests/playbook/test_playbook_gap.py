"""Funding gap (S3) and convergence (S4): their rules, and the script's defects that are mended."""

import pytest

from basisdesk.events import ClosePair, ExitPlan, Result
from basisdesk.playbook.convergence import Convergence
from basisdesk.playbook.funding_gap import FundingGap
from basisdesk.playbook.words import Band, Flow, Funding, Gap, Terms
from tests.playbook.playbook_rig import MS0, T0, Books, D, but, held, view

GAP, CONV = FundingGap(), Convergence()
PERP, SWAP = "bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"
H = 3_600_000
GAP_PLAN = ExitPlan(None, D(60), D(48), D(5), D(1), True)
CONV_PLAN = ExitPlan(D(10), D(90), D(24), D(10))


def gap_view(rate=15.0, settled=None, pace=0.0, next_h=4.0, **given):
    """Two perpetuals whose gap this is; 21 bp of fees, 24 bp a round trip."""
    usual = {
        "first": PERP,
        "second": SWAP,
        "pair": f"{PERP} {SWAP}",
        "two_perps": True,
        "fair_bp": 0.0,
        "terms": Terms(21.0, 24.0, 0.0, D(200), D(1)),
        "funding": Funding(
            rate, rate if settled is None else settled, pace, MS0 + round(next_h * H), 8.0
        ),
        "gap": Gap(PERP, SWAP, 15.0, 4, 1.0),
    }
    return view(5.0, **usual | given)


# --- funding gap ----------------------------------------------------------------------------------


def test_a_lasting_gap_that_pays_the_round_trip_is_entered():
    found = GAP.decide(gap_view(), T0)
    assert (found.kind, found.code, found.direction) == ("enter", "gap", 1)
    plan = found.commands[0].exit
    assert plan.sector
    assert plan.max_hold_h == D(48)
    assert plan.stop_bp == D("46.50")  # leaving now and 40 bp
    assert plan.net_target == D("4.80")  # 12 bp of 4,000: the note's 0.12 % per trade
    assert "the round trip costs 24.0 bp" in found.text


def test_the_other_way_round_the_first_leg_is_sold():
    found = GAP.decide(gap_view(-15.0), T0)
    (order,) = found.commands
    assert (order.long, order.short, found.direction) == (SWAP, PERP, -1)


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"rate": 5.99}, "gap", "6.0 bp are needed"),
        ({"rate": 6.0}, "cost-zone", "does not pay"),
        ({"rate": float("nan")}, "funding", "not known"),
        ({"pace": -3.1}, "narrowing", "narrows by 3.1 bp an hour"),
        ({"pace": 3.1, "settled": 7.0}, "spike", "may be passing"),
        ({"next_h": 0.05}, "window", "3 min away"),
        ({"next_h": 9.0}, "window", "540 min away"),
        ({"gap": Gap(PERP, SWAP, 15.0, 2)}, "venues", "2 venues"),
        ({"coin": "BTC", "gap": Gap(PERP, SWAP, 15.0, 4, -6.0)}, "btc-eth", "stands against"),
    ],
)
def test_a_gap_is_refused_with_a_sentence(given, code, words):
    found = GAP.decide(gap_view(**given), T0)
    assert (found.kind, found.code, found.commands) == ("stand", code, ())
    assert words in found.text


def test_velocity_is_no_fault_where_the_gap_had_settled():
    assert GAP.decide(gap_view(20.0, pace=3.1, settled=14.0), T0).kind == "enter"
    assert GAP.decide(gap_view(rate=30.0, pace=-2.9), T0).kind == "enter"


def test_btc_dearer_than_eth_confirms_a_short_in_btc():
    assert GAP.decide(gap_view(coin="BTC", gap=Gap(PERP, SWAP, 15.0, 4, 6.0)), T0).kind == "enter"
    assert GAP.decide(gap_view(coin="ETH", gap=Gap(PERP, SWAP, 15.0, 4, -6.0)), T0).kind == "enter"
    assert GAP.decide(gap_view(coin="ETH", gap=Gap(PERP, SWAP, 15.0, 4, 6.0)), T0).code == "btc-eth"


def test_without_a_scanner_the_legs_themselves_tell_the_gap():
    assert GAP.decide(gap_view(gap=None), T0).kind == "enter"


def test_a_price_gap_against_it_counts_in_full_and_one_for_it_not():
    against = gap_view(rate=13.0, mid_bp=-20.0, open_bp=-21.5, close_bp=-18.5)
    assert GAP.decide(against, T0).code == "cost-zone"
    assert GAP.decide(gap_view(rate=13.0), T0).kind == "enter"


def test_a_sector_that_contradicts_halves_or_skips():
    (whole,) = GAP.decide(gap_view(), T0).commands
    (half,) = GAP.decide(gap_view(sector="against"), T0).commands
    assert half.qty == whole.qty / 2
    skips = GAP.with_values({"sector_skip": 1})
    assert skips.decide(gap_view(sector="against"), T0).code == "sector"


def test_at_most_two_percent_are_at_risk():
    risky = GAP.with_values({"risk": 0.1, "alloc": 100.0})
    (order,) = risky.decide(gap_view(), T0).commands
    assert order.qty == D(3_333)  # 10 of 10,000 over 0.003 a coin lost at the stop


def test_the_win_rate_is_watched_once_there_are_enough_pairs():
    def results(wins, pairs):
        return tuple(Result(n, T0, D(1 if n < wins else -1)) for n in range(pairs))

    assert GAP.decide(gap_view(ours=results(0, 19)), T0).kind == "enter"
    found = GAP.decide(gap_view(ours=results(10, 20)), T0)
    assert found.code == "win-rate"
    assert "10 of 20 pairs won, 50 % (95 %: 30 to 70)" in found.text
    assert GAP.decide(gap_view(ours=results(11, 20)), T0).kind == "enter"


@pytest.mark.parametrize(
    ("given", "net", "code"),
    [
        ({"rate": 15.0}, "1", "hold"),
        ({"rate": 1.9}, "1", "narrowed"),
        ({"rate": 1.9}, "-1", "hold"),  # it still pays, and leaving costs
        ({"rate": -1.0}, "-1", "narrowed"),
        ({"rate": 15.0, "sector": "against"}, "-1", "sector"),
    ],
)
def test_it_leaves_a_narrowed_gap_and_a_reversed_sector(given, net, code):
    seen = but(gap_view(**given), held=held(GAP_PLAN, net))
    found = GAP.decide(seen, T0)
    assert found.code == code
    assert found.commands == (() if code == "hold" else (ClosePair(1),))


# --- convergence ----------------------------------------------------------------------------------


def armed(mid=60.0, **given):
    return view(mid, **{"flow": Flow(0.5, 0.1)} | given)


def test_an_armed_basis_is_entered_with_money_limits():
    found = CONV.decide(armed(), T0)
    assert (found.kind, found.code) == ("enter", "armed")
    (order,) = found.commands
    assert order.exit.target_bp == D("17.55")  # 30 % of the entry
    assert order.exit.stop_bp == D("101.50")
    assert order.exit.max_hold_h == D(24)  # B3: hours, not 90 seconds
    notional = order.qty / 2
    assert order.exit.net_target == (notional * D("0.0020")).quantize(D("0.01"))
    assert notional * D("0.006") <= 100  # B8: the stop costs 1 % of the account at most


def test_no_exit_lies_within_the_costs():
    found = CONV.decide(armed(45.0), T0)  # entry 43.5: the script's 60 bp exit is above it
    assert found.commands[0].exit.target_bp == D("7.50")  # B1: 43.5 - 31 - 5
    assert CONV.decide(armed(34.0), T0).code == "cost-zone"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"mid_bp": 18.0, "open_bp": 17.9}, "min-basis", "18.0 bp are needed"),
        ({"high_bp": 86.0}, "unarmed", "70 % of the widest"),
        ({"slow": Band(50.0, 12.0, True)}, "sigma", "0.8 sd out"),
        ({"flow": Flow(0.5, 0.51)}, "slope", "0.51 bp a s"),
        ({"flow": Flow(0.5, -0.51)}, "slope", "0.51 bp a s"),
        ({"funding": Funding(0.4, 0.4, 0.0, MS0 + H, 8.0)}, "funding", "0.4 bp per 8 h"),
    ],
)
def test_every_knob_refuses_with_its_sentence(change, code, words):
    found = CONV.decide(but(armed(), **change), T0)
    assert (found.kind, found.code) == ("stand", code)
    assert words in found.text


def test_funding_against_it_is_a_cost_and_no_direction():
    paid = armed(funding=Funding(-4.0, -4.0, 0.0, MS0 + H, 8.0))
    assert CONV.decide(paid, T0).kind == "enter"  # B5


def test_case_two_borrows_and_can_be_switched_off():
    low = armed(-70.0, low_bp=-70.0)
    assert CONV.decide(low, T0).direction == -1
    assert CONV.with_values({"reverse": 0}).decide(low, T0).code == "side"


def test_the_kill_switch_needs_its_number_of_pairs():
    one = (Result(1, T0, D(-9)),)
    assert CONV.decide(armed(ours=one), T0).kind == "enter"  # B9
    five = tuple(Result(n, T0, D(-1) if n else D("3.9")) for n in range(5))
    found = CONV.decide(armed(ours=five), T0)
    assert found.code == "killed"
    assert "−0.10 USDT" in found.text
    even = tuple(Result(n, T0, D(-1) if n else D(4)) for n in range(5))
    assert CONV.decide(armed(ours=even), T0).kind == "enter"


@pytest.mark.parametrize(
    ("net", "code"),
    [("-100", "stop-loss"), ("-99.99", "hold"), ("10", "take-profit"), ("9.9", "hold")],
)
def test_it_leaves_by_money(net, code):
    seen = but(armed(40.0), held=held(CONV_PLAN, net))
    found = CONV.decide(seen, T0)
    assert found.code == code
    assert found.text  # B11: never an empty reason


def test_the_books_of_the_desk_decide_the_size():
    (small,) = CONV.decide(armed(books=Books(depth="100")), T0).commands
    assert small.qty == D(100)
