"""What is said of the pair: what is unknown stays unknown, and nothing is claimed too early."""

import math

import pytest
from forecast_made import (
    ETH,
    H_NS,
    NAN,
    NOW_NS,
    PAIR,
    make_pair,
    make_score,
    make_view,
    young_view,
)

from basisdesk.forecast.abstain import N_EFF_MIN
from basisdesk.forecast.analogues import Analogues
from basisdesk.forecast.indicators import Indicator
from basisdesk.forecast.leadlag import LeadLag
from basisdesk.forecast.view import Bands, Due, ForecastView, Funding, Hold
from basisdesk.ui.figures import MINUS, NOTHING
from basisdesk.ui.forecast_rows import (
    NO_EVIDENCE,
    NO_FORECAST,
    Gauge,
    bands_line,
    cases_line,
    dues_line,
    edge_line,
    funding_line,
    gauge_of,
    half_life_text,
    head_of,
    hold_line,
    indicators_line,
    lead_line,
    lines_of,
    reason_text,
    regime_line,
    verdict_of,
)
from basisdesk.ui.forecast_texts import hours_text, pct_text, unbroken


def view_of(**changes):
    """A view whose pair on the screen has been changed."""
    return make_view(pairs={PAIR: make_pair(**changes)})


# --- probability and decision ---------------------------------------------------------------------


def test_a_probability_stands_beside_its_interval_and_p_star():
    gauge = gauge_of(make_view())
    assert gauge.figure == "72.4 %"
    assert gauge.interval == "61.4 to 81.4 %"
    assert gauge.star == "p* 83.6 % + 2 %"
    assert gauge.line == pytest.approx(0.856)
    assert gauge.known
    assert gauge.tone == "text"
    assert gauge.caption == (
        "chance that long spot, short perp reaches its profit first, within 8 h"
    )
    assert "short spot, long perp" in gauge_of(view_of(direction=-1)).caption


def test_without_enough_outcomes_the_figure_is_no_number_and_calm():
    gauge = gauge_of(young_view())
    assert gauge.figure == NO_EVIDENCE
    assert gauge.wordy
    assert gauge.tone == gauge.band == "muted"
    assert gauge.interval == "not enough (0 of 30)"
    assert not gauge.known
    assert gauge_of(view_of(score=make_score(n_eff=N_EFF_MIN))).figure == "72.4 %"


def test_what_has_no_weight_is_not_called_the_models():
    """logit -> 69.5 %, told 54.8 %: the base rate, and the model weighs nothing in it."""
    told = {"p": 0.548, "low": 0.481, "high": 0.612, "own": 0.66, "base": 0.548, "n_eff": 41.0}
    gauge = gauge_of(view_of(score=make_score(**told, weight=0.0)))
    assert gauge.figure == NO_EVIDENCE
    assert gauge.interval == "base rate 54.8 % (48.1 to 61.2 %), model weighs 0 %"
    some = gauge_of(view_of(score=make_score(**told, weight=0.4)))
    assert some.interval == "54.8 % (48.1 to 61.2 %), model weighs 40 %"
    sure = gauge_of(view_of(score=make_score(**(told | {"n_eff": 231.0}), weight=0.4)))
    assert (sure.figure, sure.interval) == ("54.8 %", "48.1 to 61.2 %, model weighs 40 %")
    none = gauge_of(view_of(score=make_score(**(told | {"n_eff": 231.0}), weight=0.0)))
    assert none.interval == "base rate (48.1 to 61.2 %), model weighs 0 %"


def test_the_side_and_its_time_stand_over_all_of_it_even_while_it_abstains():
    head = head_of(young_view(), True)
    assert (head.text, head.tone) == ("Long spot, short perp \u00b7 as of 09:14:22 UTC", "muted")
    assert head_of(young_view(), True, 1) == head
    other = head_of(view_of(direction=-1, held=True), True, 1)
    assert other.tone == "warn"
    assert other.text == (
        "Short spot, long perp, held \u00b7 as of 09:14:22 UTC\nThe ticket has the other side."
    )
    assert head_of(None, True).text == head_of(ForecastView(), True, 1).text == ""


def test_a_score_that_abstains_is_shown_and_dimmed():
    gauge = gauge_of(view_of(score=make_score(abstain=("stale: perp quote is 4.2 s old",))))
    assert gauge.figure == "72.4 %"
    assert gauge.tone == "muted"


def test_nothing_known_is_a_dash():
    for view in (None, ForecastView(), make_view(shown=ETH), view_of(score=None)):
        gauge = gauge_of(view)
        assert gauge.figure == NOTHING
        assert not gauge.known


def test_gauges_are_alike_when_they_look_alike():
    assert Gauge() == Gauge()
    assert hash(Gauge()) == hash(Gauge())
    assert Gauge(p=0.72401) == Gauge(p=0.72404)
    assert Gauge(p=0.724) != Gauge(p=0.734)
    assert Gauge() != "a gauge"


