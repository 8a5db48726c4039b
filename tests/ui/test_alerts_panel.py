"""Alerts on the screen: rules as they stand, the log, the dialog and what it refuses."""

import json
import math

import msgspec
import pytest
from alert_rig import S, combos_of, openings, rule, view_of
from book_rig import begun, later, opened
from PySide6.QtCore import Qt
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.app.alerting import Alerting, Silent
from basisdesk.config import Alerts, Settings
from basisdesk.scan.alert_readings import Reader
from basisdesk.scan.alerts import STATES, WATCHED, AlertRule, problem_of
from basisdesk.ui.alert_dialog import MEND_FIRST, AlertDialog, Hook
from basisdesk.ui.alert_rows import (
    draft_of,
    foot_text,
    line_text,
    minutes_to_tomorrow,
    payload_text,
    preview,
    rule_rows,
    told_rows,
)
from basisdesk.ui.alerts_panel import AlertsPanel


class Desk:
    """A rig whose alerts are real, and kept in a folder."""

    def __init__(self, folder, **alerts):
        self.rig = Rig(Settings(alerts=Alerts(**alerts))).begin()
        self.view = self.rig.context.scan = view_of()
        self.alerting = Alerting(folder, self.rig.engine, self.view, Silent())
        self.book = self.alerting.book
        self.tested = 0
        self.now_ns = self.rig.engine.now_ns
        for name, slot in (
            ("set_alert_rule", self.alerting.set_rule),
            ("drop_alert_rule", self.alerting.drop_rule),
            ("snooze_alert", self.alerting.snooze),
            ("mute_alerts", self.alerting.mute),
            ("test_webhook", self.alerting.test_webhook),
        ):
            setattr(self.rig, name, slot)
        self.rig.context.scan_actions = self.rig

    def beats(self, count=1):
        for _ in range(count):
            self.now_ns += S
            self.alerting.beat(self.now_ns)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def panel(qtbot, desk):
    panel = AlertsPanel(desk.rig.context, THEME)
    qtbot.addWidget(panel)
    panel.resize(1_280, 600)
    panel.show()
    panel.refresh()
    return panel


def choose(panel, rule_id):
    places = [row.id for row in panel.rules.rows_model.rows]
    panel.rules.choose(places.index(rule_id))


# --- rows ----------------------------------------------------------------------------------------


def test_a_rule_is_shown_as_it_stands(desk):
    desk.beats(40)
    rows = {row.id: row for row in rule_rows(desk.book, desk.now_ns, True)}
    gap = rows["funding-gap"]
    assert (gap.state, gap.meaning) == ("\u25a0 crossed", "warn")
    assert (gap.now, gap.of, gap.away) == (
        "0.0750 % = 7.50 bp per 8 h", "BTC", "1.50 bp beyond",
    )  # fmt: skip
    assert gap.tells == "over 0.06 % = 6.0 bp per 8 h for 30 s"
    assert "is over 0.06 % = 6.0 bp per 8 h for 30 s" in gap.detail
    assert rows["liquidation"].tells == "under 8.0 % for 2 s"
    assert gap.ways == "message, sound"
    assert gap.last.startswith("09:14:")
    stale = rows["stale-leg"]
    assert (stale.state, stale.now, stale.away) == ("\u00b7 nothing there", "\u2013", "\u2013")
    assert math.isnan(stale.away_of)


def test_states_off_snoozed_waiting_and_without_anything_to_look_at(desk):
    desk.alerting.set_rule(rule("confidence", id="conf"))
    desk.alerting.set_rule(rule("btc_eth", level=5, id="off", on=False))
    desk.beats(2)
    desk.alerting.snooze("btc-eth", 60)
    rows = {row.id: row.state for row in rule_rows(desk.book, desk.now_ns, True)}
    assert rows["conf"] == "\u00b7 nothing there"  # no pair is forecast
    assert rows["off"] == "\u25cb off"
    assert rows["funding-gap"] == "\u25b2 waits"
    assert rows["btc-eth"].startswith("\u25d0 snoozed to 10:14")


