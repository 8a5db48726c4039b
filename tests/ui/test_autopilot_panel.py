"""The autopilot on the screen: what it says, what can be asked of it, and what a dialog refuses."""

import pytest
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, START_NS, THEME, Rig

from basisdesk.playbook.journal import Note
from basisdesk.playbook.shelf import USUAL
from basisdesk.playbook.words import SOURCES
from basisdesk.ui.autopilot_dialog import AutopilotDialog
from basisdesk.ui.autopilot_panel import AutopilotPanel
from basisdesk.ui.autopilot_rows import (
    EMPTY,
    NO_DESK,
    AutopilotView,
    Watch,
    foot_text,
    note_rows,
    pair_name,
    watch_rows,
)

PAIR = f"{SPOT} {PERP}"
OTHER = "bybit:spot:BTCUSDT bybit:perp:BTCUSDT"
S = 1_000_000_000
ENTER = Watch(PAIR, "suggest", "decoupling", "enter", "turned", "z is 1.8 of 1.5.",
              START_NS - 65 * S, suggested=True)  # fmt: skip
STAND = Watch(OTHER, "auto", "carry", "stand", "cost-zone", "No carry: 0.3 bp against 31.0 bp.",
              START_NS, position=7)  # fmt: skip


class Acts:
    """Notes what was asked for; `says` is what it answers."""

    def __init__(self):
        self.asked, self.says = [], ""

    def _take(self, *what):
        self.asked.append(what)
        return self.says

    def set_pair(self, pair, mode, playbook, values, reason=""):
        return self._take("set", pair, mode, playbook, dict(values))

    def accept(self, pair):
        return self._take("accept", pair)

    def override(self, pair, what, reason):
        return self._take("override", pair, what, reason)

    def reset(self, playbook):
        return self._take("reset", playbook)


@pytest.fixture
def rig():
    rig = Rig().begin()
    usual = {book.name: {p.name: p.value for p in book.params} for book in USUAL}
    rig.context.autopilot = AutopilotView(playbooks=USUAL, usual=usual, ready=True)
    rig.context.autopilot_actions = Acts()
    return rig


@pytest.fixture
def view(rig):
    return rig.context.autopilot


@pytest.fixture
def acts(rig):
    return rig.context.autopilot_actions


@pytest.fixture
def panel(qtbot, rig):
    panel = AutopilotPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    panel.resize(1_280, 230)
    panel.show()
    return panel


def put(panel, view, *watches):
    view.watches = watches
    panel.refresh()


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def type_in(row, text):
    row.field.edit.setText(text)
    row.field.edit.textEdited.emit(text)


# --- rows -----------------------------------------------------------------------------------------


def test_a_pair_is_shown_with_its_decision_and_since_when(view):
    view.watches = (ENTER, STAND)
    first, second = watch_rows(view, START_NS)
    assert (first.name, first.mode_text, first.playbook) == (
        "ADA Bybit spot / perp", "Suggest", "Decoupling",
    )  # fmt: skip
    assert (first.does, first.said, first.since) == ("would enter", "z is 1.8 of 1.5.", "1m 05s")
    assert (second.does, second.position, second.mode_text) == ("stands: cost-zone", "7", "Auto")
    assert foot_text(view).startswith("Paper only. 1 on auto, 1 on suggest.")


def test_notes_say_who_and_why():
    notes = (
        Note(3, START_NS, PAIR, "decoupling", "suggest", "enter", "turned", "z is 1.8."),
        Note(2, START_NS, PAIR, "decoupling", "auto", "exit", "target", "Back.", done=True),
        Note(1, START_NS, PAIR, "decoupling", "auto", "set", "mode", f"{PAIR} is auto.",
             reason="to try it"),
        Note(0, START_NS, "", "carry", "off", "set", "values", "hold_h 48."),
    )  # fmt: skip
    rows = note_rows(notes, utc=True)
    assert [row.kind for row in rows] == ["would enter", "leaves", "set", "set"]
    assert [row.coin for row in rows] == ["ADA", "ADA", "ADA", "carry"]
    assert rows[2].said == "ADA Bybit spot / perp is auto. Reason: to try it."
    assert rows[0].time == "09:14:22"


# --- the panel ------------------------------------------------------------------------------------


def test_off_it_teaches(panel):
    assert panel.pairs.empty_text == EMPTY
    assert "paper" in EMPTY
    assert panel.paper.text() == "PAPER"
    assert panel.set_shown.isEnabled()
    assert not panel.take.isEnabled()
    assert not panel.otherwise.isEnabled()
    assert panel.mode.isHidden()


def test_without_an_autopilot_nothing_can_be_asked(qtbot, rig):
    rig.context.autopilot = rig.context.autopilot_actions = None
    panel = AutopilotPanel(rig.context, THEME)
    qtbot.addWidget(panel)
    assert panel.pairs.empty_text == NO_DESK
    assert not panel.set_shown.isEnabled()
    assert panel.edit(PAIR) is None
    assert panel.ask_override() is None