@pytest.mark.parametrize(
    ("p", "text", "tone"),
    [
        (0.724, "Below p* 83.6 %: no trade", "text"),
        (0.84, "Above p* 83.6 %, but not by 2 %: no trade", "text"),
        (0.861, "Above p* 83.6 % + 2 %: trade", "gain"),
    ],
)
def test_the_decision_in_one_sentence(p, text, tone):
    verdict = verdict_of(view_of(score=make_score(p)))
    assert (verdict.text, verdict.tone) == (text, tone)


def test_reasons_to_abstain_are_said_and_a_warm_up_says_how_long():
    verdict = verdict_of(young_view())
    assert verdict.text == (
        "Abstains: warm-up, 360 min of quotes are needed; too few effective outcomes, 0 of 200"
    )
    assert verdict.tone == "text"
    here = make_pair(warming=("z_2h", "sd_2h"))
    assert reason_text("missing features: x_fair, edge", here) == "missing features x_fair, edge"
    assert reason_text("warm-up: x_fair", make_pair(warming=())) == "warm-up of x_fair"
    assert reason_text("stale: spot silent", here) == "stale, spot silent"


def test_a_warm_up_counts_minutes_where_they_are_known():
    class Heard:
        warming = ("z_2h",)
        heard_s = 41.9 * 60

    assert reason_text("warm-up: z_2h", Heard()) == "warm-up, 41 of 360 min"


def test_more_than_two_reasons_are_in_the_tip():
    reasons = "stale: spot silent", "warm-up: z_2h", "drift under review: log-loss rose"
    verdict = verdict_of(view_of(score=make_score(abstain=reasons)))
    assert verdict.text.endswith("; and 1 more")
    assert "Drift under review, log-loss rose." in verdict.tip


def test_why_there_is_no_decision():
    assert verdict_of(None).text == NO_FORECAST
    assert verdict_of(ForecastView()).text == "Waiting for the first beat."
    assert verdict_of(ForecastView(why_empty="")).text.startswith("No pair is on the screen")
    young = view_of(score=None, why_empty="No quote of the perpetual yet.")
    assert verdict_of(young).text == "No quote of the perpetual yet."
    assert verdict_of(make_view(problem="The disk is full.")).tone == "warn"


# --- the lines ------------------------------------------------------------------------------------


def test_every_line_of_a_pair_is_there_in_both_states():
    names = [line.name for line in lines_of(make_view(), True, NOW_NS)]
    assert names == [line.name for line in lines_of(young_view(), True, NOW_NS)]
    assert names == [
        "Expected hold", "Funding in it", "Settlements", "Edge", "p* is for", "Regime", "Lead",
        "Similar cases", "Means, band", "Outside numbers",
    ]  # fmt: skip
    assert lines_of(None, True, NOW_NS) == ()
    assert [line.name for line in lines_of(ForecastView(), True, NOW_NS)] == ["Outside numbers"]
    assert all(line.tip for line in lines_of(make_view(), True, NOW_NS))


def test_unknown_lines_are_grey_dashes_with_a_reason_and_never_zero():
    for line in lines_of(young_view(), True, NOW_NS):
        if line.name not in ("Settlements", "Edge"):
            assert line.tone == "muted", line
    here = make_pair(hold=Hold(), funding=Funding(), edge_bp=NAN, regime=None, lead=None,
                     analogues=None, bands=Bands())  # fmt: skip
    for line in lines_of(make_view(pairs={PAIR: here}), True, NOW_NS)[:-1]:
        assert line.text.startswith(NOTHING), line
        assert line.tone == "muted"


def test_the_expected_hold():
    assert hold_line(make_pair()).text == "3.3 h, 9 of 10 within 7.1 h"
    assert hold_line(make_pair(hold=Hold(2.0))).text == "2.0 h, 9 of 10 unknown"
    why = "the target lies 7.5 bp beyond the mean of the basis"
    never = hold_line(make_pair(hold=Hold(math.inf, math.inf, may_never=True, why=why)))
    assert (never.text, never.tone) == (f"may never: {why}", "warn")
    bare = hold_line(make_pair(hold=Hold(may_never=True)))
    assert bare.text == "may never: the target may never be reached"
    young = Hold(why="not known yet: 180 of 240 min of basis")
    assert hold_line(make_pair(hold=young)).text == f"{NOTHING} {young.why}"
    assert hold_line(make_pair(hold=Hold(0.0, 0.0))).text == "none, the target is reached"
    assert hours_text(0.0) == "under 1 min"
    assert [hours_text(h) for h in (0.2, 0.99, 3.34, 31.0)] == ["12 min", "59 min", "3.3 h", "31 h"]


def test_the_hold_says_what_it_stands_on():
    half = {"half_h": 0.12, "half_low_h": 0.1, "half_high_h": 0.151, "hours": 23.98}
    line = hold_line(make_pair(hold=Hold(0.6, 2.2, came=22, gaps=23, **half)))
    assert line.text == "36 min, 9 of 10 within 2.2 h; 22 of 23 like gaps closed in 24 h"
    assert "Now: half-life 7 min (6 min to 9 min) in 24 h of basis." in line.tip
    law = hold_line(make_pair(hold=Hold(1.6, 5.8, **half)))
    assert law.text.endswith("5.8 h; half-life 7 min (6 min to 9 min) in 24 h of basis")
    assert half_life_text(Hold(half_h=2.0, half_low_h=1.0, half_high_h=math.inf)) == (
        "half-life 2.0 h (1.0 h or more)"
    )


