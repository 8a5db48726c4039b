"""The challengers on the screen: off and absent are calm, no skill stands without its interval."""

import numpy as np
import pytest
from forecast_made import make_pair, make_score, make_view, young_view
from msgspec.structs import replace

from basisdesk.forecast.challenge import NO_RIVER, Challenge, Rival
from basisdesk.forecast.outside import extra
from basisdesk.ui.figures import NOTHING
from basisdesk.ui.forecast_challenger_rows import challenge_said, empty_text, rival_rows
from basisdesk.ui.forecast_challengers import ChallengersBlock
from basisdesk.ui.forecast_rows import NO_FORECAST
from basisdesk.ui.forecast_table_rows import feature_lines, feature_tip
from basisdesk.ui.theme import DARK

MINUS = "\u2212"
RIVALS = (
    Rival("basisdesk", 2_600, 0.1331, 0.42, 0.124, 0.02, 0.203, 0.749),
    Rival("river logistic", 2_600, 0.1333, 0.43, 0.12, -0.01, 0.2, 0.748),
    Rival("river adaptive tree", 2_600, 0.1438, 0.55, -0.06, None, None, 0.686),
    Rival("base rate", 2_600, 0.154, 0.48, None, None, None, 0.5),
)


def view_of(**changes):
    view = make_view()
    view.challenge = Challenge(**changes)
    return view


@pytest.mark.parametrize(
    ("changes", "text", "tone"),
    [
        ({}, "Challengers: off.", "muted"),
        ({"state": NO_RIVER}, "Challengers: no source: pip install basisdesk[ai].", "muted"),
        ({"state": "stopped: twice"}, "Challengers: stopped: twice.", "warn"),
        (
            {"state": "river 0.26.1", "running": True, "waiting": 12},
            "Challengers: 12 candidates wait for their end.",
            "muted",
        ),
        (
            {"state": "river 0.26.1", "running": True, "n": 40, "n_eff": 12.4, "lost": 3},
            "40 common outcomes, 12 effective, too few to tell: 200 are asked for, 3 rows lost.",
            "muted",
        ),
        (
            {"state": "river 0.26.1", "running": True, "n": 2_600, "n_eff": 231.0},
            "2,600 common outcomes, 231 effective.",
            "muted",
        ),
    ],
)
def test_what_they_are_doing_is_one_line(changes, text, tone):
    said = challenge_said(view_of(**changes))
    assert (said.text, said.tone) == (text, tone)
    assert said.tip


def test_how_to_switch_them_on_is_told():
    assert "challengers = true" in challenge_said(view_of()).tip
    assert challenge_said(None).text == empty_text(None) == NO_FORECAST
    assert rival_rows(None) == rival_rows(young_view()) == []


def test_a_skill_stands_with_its_interval_and_is_coloured_where_it_is_sure():
    ours, river, tree, base = rival_rows(view_of(rivals=RIVALS))
    assert ours.name == "basisdesk, ours"
    assert (ours.brier_shown, ours.auc_shown, ours.count) == ("0.1331", "0.749", "2,600")
    assert (ours.skill_shown, ours.tone) == ("+12.4 (+2.0 to +20.3)", "gain")
    assert (river.skill_shown, river.tone) == (f"+12.0 ({MINUS}1.0 to +20.0)", "")
    assert (tree.skill_shown, tree.tone) == (f"{MINUS}6.0 (no interval)", "")
    assert base.skill_shown == NOTHING


def test_names_stand_before_the_first_outcome():
    (row,) = rival_rows(view_of(rivals=(Rival("river logistic"),)))
    figures = (row.count, row.brier_shown, row.skill_shown, row.auc_shown)
    assert figures == (NOTHING,) * 4


def test_the_block_shows_line_and_rows(qtbot):
    block = ChallengersBlock(DARK)
    qtbot.addWidget(block)
    block.show_view(view_of())
    assert block.said.text() == "Challengers: off."
    assert block.table.rows_model.rowCount() == 0
    block.show_view(view_of(state="river 0.26.1", running=True, n=2_600, rivals=RIVALS))
    assert block.table.rows_model.rowCount() == 4


def test_features_from_outside_stand_behind_the_44():
    plain = make_pair()
    more = {"vector": np.append(plain.vector, 1.25), "scaled": np.append(plain.scaled, 1.3)}
    score = replace(make_score(), contributions=np.append(make_score().contributions, 0.0))
    *rest, mood = feature_lines(make_pair(extras=(extra("mood"),), score=score, **more))
    assert len(rest) == 44
    assert (mood.name, mood.group, mood.shown) == ("ext_mood", "G", "+1.25 sd")
    assert "Group G, from outside." in feature_tip(mood.row)
    gone = {**more, "vector": np.append(plain.vector, np.nan)}
    pair = make_pair(extras=(extra("mood"),), score=score, **gone)
    assert pair.rows[-1].missing == "missing: not heard"