def test_the_mode_of_the_chosen_pair_is_switched(qtbot, panel, view, acts):
    put(panel, view, ENTER, STAND)
    panel.pairs.choose(1)
    assert panel.mode.code == "auto"
    press(qtbot, panel.mode.buttons["off"])
    assert acts.asked == [("set", OTHER, "off", "carry", {})]
    assert panel.mode.code == "auto"  # until the autopilot says otherwise
    assert panel.why.text().startswith("BTC Bybit spot / perp: No carry")


def test_a_refused_switch_is_said_below(qtbot, panel, view, acts):
    put(panel, view, ENTER, STAND)
    panel.pairs.choose(0)
    acts.says = "Only the pair on the screen can be set."
    press(qtbot, panel.mode.buttons["auto"])
    assert panel.foot.text() == acts.says
    assert panel.mode.code == "suggest"
    panel.pairs.choose(1)
    panel.refresh()
    assert "Paper only" in panel.foot.text()


def test_a_suggestion_is_accepted(qtbot, panel, view, acts):
    put(panel, view, ENTER)  # the only pair needs no choosing
    assert panel.take.isEnabled()
    press(qtbot, panel.take)
    assert acts.asked == [("accept", PAIR)]
    put(panel, view, ENTER._replace(suggested=False))
    assert not panel.take.isEnabled()


def test_the_chosen_pair_is_put_on_the_screen(qtbot, panel, rig, view):
    assert not panel.to_screen.isEnabled()
    put(panel, view, ENTER, STAND)
    panel.pairs.choose(1)
    press(qtbot, panel.to_screen)
    assert rig.shown_pairs == [tuple(OTHER.split())]


def test_an_override_needs_a_reason(qtbot, panel, view, acts):
    put(panel, view, ENTER)
    dialog = panel.ask_override()
    assert not dialog.act.isEnabled()
    dialog.reason.setText("  the   news ")
    assert dialog.act.isEnabled()
    dialog.act.click()
    assert acts.asked == [("override", PAIR, "declined", "the news")]


def test_a_fault_leaves_nothing_to_press(panel, view):
    view.stopped, view.problem = True, "The autopilot stopped after a fault of its own."
    put(panel, view, STAND._replace(mode="off"))
    assert panel.foot.text() == view.problem
    for button in (panel.set_shown, panel.take, panel.otherwise):
        assert not button.isEnabled()
    assert panel.mode.isHidden()
    assert panel.edit(PAIR) is None


@pytest.mark.parametrize(("height", "way"), [(230, "Horizontal"), (500, "Vertical")])
def test_a_low_panel_has_its_tables_side_by_side(panel, height, way):
    panel.resize(1_280, height)
    assert panel.split.orientation() == getattr(Qt.Orientation, way)


# --- the dialog -----------------------------------------------------------------------------------


def test_the_dialog_shows_every_rule_of_every_playbook(panel):
    dialog = panel.edit(PAIR)
    assert pair_name(PAIR) in dialog.paper.text()
    assert "PAPER" in dialog.paper.text()
    for at, book in enumerate(USUAL):
        dialog.playbook.setCurrentIndex(at)
        dialog.playbook.activated.emit(at)
        assert dialog.about.text() == book.about
        assert list(dialog.rows) == [param.name for param in book.params]
        for param in book.params:
            row = dialog.rows[param.name]
            assert row.value == param.value
            tip = (row.box or row.field.edit).toolTip()
            assert SOURCES[param.source] in tip
    dialog.reject()


def test_a_value_out_of_range_is_refused_in_one_sentence(panel, acts):
    dialog = panel.edit(PAIR)
    row = dialog.rows["entry_z"]
    type_in(row, "9")
    assert dialog.said.text() == "Entry z is 0.5 to 6 sd; 9 is not. Choose a value within."
    assert not dialog.save.isEnabled()
    assert dialog.setting() is None
    type_in(row, "nonsense")
    assert dialog.said.text().startswith("Entry z: ")
    type_in(dialog.rows["loss_pairs"], "2.5")
    assert dialog.setting() is None
    dialog.usual.click()
    assert dialog.save.isEnabled()
    assert acts.asked == []
    dialog.reject()


def test_set_hands_over_mode_playbook_and_values(panel, acts):
    dialog = panel.edit(PAIR)
    assert dialog.mode.code == "suggest"
    type_in(dialog.rows["entry_z"], "2")
    dialog.save.click()
    ((_, pair, mode, playbook, values),) = acts.asked
    assert (pair, mode, playbook) == (PAIR, "suggest", "decoupling")
    assert values["entry_z"] == 2.0
    assert len(values) == len(USUAL[0].params)
    assert dialog.over


def test_a_refusal_of_the_autopilot_keeps_the_dialog(panel, acts):
    dialog = panel.edit(PAIR)
    acts.says = "Only the pair on the screen and pairs that are held can be set."
    dialog.save.click()
    assert dialog.said.text() == acts.says
    assert not dialog.over
    acts.says = ""
    dialog.reset.click()
    assert acts.asked[-1] == ("reset", "decoupling")
    assert "counted anew" in dialog.said.text()
    assert isinstance(panel.edit(OTHER), AutopilotDialog)  # one at a time
    assert dialog.over