def test_the_log_and_the_foot_say_what_was_told(desk):
    desk.beats(40)
    rows = told_rows(desk.book, desk.now_ns, True)
    assert {row.name for row in rows} == {
        "Funding gap over 0.06 %", "BTC against ETH over 0.05 %",
    }  # fmt: skip
    assert rows[0].ways == "sound" or rows[1].ways == "sound"
    desk.book.webhook_said = "No webhook is set."
    desk.alerting.snooze("*", 15)
    foot = foot_text(desk.book, desk.now_ns, True)
    assert "All alerts are snoozed until 2026-09-18 09:" in foot
    assert "Webhook: No webhook is set." in foot
    assert foot.endswith("2 in the log, 2 since the start.")
    line = msgspec.structs.replace(desk.book.log[0], more=949)
    desk.book.note([line], 950)
    assert "And 949 more in the same second." in told_rows(desk.book, desk.now_ns, True)[0].text


def test_tomorrow_is_eight_in_the_morning():
    midnight = 1_789_689_600 * S  # 2026-09-18 00:00 UTC
    assert minutes_to_tomorrow(midnight, True) == 32 * 60
    assert minutes_to_tomorrow(midnight + 23 * 3_600 * S, True) == 9 * 60


def test_every_rule_fits_into_the_fields_and_back():
    scopes = {
        "coin": "BTC", "venue": "okx", "sector": "sector:Layer 1", "pair": "7", "leg": SPOT,
        "combination": f"{SPOT} {PERP}",
    }  # fmt: skip
    for quantity, watched in WATCHED.items():
        for kind in ("any", *watched.scopes):
            sector = quantity == "sector_state"
            one = AlertRule(
                "x", "X", quantity, scopes.get(kind, "*"), "equals" if sector else "under",
                STATES["cold"] if sector else watched.least + 0.25, 7.5, 90.0, 0.0,
            )  # fmt: skip
            assert problem_of(one) == ""
            assert draft_of(one).problem(one) == ""
            assert draft_of(one).rule(one) == one
            assert json.loads(payload_text(one, S))["rule"] == "X"
            assert preview(one).endswith("By message, sound.")


# --- what is held --------------------------------------------------------------------------------


@pytest.fixture
def held():
    return opened(begun())


def read(rig, quantity, reader=None, later_s=0):
    now_ns = rig.engine.now_ns + later_s * S
    return (reader or Reader()).read(None, rig.engine, {quantity}, now_ns)


def test_a_held_pair_has_its_readings(held):
    (basis,) = read(held, "basis")
    assert basis.places.names == ("pair 1 ADA",)
    assert basis.values[0] == pytest.approx(68.0, abs=1.0)
    assert basis.places.rows("1").tolist() == basis.places.rows("*").tolist() == [0]
    assert basis.places.rows("ADA").tolist() == basis.places.rows("bybit").tolist() == [0]
    (close,) = read(held, "close_basis")
    assert close.values[0] > basis.values[0]
    (funding,) = read(held, "funding_8h")
    assert funding.values[0] == pytest.approx(1.84)
    (far,) = read(held, "liq_distance")
    assert far.places.names == ("Bybit perp ADAUSDT of pair 1",)
    assert 0 < far.values[0] < 100
    (due,) = read(held, "settlement_in_min")
    assert 0 < due.values[0] <= 480
    assert due.say(0).startswith("At ")


def test_a_pair_that_the_scanner_counts_answers_to_its_number(held):
    combos = combos_of(1)
    own = combos[0]._replace(coin="ADA", long=SPOT, short=PERP)
    view = view_of(openings=openings((own, *combos[1:])))
    of_scan, of_pairs = Reader().read(view, held.engine, {"basis"}, held.engine.now_ns)
    assert len(of_scan.values) == 16
    assert of_pairs.places.rows("*").tolist() == []
    assert of_pairs.places.rows("1").tolist() == [0]