def test_funding_over_the_hold_and_the_settlements():
    assert funding_line(make_pair()).text == "+0.92 bp, +1.72 in the long one"
    against = make_pair(funding=Funding((), -0.4, NAN))
    assert funding_line(against).text == f"{MINUS}0.40 bp"
    dues = make_pair().funding.dues
    before = make_pair(hold=Hold(0.5, 1.0), funding=Funding(dues, 0.0, 0.0))
    assert funding_line(before).text == "0.00 bp, no settlement in it"
    line = dues_line(make_pair(), True, NOW_NS)
    assert line.text == "16:00 +0.92 \u00b7 00:00 (+0.80) \u00b7 08:00 (+0.80) bp, UTC"
    assert "in brackets" in line.tip
    one = make_pair(funding=Funding((Due(NOW_NS // 1_000_000, 0.0, True),)))
    assert dues_line(one, True, NOW_NS).text == "09:14 0.00 bp, UTC"


def test_edge_and_regime():
    assert edge_line(make_pair()).text == (
        "+34.4 bp long spot to fair, left at +3.0, after 31.0 costs"
    )
    held = edge_line(make_pair(held=True, direction=-1)).text
    assert held == "+34.4 bp short spot to its target +3.0, after 31.0 costs"
    pinned = make_pair(regime="pinned", regime_why="basis -3.2 bp from fair, inside +-6.0")
    assert regime_line(pinned).text == f"pinned: basis {MINUS}3.2 bp from fair, inside \u00b16.0"
    assert regime_line(make_pair()).text == "rich: basis above fair"
    stress = make_pair(regime="stress", regime_why="the spread of spot is 6.1 times its median")
    assert regime_line(stress).tone == "warn"


def test_a_leader_has_its_interval_and_no_leader_is_an_answer():
    line = lead_line(make_pair(), NOW_NS)
    assert line.text == "the perpetual leads by 300 ms (200 to 400)"
    assert line.tone == "text"
    assert "Measured 2 min ago." in line.tip
    none = LeadLag(100.0, -300.0, 400.0, 0.2, 1.1, "",
                   "no stable leader: the lead may be -300 to 400 ms", 900, 800)  # fmt: skip
    line = lead_line(make_pair(lead=none), NOW_NS)
    assert line.text == f"no stable leader: the lead may be {MINUS}300 to 400 ms"
    assert line.tone == "muted"


def test_similar_cases_have_count_and_interval():
    assert cases_line(make_pair()).text == (
        "In 84 similar cases (12 independent) 62 % came out (34 to 84 %), 50 % within 3.2 h"
    )
    few = Analogues(4, 1.2, 0.5, 0.1, 0.9, 2.0, 4.0, 3.0, 8.0)
    line = cases_line(make_pair(analogues=few))
    assert (line.text, line.tone) == ("4, too few to tell (10 are needed)", "muted")


def test_means_and_band_of_the_basis():
    line = bands_line(make_pair())
    assert line.text == (
        "5 min +68.4 over 2 h +61.0 bp (+1.7 sd); +69.5 is in the \u00b12 sd band, +52.1 to +69.9"
    )
    assert line.tone == "muted"  # the whole band is within the costs
    assert "does not pay" in line.tip
    wide = Bands(-80.0, -50.0, -40.0, 17.0, -4.5, -0.6)
    line = bands_line(make_pair(bands=wide))
    assert line.tone == "text"
    assert "under 2 h" in line.text
    assert f"{MINUS}80.0 is below the" in line.text


def test_indicators_from_outside():
    assert indicators_line(make_view(), NOW_NS).text == "no source"
    known = Indicator("net flow", "BTC", -1250.5, NOW_NS - 3 * H_NS, 3_600.0, "flow.csv", "")
    gone = Indicator("unlocks", why="the file is not there")
    line = indicators_line(make_view(indicators=(known, gone)), NOW_NS)
    assert line.text == (
        f"net flow {MINUS}1,250.5 BTC (3 h old, late); unlocks: the file is not there"
    )
    assert line.tone == "text"
    assert indicators_line(make_view(indicators=(gone,)), NOW_NS).tone == "muted"


def test_a_line_never_ends_between_a_figure_and_its_unit():
    assert unbroken("62 % came out, 3.2 h") == "62\u00a0% came out, 3.2\u00a0h"
    assert unbroken("16:00 +0.92 \u00b7 00:00 (+0.80) bp") == (
        "16:00\u00a0+0.92 \u00b7 00:00\u00a0(+0.80) bp"
    )
    assert unbroken("41 of 360 min") == "41 of 360\u00a0min"
    assert unbroken("5 hours") == "5 hours"


def test_shares_are_percent():
    assert pct_text(0.836) == "83.6 %"
    assert pct_text(NAN) == NOTHING
