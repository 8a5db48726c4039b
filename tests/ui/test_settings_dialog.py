"""The settings dialog: found, typed, refused beside the field, saved, and nothing lost."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QLineEdit, QMainWindow, QWidget
from ui_rig import THEME

from basisdesk.app.settings_keeping import SettingsKeeping
from basisdesk.config import load_settings
from basisdesk.ui.settings_dialog import SettingsDialog
from basisdesk.ui.settings_door import SettingsDoor
from basisdesk.ui.settings_page import FEES_GROUP, NUMBERS_GROUP
from basisdesk.ui.settings_texts import GROUPS

TEXT = (
    "# mine\n[risk]\nreserve = 0.1 # careful\n[network]\nproxy = 'http://me:secret@p.example:1'\n"
)
RISK = next(i for i, group in enumerate(GROUPS) if group.title == "Risk")
NETWORK = next(i for i, group in enumerate(GROUPS) if group.title == "Network")


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "settings.toml"
    made.write_text(TEXT)
    return made


@pytest.fixture
def opened(qtbot, path):
    """(dialog, what was reopened)"""
    again = []
    dialog = SettingsDialog(SettingsKeeping(path, lambda: again.append(1)), THEME)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog, again


def to(dialog, index):
    dialog.groups.setCurrentRow(index)
    page = dialog.page(index)
    page.finish()
    return page


def put(row, text):
    """Type it as a person does."""
    widget = row.editor.widget
    line = widget.lineEdit() if isinstance(widget, QAbstractSpinBox) else widget
    line.setText(text)
    line.textEdited.emit(text)


def test_a_change_is_checked_saved_and_keeps_every_comment(opened, path):
    dialog, again = opened
    page = to(dialog, RISK)
    assert not dialog.save.isEnabled()
    put(page.rows["risk.drawdown_max"], "130")
    row = page.rows["risk.drawdown_max"]
    assert "130 % of equity is outside" in row.problem.text()
    assert not row.problem.isHidden()
    assert "outside" in row.editor.widget.accessibleDescription()
    assert not dialog.save.isEnabled()
    assert not dialog.reopen.isEnabled()
    to(dialog, 0)
    to(dialog, RISK)
    assert row.editor.widget.text() == "130"  # nothing is lost
    put(row, "12.5")
    dialog._check()
    assert row.title.text().startswith("\u2022")
    dialog.save.click()
    assert dialog.said.text().startswith("Saved.")
    made = path.read_text()
    assert made.startswith("# mine\n[risk]\nreserve = 0.1 # careful\n")
    assert load_settings(path).risk.drawdown_max == 0.125
    assert not again
    dialog.reopen.click()
    assert again == [1]


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [("risk.money_rate_year", "5.5", 0.055), ("risk.account_risk", "2.05", 0.0205)],
)
def test_a_figure_typed_key_by_key_is_the_figure_typed(opened, qtbot, path, key, typed, value):
    """On the way to 5.5 stands "5.", which is worth what the file says: its point has to stay."""
    dialog, _ = opened
    editor = to(dialog, RISK).rows[key].editor.widget
    editor.selectAll()
    qtbot.keyClicks(editor.lineEdit(), typed)
    assert editor.text() == typed
    dialog._check()
    dialog.save.click()
    section, _, name = key.partition(".")
    assert getattr(getattr(load_settings(path), section), name) == pytest.approx(value)


def test_reset_of_one_of_all_and_undo(opened, path):
    dialog, _ = opened
    page = to(dialog, RISK)
    row = page.rows["risk.reserve"]
    assert GROUPS[RISK].title in dialog.groups.item(RISK).text()
    assert dialog.groups.item(RISK).text().endswith("\u2022 1")
    row.reset.click()
    assert row.editor.widget.text() == "5"
    assert row.reset.isHidden()
    dialog.undo.click()
    assert row.editor.widget.text() == "10"
    dialog.all.click()
    dialog.save.click()
    settings = load_settings(path)
    assert (settings.risk.reserve, settings.network.proxy) == (0.05, "")
    assert "# careful" in path.read_text()


def test_closing_with_changes_asks_once(opened):
    dialog, _ = opened
    put(to(dialog, RISK).rows["risk.reserve"], "7")
    dialog.close()
    assert dialog.isVisible()
    assert dialog.said.text().startswith("1 change is not saved. Save, or close once more")
    dialog.reject()
    assert not dialog.isVisible()
    assert dialog.over


def test_a_file_changed_by_somebody_else_is_read_again_with_what_was_typed(opened, path):
    dialog, _ = opened
    put(to(dialog, RISK).rows["risk.reserve"], "7")
    path.write_text("[ui]\ntheme = 'light' # bright\n")
    dialog.save.click()
    assert "was changed by another program" in dialog.said.text()
    dialog.again.click()
    assert dialog.page(RISK).rows["risk.reserve"].editor.widget.text() == "7"
    dialog.save.click()
    settings = load_settings(path)
    assert (settings.risk.reserve, settings.ui.theme) == (0.07, "light")
    path.write_text("[ui\n")
    dialog.again.click()
    assert "not valid TOML" in dialog.said.text()
    assert not dialog.page(RISK).isEnabled()
    assert not dialog.reopen.isEnabled()


def test_a_search_shows_rows_of_all_groups_and_leads_back(opened):
    dialog, _ = opened
    dialog.search.setText("stop entries halt")
    dialog._search()
    dialog.found.finish()
    assert not dialog.found.rows
    dialog.search.setText("funding")
    dialog._search()
    dialog.found.finish()
    assert "scanner.funding_days" in dialog.found.rows
    put(dialog.found.rows["scanner.funding_days"], "3")
    dialog.show_bad.click()
    row = dialog.pages.currentWidget().rows["scanner.funding_days"]
    assert row.editor.widget.text() == "3"
    assert dialog.search.text() == ""
    assert dialog.found is None


def test_a_fee_tier_and_the_proxy_and_an_outside_number(opened, path):
    dialog, _ = opened
    fees = to(dialog, FEES_GROUP)
    tiers = next(row for row in fees.tier_rows if row.choice.accessibleName().endswith("Bybit"))
    tiers.choice.setCurrentIndex(2)
    tiers.choice.activated.emit(2)
    assert fees.rows["fees.bybit.perp_taker"].editor.widget.text() == "0.0375"
    proxy = to(dialog, NETWORK).rows["network.proxy"]
    assert proxy.editor.widget.text() == "http://***@p.example:1"
    assert "secret" not in proxy.caption.text()
    numbers = to(dialog, NUMBERS_GROUP)
    numbers.adder.name.setText("Fear")
    numbers.adder.add.click()
    assert "small letters" in numbers.adder.problem.text()
    numbers.adder.name.setText("fear")
    numbers.adder.add.click()
    dialog._check()
    put(to(dialog, NUMBERS_GROUP).rows["forecast.indicators.fear.url"], "https://x.example/y")
    dialog._check()
    dialog.save.click()
    assert dialog.said.text().startswith("Saved.")
    settings = load_settings(path)
    assert settings.fees_of("bybit").source.startswith("Bybit VIP 2")
    assert settings.forecast.indicators["fear"].url == "https://x.example/y"
    assert settings.network.proxy == "http://me:secret@p.example:1"


def test_every_editor_has_a_name_and_keys_reach_it(opened, qtbot):
    dialog, _ = opened
    for index in (RISK, FEES_GROUP):
        page = to(dialog, index)
        for row in page.rows.values():
            assert row.editor.widget.accessibleName()
            assert row.editor.widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    spin = dialog.page(RISK).rows["risk.pairs_max"].editor.widget
    qtbot.keyClick(spin, Qt.Key.Key_Up)
    assert spin.text() == "11"
    nameless = [
        each for each in dialog.findChildren(QWidget)
        if isinstance(each, QLineEdit) and not isinstance(each.parent(), QAbstractSpinBox)
        and not each.accessibleName()
    ]  # fmt: skip
    assert not nameless


class Told:
    """As much of a context as the door reads."""

    mode = "simulated"

    def __init__(self, actions):
        self.settings_actions = actions


def test_the_door_opens_one_dialog(qtbot, path):
    home = QMainWindow()
    qtbot.addWidget(home)
    menu = home.menuBar().addMenu("Session")
    door = SettingsDoor(Told(SettingsKeeping(path, lambda: None)), THEME, home, menu)
    action = menu.actions()[0]
    assert isinstance(action, QAction)
    assert action.shortcut().toString() == "Ctrl+,"
    action.trigger()
    qtbot.waitUntil(lambda: door.dialog is not None and door.dialog.isVisible())
    first = door.dialog
    action.trigger()
    assert door.dialog is first
    first.reject()
    shut = QMainWindow()
    qtbot.addWidget(shut)
    SettingsDoor(Told(None), THEME, shut, shut.menuBar().addMenu("Session")).open()
    assert Path(path).exists()


def test_a_box_says_what_it_is_set_to(opened):
    dialog, _ = opened
    pages = (to(dialog, index) for index in range(len(GROUPS)))
    widgets = ([row.editor.widget for row in page.rows.values()] for page in pages)
    found = ([each for each in page if isinstance(each, QCheckBox)] for page in widgets)
    boxes = next(page for page in found if page)
    assert boxes
    assert all(box.text() == ("On" if box.isChecked() else "Off") for box in boxes)
    box = boxes[0]
    was = box.text()
    box.click()
    assert {was, box.text()} == {"On", "Off"}