def test_a_silent_held_leg_grows_older(held):
    reader = Reader()
    (young,) = read(held, "stale_feed", reader)
    (old,) = read(held, "stale_feed", reader, 30)
    assert len(young.values) == 2
    assert (old.values - young.values).tolist() == pytest.approx([30, 30])
    assert old.places is young.places
    slow = Reader(speed=10.0)
    read(held, "stale_feed", slow)
    (scaled,) = read(held, "stale_feed", slow, 30)
    assert scaled.values.max() == pytest.approx(3.0)


def test_the_pair_on_the_screen_is_watched_where_it_is_named():
    rig = Rig().begin()
    (basis,) = read(rig, "basis")
    assert basis.places.rows("*").tolist() == []
    assert basis.places.rows(f"{SPOT} {PERP}").tolist() == [0]
    assert basis.values[0] == pytest.approx(68.0, abs=1.0)
    (silence,) = read(rig, "stale_feed")
    assert silence.places.rows("*").tolist() == []
    assert silence.places.rows(PERP).tolist() == [1]


def test_readings_stay_in_place_while_nothing_comes_or_goes(held):
    reader = Reader()
    (before,) = read(held, "basis", reader)
    later(held, 2)
    (after,) = read(held, "basis", reader)
    assert after.places is before.places


# --- the panel -----------------------------------------------------------------------------------


def test_rules_above_and_the_log_below(desk, panel):
    desk.beats(40)
    panel.refresh()
    assert len(panel.rules.rows_model.rows) == 6
    assert len(panel.told.rows_model.rows) == 2
    assert panel.foot.text() == "2 in the log, 2 since the start."
    assert panel.split.orientation() == Qt.Orientation.Vertical
    panel.resize(1_280, 300)
    assert panel.split.orientation() == Qt.Orientation.Horizontal


def test_without_a_universe_it_rests(qtbot):
    panel = AlertsPanel(Rig().context, THEME)
    qtbot.addWidget(panel)
    panel.refresh()
    assert not panel.add.isEnabled()
    assert panel.rules.empty_text == "Alerts are for a running desk."


def test_switch_remove_and_mute(desk, panel):
    assert not panel.edit.isEnabled()
    choose(panel, "btc-eth")
    assert panel.edit.isEnabled()
    panel.switch.click()
    assert not desk.book.rules["btc-eth"].on
    assert panel.switch.text() == "Switch on"
    panel.switch.click()
    assert desk.book.rules["btc-eth"].on
    panel.remove.click()
    assert "btc-eth" not in desk.book.rules
    panel.mute.click()
    assert desk.book.muted
    assert panel.mute.text() == "Sound is muted"
    panel.mute.click()
    assert not desk.book.muted


def snooze(panel, text):
    panel._fill_menu()
    next(action for action in panel.menu.actions() if action.text() == text).trigger()


def test_snooze_one_or_all_and_wake(desk, panel):
    assert panel.snooze.text() == "Snooze all"
    snooze(panel, "15 minutes")
    assert desk.book.silent_until_ns == desk.now_ns + 900 * S
    snooze(panel, "Wake")
    assert desk.book.silent_until_ns == 0
    choose(panel, "win-rate")
    assert panel.snooze.text() == "Snooze"
    snooze(panel, "1 hour")
    assert desk.book.rules["win-rate"].snoozed_until_ns == desk.now_ns + 3_600 * S
    snooze(panel, "Until tomorrow 08:00")
    assert desk.book.rules["win-rate"].snoozed_until_ns > desk.now_ns + 8 * 3_600 * S


def test_a_rule_is_added_and_edited(desk, panel):
    panel.add.click()
    dialog = panel._dialog
    assert dialog.windowTitle() == "New alert"
    dialog.name.setText("Wide gap")
    dialog.level.edit.setText("12.5")
    dialog.level.edit.textEdited.emit("12.5")
    assert dialog.save.isEnabled()
    dialog.save.click()
    made = desk.book.rules["alert"]
    assert (made.name, made.quantity, made.level) == ("Wide gap", "cross_gap", 12.5)
    choose(panel, "alert")
    panel.edit.click()
    panel._dialog.hold.put(panel._dialog.hold.value + 15)
    panel._dialog.save.click()
    assert desk.book.rules["alert"].hold_s == 45.0
    assert len(desk.book.rules) == 7


