"""Of which candidate a person speaks: the chosen row's, where it is open and nobody saw its end."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from forecast_made import NOW_NS, PAIR, make_view
from ui_rig import Rig

from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.view import PairForecast, Signal
from basisdesk.forecast.words import Candidate, Label
from basisdesk.ui.forecast_panel import ForecastPanel
from basisdesk.ui.forecast_person import GONE, spoken_of
from basisdesk.ui.forecast_rows import lines_of
from basisdesk.ui.forecast_rule_rows import NAME, rule_text
from basisdesk.ui.theme import DARK

S = 1_000_000_000
ELSEWHERE = ("okx:spot:XRP-USDT", "okx:perp:XRP-USDT-SWAP")


def signal(number, age_s=60.0, pair=PAIR, label=None):
    made = Candidate(
        id=number, t_ns=NOW_NS - round(age_s * S), pair=" ".join(pair), direction=-1, features=(),
        features_hash="ff", raw=0.6, p=0.6, version="v", decision="no trade: p 60.0 %",
    )  # fmt: skip
    return Signal(made, label)


TOLD = Label(
    candidate=7, y=0, net_bp=-31.0, t_first_ns=1, mae_bp=-31.0, mfe_bp=1.0, how="stop",
    released_ns=2,
)  # fmt: skip
VIEW = replace(
    make_view(),
    signals=(
        signal(9), signal(8, 90.0, ELSEWHERE), signal(7, 120.0, label=TOLD), signal(6, 1_000.0),
        signal(5, 100.0),
    ),
    decided=frozenset({5}),
)  # fmt: skip


def test_the_chosen_row_is_spoken_of_and_not_the_newest():
    assert spoken_of(VIEW, NOW_NS, 1.0, True).id == 9
    found = spoken_of(VIEW, NOW_NS, 1.0, True, 8)
    assert found.id == 8
    assert found.name.startswith("XRP of ")
    assert "taken for 15 min from the candidate on" in found.tip_of(True)
    fast = spoken_of(VIEW, NOW_NS, 20.0, True, 6)
    assert fast.id == 6
    assert "60 min of the market, 3 min of yours at 20x" in fast.tip_of(False)


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (7, "is told already: no success by stop, net -31.0 bp"),
        (6, "You can speak of one for 15 min"),
        (5, "so a chart shows how it went"),
        (4, GONE),
    ],
)
def test_a_chosen_row_that_is_over_says_why(chosen, why):
    found = spoken_of(VIEW, NOW_NS, 1.0, True, chosen)
    assert found.id == 0
    assert why in found.why


def test_the_buttons_follow_the_row(qtbot):
    rig = Rig()
    rig.context.forecast = VIEW
    heard = []
    rig.context.forecast_actions = SimpleNamespace(
        speed=1.0, override=lambda *said: heard.append(said) or "", end_review=lambda _: ""
    )
    panel = ForecastPanel(rig.context, DARK)
    qtbot.addWidget(panel)
    panel.resize(1280, 700)
    panel.show()
    panel.bring("Signals")
    rows = [row.id for row in panel.signals.table.rows_model.rows]
    panel.signals.table.choose(rows.index(8))
    dialog = panel.ask_word(True)
    dialog.reason.setText("deep")
    dialog.accept()
    assert heard == [(8, True, "deep")]
    panel.signals.table.choose(rows.index(7))
    assert not panel.signals.words[True].isEnabled()
    assert "is told already" in panel.signals.words[True].toolTip()
    assert panel.ask_word(True) is None


def test_p_star_says_whose_plan_it_is_of():
    """Entry +68.4, costs 31: net +10 is left at +27.4; an entry of the reverse is mirrored."""
    rule = LabelRules()
    here = PairForecast(PAIR, direction=1, edge_bp=34.4, target_bp=3.0, cost_bp=31.0)
    said = "+10 bp net, left at +27.4; stop 20 bp wider; 8 h; not your ticket's plan"
    assert rule_text(rule, here) == said
    other = PairForecast(PAIR, direction=-1, edge_bp=34.4, target_bp=-3.0, cost_bp=31.0)
    assert "left at \u221227.4" in rule_text(rule, other)
    assert "left at" not in rule_text(rule, PairForecast(PAIR))
    lines = {line.name: line for line in lines_of(replace(VIEW, rule=rule), True, NOW_NS)}
    assert "not your ticket's plan" in lines[NAME].text
    assert "another break-even" in lines[NAME].tip
