"""A person's word in the forecast panel: on which candidate, asked how, and what is shown of it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from forecast_made import NOW_NS, PAIR, make_view
from PySide6.QtCore import Qt
from ui_rig import Rig

from basisdesk.forecast.signals import LATE_S
from basisdesk.forecast.view import Overrides, RegimeSkill, Signal, Skill
from basisdesk.forecast.words import Candidate
from basisdesk.ui.forecast_panel import ForecastPanel
from basisdesk.ui.forecast_person import NOBODY, NONE_YET, spoken_of
from basisdesk.ui.forecast_proof_rows import facts_of, regime_rows
from basisdesk.ui.forecast_rows import NO_FORECAST
from basisdesk.ui.forecast_table_rows import signal_rows, signal_tip
from basisdesk.ui.theme import DARK

S = 1_000_000_000
NAN = float("nan")


def signal(number=9, age_s=60.0, pair=PAIR, **given):
    made = Candidate(
        id=number, t_ns=NOW_NS - round(age_s * S), pair=" ".join(pair), direction=1, features=(),
        features_hash="ff", raw=0.6, p=0.6, version="v", decision="no trade: p 60.0 %",
        cost_bp=31.0,
    )  # fmt: skip
    return Signal(made, **given)


def view_of(*signals, **given):
    return replace(make_view(), signals=signals, **given)


class Acts:
    """Notes what a person said, and answers."""

    def __init__(self, answer=""):
        self.speed, self.answer, self.heard = 1.0, answer, []

    def override(self, *said):
        self.heard.append(said)
        return self.answer

    def end_review(self, reason):
        self.heard.append(reason)
        return self.answer


@pytest.fixture
def desk(qtbot):
    kept = []  # a panel outlives its dialogs

    def make(view, answer="", size=(1280, 700)):
        rig, acts = Rig(), Acts(answer)
        rig.context.forecast, rig.context.forecast_actions = view, acts
        panel = ForecastPanel(rig.context, DARK)
        qtbot.addWidget(panel)
        panel.resize(*size)
        panel.show()
        panel.refresh()
        kept.append(panel)
        return SimpleNamespace(panel=panel, acts=acts, context=rig.context)

    return make


def test_the_newest_candidate_of_the_shown_pair_is_the_one():
    elsewhere = signal(11, pair=("okx:spot:X-USDT", "okx:perp:X-USDT-SWAP"))
    found = spoken_of(view_of(elsewhere, signal(9), signal(8)), NOW_NS, 1.0, True)
    assert (found.id, found.why) == (9, "")
    assert found.name.startswith("ADA of ")
    assert found.name.endswith("long spot, short perp, p 60.0 %")
    assert "would not trade ADA" in found.tip_of(False)


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (None, NO_FORECAST),
        (view_of(), NONE_YET),
        (view_of(signal(age_s=LATE_S + 1)), "is 15 min old. You can speak of one for 15 min"),
    ],
)
def test_why_of_none(view, why):
    found = spoken_of(view, NOW_NS, 1.0, True)
    assert found.id == 0
    assert why in found.tip_of(True)


def test_a_faster_market_leaves_the_person_time_to_type():
    old = view_of(signal(age_s=LATE_S + 1))
    assert spoken_of(old, NOW_NS, 60.0, True).id == 9


@pytest.mark.parametrize("would", [True, False])
def test_it_is_asked_with_a_reason_and_sent(qtbot, desk, would):
    here = desk(view_of(signal()))
    button = here.panel.signals.words[would]
    assert button.isEnabled()
    dialog = here.panel.ask_word(would)
    assert not dialog.act.isEnabled()
    qtbot.keyClicks(dialog.reason, "books are  deep")
    assert dialog.act.text() == f"Note: I would {'trade' if would else 'not trade'}"
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert here.acts.heard == [(9, would, "books are deep")]


def test_a_word_that_is_not_taken_says_why(qtbot, desk):
    here = desk(view_of(signal()), "Its outcome is told already.")
    dialog = here.panel.ask_word(True)
    qtbot.keyClicks(dialog.reason, "x")
    dialog.accept()
    assert here.panel.signals.count.text() == "Its outcome is told already."


def test_without_a_desk_nobody_listens(desk):
    here = desk(view_of(signal()))
    here.context.forecast_actions = None
    here.panel.refresh()
    assert not here.panel.signals.words[True].isEnabled()
    assert NOBODY in here.panel.signals.words[True].toolTip()
    assert here.panel.ask_word(True) is None
    assert here.panel.ask_end_review() is None


def test_a_review_is_ended_with_a_confirmation_and_a_reason(qtbot, desk):
    here = desk(view_of(review="log-loss rose from 0.40 to 0.70"))
    button = here.panel.proof.review
    assert button.isVisible()
    dialog = here.panel.ask_end_review()
    assert not dialog.act.isEnabled()
    qtbot.keyClicks(dialog.reason, "venue was down")
    dialog.accept()
    assert here.acts.heard == ["venue was down"]
    here.context.forecast = view_of()
    here.panel.refresh()
    assert not button.isVisible()
    assert here.panel.ask_end_review() is None


def test_a_word_stands_in_its_row_and_tip():
    said = signal(override="would trade: deep", would=True, regime="rich")
    (row,) = signal_rows(view_of(said), True)
    assert row.yours == "trade"
    tip = signal_tip(row, True)
    assert "You would trade: deep." in tip
    assert "Regime then: rich." in tip


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (Overrides(), "\u2013"),
        (Overrides(3), "3, none told yet"),
        (Overrides(3, 2, 4.0, -6.0), "not enough (2 of 30), 3 said"),
        (Overrides(40, 30, 4.0, -6.0), "you +4.0, it \u22126.0 bp"),
    ],
)
def test_what_came_of_it_stands_beside_the_forecast(said, text):
    facts = {fact.name: fact for fact in facts_of(view_of(overrides=said), True)}
    assert facts["Your word"].text == text


REGIMES = (
    RegimeSkill("rich", 412, 0.31, 0.082, 0.012, 0.153),
    RegimeSkill("cheap", 64, 0.5, -0.03, NAN, NAN),
    RegimeSkill("stress", 29, 0.2),
    RegimeSkill("pinned", 40, 1.0),
)


def test_regimes_have_a_skill_with_an_interval_or_say_why_not():
    rows = {row.name: row for row in regime_rows(view_of(skill=Skill(regimes=REGIMES)))}
    rich = rows["rich"]
    told = rich.count, rich.base, rich.skill, rich.interval, rich.tone
    assert told == ("412", "31.0", "+8.2", "+1.2 to +15.3", "gain")
    assert (rows["cheap"].skill, rows["cheap"].interval) == ("\u22123.0", "none yet")
    few = rows["stress"]
    told = few.count, few.base, few.skill, few.tone
    assert told == ("29", "\u2013", "not enough (29 of 30)", "muted")
    assert "30 are needed" in few.tip
    assert rows["pinned"].skill == "all alike"
    assert regime_rows(None) == []


@pytest.mark.parametrize("size", [(1280, 206), (1920, 240), (1280, 700), (420, 800), (320, 160)])
def test_the_regimes_have_the_room_of_the_curve(desk, size):
    view = view_of(signal(), skill=Skill(regimes=REGIMES))
    panel = desk(view, size=size).panel
    panel.bring("Evidence")
    panel.proof.choices["By regime"].click()
    assert panel.proof.views.currentWidget() is panel.proof.regimes
    assert not panel.proof.curve.isVisible()
    assert len(panel.proof.regimes.rows_model.rows) == 4
    panel.grab()