# --- the dialog ----------------------------------------------------------------------------------


@pytest.fixture
def dialog(qtbot):
    dialog = AlertDialog(rule("net_8h", level=3, name="Net"), THEME)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def type_in(edit, text):
    edit.setText(text)
    edit.textEdited.emit(text)


def pick(box, code):
    box.setCurrentIndex(box.findData(code))
    box.activated.emit(box.currentIndex())


def test_the_dialog_says_what_the_rule_will_do(dialog):
    type_in(dialog.hold.edit, "30")
    type_in(dialog.quiet.edit, "15")
    assert dialog.said.text().replace("\u00a0", " ") == (
        "Tells you when the net edge of any combination is over 3.00 bp per 8 h for 30 s, at most "
        "every 15 min for the same one. By message, sound."
    )
    assert dialog.rule().again_s == 900.0


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("level", "9999", "Level 9,999 bp per 8 h is outside"),
        ("level", "", "Level: Enter a figure"),
        ("level", "nan", "Level: Enter a figure"),
        ("level", "1,5", "Use a point for decimals"),
        ("hold", "-1", "Holds for \u22121 s is outside 0 to 86,400 s."),
        ("quiet", "99999", "outside 0 to 10,080 min"),
        ("back", "-2", "Goes back by"),
    ],
)
def test_the_dialog_refuses_in_place(dialog, field, text, words):
    part = getattr(dialog, field)
    type_in(part.edit, text)
    assert words in dialog.said.text().replace("\u00a0", " ")
    assert part.problem.isVisible()
    assert not dialog.save.isEnabled()
    assert dialog.rule() is None


def test_names_scopes_and_ways_are_refused_too(dialog):
    type_in(dialog.name, "<b>bold</b>")
    assert "without < > &" in dialog.said.text()
    type_in(dialog.name, "Fine")
    pick(dialog.scope_kind, "coin")
    assert dialog.said.text() == "A coin is written like BTC."
    type_in(dialog.scope, "b t c")
    assert not dialog.save.isEnabled()
    type_in(dialog.scope, "btc")
    assert dialog.rule().scope == "BTC"
    pick(dialog.scope_kind, "combination")
    type_in(dialog.scope, "bybit:spot:ADAUSDT")
    assert dialog.said.text().startswith("Two legs is written like")
    pick(dialog.scope_kind, "any")
    for box in dialog.ways.values():
        box.setChecked(False)
    assert "at least one way" in dialog.said.text()


def test_a_sector_has_states_instead_of_levels(dialog):
    pick(dialog.quantity, "sector_state")
    assert dialog.state.isVisible()
    assert not dialog.level.isVisible()
    dialog.state.buttons["cold"].click()
    made = dialog.rule()
    assert (made.side, made.level) == ("equals", -1.0)
    assert [dialog.scope_kind.itemData(at) for at in range(2)] == ["any", "sector"]
    pick(dialog.scope_kind, "sector")
    type_in(dialog.scope, "meme")
    assert dialog.rule().scope == "sector:meme"
    pick(dialog.quantity, "liq_distance")
    assert dialog.level.isVisible()
    assert dialog.unit.text() == "%"
    type_in(dialog.level.edit, "150")
    assert "outside 0 to 100 %" in dialog.said.text().replace("\u00a0", " ")


def test_another_quantity_reads_the_level_by_its_own_limits(dialog):
    type_in(dialog.level.edit, "150")
    assert dialog.save.isEnabled()
    pick(dialog.quantity, "liq_distance")
    assert not dialog.save.isEnabled()


def test_the_payload_is_shown_before_anything_is_sent(qtbot):
    asked = []
    hook = Hook("hooks.example.com", lambda: asked.append(1), 1_789_722_862 * S)
    dialog = AlertDialog(rule("net_8h", level=3, name="Net"), THEME, hook)
    qtbot.addWidget(dialog)
    shown = json.loads(dialog.payload.toPlainText())
    assert shown == {
        "source": "basisdesk",
        "paper": True,
        "rule": "Net",
        "text": "Net edge of BTC is over 3.00 bp per 8 h.",
        "value": 3.0,
        "unit": "bp per 8 h",
        "time": "2026-09-18T09:14:22Z",
    }
    assert "hooks.example.com" in dialog.hook_said.text()
    assert "A test of the webhook. Nothing happened." in dialog.test.accessibleDescription()
    dialog.test.click()
    assert asked == [1]
    assert json.loads(dialog.payload.toPlainText())["rule"] == "Test"


def test_without_a_webhook_there_is_nothing_to_test(dialog):
    assert not dialog.test.isEnabled()
    assert dialog.hook_said.text().startswith("No webhook is set")


# --- both units, and what is marked --------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (6, "over 0.06 % = 6.0 bp per 8 h"),
        (5.25, "over 0.0525 % = 5.25 bp per 8 h"),
        (0, "over 0.00 % = 0.0 bp per 8 h"),
        (1_000, "over 10.00 % = 1,000.0 bp per 8 h"),
        (1e-3, "over 0.00001 % = 0.001 bp per 8 h"),
    ],
)
def test_a_funding_level_is_said_in_percent_and_in_bp(level, text):
    for quantity in ("cross_gap", "btc_eth", "funding_8h"):
        assert line_text(rule(quantity, level=level)) == text
    assert "%" not in line_text(rule("net_8h", level=level))


def test_the_dialog_says_both_while_one_types(qtbot):
    dialog = AlertDialog(rule("cross_gap", level=6, name="Gap"), THEME)
    qtbot.addWidget(dialog)
    assert dialog.unit.text() == "bp = 0.06 % per 8 h"
    assert "over 0.06 % = 6.0 bp per 8 h" in dialog.said.text().replace("\u00a0", " ")
    type_in(dialog.level.edit, "12.5")
    assert dialog.unit.text() == "bp = 0.125 % per 8 h"
    type_in(dialog.level.edit, "lots")
    assert dialog.unit.text() == "bp per 8 h"
    pick(dialog.quantity, "basis")
    assert dialog.unit.text() == "bp"


def test_what_is_wrong_is_marked_and_no_payload_is_shown(qtbot, dialog):
    dialog.show()
    whole = dialog.payload.toPlainText()
    type_in(dialog.name, "  ")
    assert dialog.name.property("bad")
    assert dialog.said.text() == "Enter a name, 1 to 60 characters."
    assert dialog.name.accessibleDescription() == dialog.said.text()
    assert dialog.payload.toPlainText() == MEND_FIRST
    assert not dialog.payload.isEnabled()
    dialog.grab()
    type_in(dialog.name, "Net")
    assert not dialog.name.property("bad")
    assert dialog.payload.toPlainText() == whole
    assert dialog.payload.isEnabled()
    type_in(dialog.level.edit, "1,5")
    assert dialog.payload.toPlainText() == MEND_FIRST
    assert not dialog.name.property("bad")
    type_in(dialog.level.edit, "1.5")
    pick(dialog.scope_kind, "coin")
    type_in(dialog.scope, "b t c")
    assert dialog.scope.property("bad")
    assert dialog.payload.toPlainText() == MEND_FIRST
    type_in(dialog.scope, "btc")
    assert not dialog.scope.property("bad")
    assert json.loads(dialog.payload.toPlainText())["rule"] == "Net"


def test_the_tab_key_stops_at_tables_that_have_rows(desk, panel):
    assert panel.told.focusPolicy() == Qt.FocusPolicy.NoFocus
    desk.beats(40)
    panel.refresh()
    assert panel.told.focusPolicy() == Qt.FocusPolicy.StrongFocus
    assert panel.rules.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_enter_edits_the_row_the_keys_are_at(qtbot, panel):
    panel.rules.setFocus(Qt.FocusReason.TabFocusReason)
    assert panel.chosen_rule() is None
    qtbot.keyClick(panel.rules, Qt.Key.Key_Return)
    assert panel.chosen_rule().id == panel.rules.rows_model.rows[0].id
    assert panel._dialog.windowTitle().startswith("Alert: ")
    panel._dialog.reject()
