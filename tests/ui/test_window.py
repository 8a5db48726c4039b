"""The window: docks, keys, layouts that survive anything, and dialogs that never block."""

import random
from decimal import Decimal

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import ClosePair, ExitPlan, Flatten, Halt, OpenPair, Resume
from basisdesk.ui.arrangement import FIRST_SIZE, LAYOUT_MAGIC, LAYOUT_MAGIC_1, LAYOUT_STATE
from basisdesk.ui.glossary import TERMS, term
from basisdesk.ui.help_dialog import versions
from basisdesk.ui.theme import PlainLabel
from basisdesk.ui.window import MainWindow

D = Decimal


@pytest.fixture
def rig():
    rig = Rig().begin()
    rig.context.accounts = ("main", "scalps")
    return rig


@pytest.fixture
def window(qtbot, qapp, rig):
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    qtbot.waitExposed(window)
    window.refresh_all()
    rig.sent.clear()
    return window


def hidden(window):
    return {name for name, dock in window.docks.items() if dock.isHidden()}


def test_everything_but_the_top_bar_is_a_dock_that_closes_and_comes_back(window):
    assert set(window.docks) == {
        "guide", "charts", "ticket", "positions", "funding", "forecast", "autopilot", "risk",
        "account", "ledger", "feeds", "log",
    }  # fmt: skip
    for dock in window.docks.values():
        assert dock.features() & QDockWidget.DockWidgetFeature.DockWidgetFloatable
        dock.close()
        assert dock.isHidden()
        dock.toggleViewAction().trigger()
        assert not dock.isHidden()
    assert window.centralWidget() is None


def test_tabs_name_the_tables_so_they_have_no_title_bar(qtbot, window):
    dock = window.docks["positions"]
    assert dock.titleBarWidget() is not dock.bar
    dock.toggle_floating()
    qtbot.waitUntil(lambda: dock.titleBarWidget() is dock.bar, timeout=1000)
    dock.toggle_floating()
    qtbot.waitUntil(lambda: not dock.isFloating(), timeout=1000)


def test_a_table_floated_from_behind_is_shown_at_a_size_that_can_be_read(qtbot, window):
    dock = window.docks["feeds"]
    dock.toggle_floating()
    qtbot.waitUntil(window.feeds.isVisible, timeout=1000)
    assert dock.width() >= 300
    assert dock.height() >= 200


def test_ctrl_dot_halts_from_anywhere(qtbot, rig, window):
    for place in (window, window.ticket.form.size_field.edit, window.charts.chart):
        place.setFocus()
        rig.sent.clear()
        qtbot.keyClick(place, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        assert rig.orders(Halt) == [Halt("by hand")]


def test_ctrl_dot_halts_while_a_question_waits_for_its_answer(qtbot, rig, window):
    for ask in (window.ask_flatten, window.ask_resume, window.pick_pair, window.accounts.ask_new):
        dialog = ask()
        dialog.activateWindow()
        qtbot.waitUntil(lambda dialog=dialog: dialog.focusWidget() is not None, timeout=1000)
        window._on_focus_changed(None, dialog.focusWidget())
        rig.sent.clear()
        place = dialog.focusWidget()
        qtbot.keyClick(place, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        assert rig.orders(Halt) == [Halt("by hand")]
        dialog.close()


def test_the_keys_of_the_trade_menu(qtbot, rig, window):
    rig.deaf = True
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(window, Qt.Key.Key_Return, control)
    assert len(rig.orders(OpenPair)) == 1
    rig.deaf = False
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.refresh_all()
    qtbot.keyClick(window, Qt.Key.Key_Backspace, control)
    assert rig.orders(ClosePair) == [ClosePair(1)]


def test_ctrl_and_a_digit_bring_a_table_to_the_front(qtbot, window):
    control = Qt.KeyboardModifier.ControlModifier
    places = (
        "positions", "funding", "forecast", "autopilot", "risk", "account", "ledger", "feeds",
        "log",
    )  # fmt: skip
    for number, name in enumerate(places, start=1):
        qtbot.keyClick(window, str(number), control)
        qtbot.waitUntil(window.docks[name].panel.isVisible, timeout=1000)
    assert not window.positions.isVisible()  # so that it is not refreshed either


def test_the_title_of_the_positions_tab_counts_open_pairs(rig, window):
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.go_to("feeds")  # the table is behind, and not refreshed
    window.refresh_all()
    assert not window.positions.isVisible()
    assert window.docks["positions"].windowTitle() == "Positions  1"
    rig.submit(ClosePair(1))
    window.refresh_all()
    assert window.docks["positions"].windowTitle() == "Positions"


def test_ticket_and_chart_share_their_lines(window):
    window.charts.target_dragged.emit(7.5)
    assert window.ticket.form.target.edit.text() == "7.5"
    window.charts.stop_dragged.emit(141.0)
    assert window.ticket.draft().stop_bp == 141


def test_a_pair_stays_on_the_chart_when_somebody_turns_to_the_ticket(qtbot, rig, window):
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.refresh_all()
    window.refresh_all()
    basis = window.charts.chart.panes[1]
    assert {line.name: line.drags for line in basis.lines}["own 1 stop"]
    edit = window.ticket.form.stop.edit
    qtbot.mouseClick(edit, Qt.MouseButton.LeftButton)
    assert window.positions.table.chosen() is None
    window.refresh_all()
    assert not {line.name: line.drags for line in basis.lines}["own 1 stop"]
    window.positions.table.choose(0)
    qtbot.keyClick(window.charts.chart, Qt.Key.Key_Escape)
    assert window.positions.table.chosen() is None


@pytest.mark.parametrize("size", [(1600, 1000), (1280, 800)])
def test_a_banner_that_comes_and_goes_moves_no_splitter(qtbot, rig, window, size):
    """Its place beside the menus is always kept: charts, ticket and tables stay where they are."""
    window.resize(*size)
    qtbot.waitUntil(lambda: window.steady._room() == window.steady._size)
    tables = window.docks["positions"]
    window.resizeDocks([tables], [tables.height() + 40], Qt.Orientation.Vertical)  # by a person
    qtbot.wait(10)
    docks = [window.docks[name] for name in ("charts", "ticket", "positions")]
    before = [dock.geometry() for dock in docks]
    status = rig.context.status
    for times in range(20):
        status.banner_level = "error" if times % 2 else "warn"
        status.banner = "The exchange stopped. Restarting it; your pairs and ledger are kept. " * 4
        window.banner.refresh()
        qtbot.wait(5)
        assert window.banner.text.endswith("are kept. ")
        assert [dock.geometry() for dock in docks] == before
        status.banner = ""
        window.banner.refresh()
        qtbot.wait(5)
        assert window.banner.text == ""
    assert [dock.geometry() for dock in docks] == before


def test_rows_of_positions_take_no_height_from_the_ticket(qtbot, rig, window):
    window.resize(1280, 800)
    qtbot.wait(20)
    before = window.ticket.height()
    form = window.ticket.form
    for _ in range(3):
        rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
        window.refresh_all()
        qtbot.wait(20)
        assert window.ticket.height() == before
        assert form.open_button.visibleRegion().boundingRect() == form.open_button.rect()
        assert form.verdict.visibleRegion().boundingRect() == form.verdict.rect()


# --- layouts --------------------------------------------------------------------------------------


def test_a_layout_comes_back_as_it_was(qtbot, rig, window):
    window.docks["log"].close()
    window.docks["ledger"].close()
    saved = window.save_layout()
    other = MainWindow(rig.context, THEME)
    qtbot.addWidget(other)
    assert other.restore_layout(saved)
    assert hidden(other) == {"log", "ledger", "guide"}
    assert (other.width(), other.height()) == FIRST_SIZE  # without a screen, always the full one


def test_no_bytes_at_all_break_the_window(window):
    saved = window.save_layout()
    rng = random.Random(7)
    broken = [b"", b"\x00", LAYOUT_MAGIC, LAYOUT_MAGIC + b"\xff" * 8, b"{}", saved + b"x"]
    broken += [saved[:cut] for cut in range(0, len(saved), 37)]
    broken += [rng.randbytes(rng.randint(1, 400)) for _ in range(30)]
    broken += [LAYOUT_MAGIC + rng.randbytes(200) for _ in range(10)]
    for layout in broken:
        assert window.restore_layout(layout) is False
        assert hidden(window) == {"guide"}
    assert window.restore_layout(saved)


def test_flipped_bits_are_the_default_layout(window):
    saved = bytearray(window.save_layout())
    rng = random.Random(11)
    for _ in range(40):
        flipped = bytearray(saved)
        flipped[rng.randrange(len(LAYOUT_MAGIC), len(saved))] ^= 1 << rng.randrange(8)
        assert window.restore_layout(bytes(flipped)) is False
        assert hidden(window) == {"guide"}


def test_a_dock_that_a_layout_put_nowhere_is_rescued(qtbot, window):
    """Found on a fresh machine: a layout saved in a tiny window came back without its charts."""
    charts = window.docks["charts"]
    charts.setGeometry(-973, -749, 473, 249)
    window.arrangement.rescue()
    qtbot.waitUntil(lambda: window.rect().contains(charts.geometry()))
    assert charts.width() > 600


def older_layout(qtbot, names):
    """What a version that had only these docks has saved, the last of the tabs in front."""
    old = QMainWindow()
    qtbot.addWidget(old)
    old.setDockNestingEnabled(True)
    old.resize(1400, 900)
    docks = {name: QDockWidget(name) for name in names}
    for name, dock in docks.items():
        dock.setObjectName(name)
        dock.setWidget(QWidget())
    old.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, docks["charts"])
    old.splitDockWidget(docks["charts"], docks["ticket"], Qt.Orientation.Horizontal)
    tabs = [dock for name, dock in docks.items() if name not in ("charts", "ticket")]
    old.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, tabs[0])
    for dock in tabs[1:]:
        old.tabifyDockWidget(tabs[0], dock)
    docks["log"].close()
    parts = [bytes(old.saveGeometry().data()), bytes(old.saveState(LAYOUT_STATE).data())]
    sized = (len(part).to_bytes(4, "big") + part for part in parts)
    return LAYOUT_MAGIC_1 + b"".join(sized)


def test_a_layout_older_than_some_docks_is_kept_and_they_find_their_place(qtbot, rig, window):
    names = ("charts", "ticket", "positions", "funding", "ledger", "feeds", "log")
    assert window.restore_layout(older_layout(qtbot, names))
    qtbot.wait(20)
    assert hidden(window) == {"log", "guide"}
    bottom = set(window.tabifiedDockWidgets(window.docks["positions"]))
    shown = set(window.docks) - {"charts", "ticket", "guide", "log", "positions"}
    assert {window.docks[name] for name in shown} <= bottom
    window.greet()  # it never said that the guide is not wanted
    assert not window.docks["guide"].isHidden()


# --- the guide ------------------------------------------------------------------------------------


def test_the_guide_greets_and_stays_closed_once_it_was_closed(qtbot, rig, window):
    window.greet()
    guide = window.docks["guide"]
    qtbot.waitUntil(lambda: guide.isVisible() and guide.x() < window.docks["charts"].x())
    guide.close()
    saved = window.save_layout()
    other = MainWindow(rig.context, THEME)
    qtbot.addWidget(other)
    other.restore_layout(saved)
    other.greet()
    assert other.docks["guide"].isHidden()
    other.show_guide()
    assert not other.docks["guide"].isHidden()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_the_guide_leaves_charts_and_ticket_their_room(qtbot, rig, window, size):
    window.setStyleSheet(THEME.style_sheet())  # padding of buttons is part of the room they need
    window.resize(*size)
    window.reset_layout()
    window.greet()
    qtbot.wait(30)
    window.refresh_all()
    docks = window.docks
    assert (window.width(), window.height()) == size
    assert docks["guide"].width() >= docks["guide"].panel.minimumWidth()
    assert docks["charts"].width() > size[0] / 2 - 60
    assert docks["ticket"].width() >= docks["ticket"].panel.minimumWidth()
    for view in window.guide.views:
        for label in (view.mark, view.title):
            assert label.width() >= label.sizeHint().width()


def test_the_guide_follows_the_ticket_and_then_the_pair(qtbot, rig, window):
    window.greet()
    window.ticket.recompute()
    window.guide.refresh()
    assert window.guide.pair is None
    assert window.guide.name.text() == "From the ticket to the result"
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.guide.refresh()
    assert window.guide.pair == 1
    assert window.guide.name.text() == "ADA #1"
    assert "Step 4, Confirm the hedge: done" in window.guide.views[4].accessibleName()
    assert window.guide.views[5].mark.text() == "\u25b6"
    assert not window.guide.views[5].said.isHidden()
    window.guide.anew.click()
    assert window.guide.pair is None
    assert len(rig.engine.open_pairs()) == 1


# --- halt, resume, flatten ------------------------------------------------------------------------


def test_resume_asks_for_a_reason_and_sends_it(qtbot, rig, window):
    window.halt()
    dialog = window.ask_resume()
    assert not dialog.act.isEnabled()
    qtbot.keyClicks(dialog.reason, "  looked at the   log ")
    assert dialog.act.isEnabled()
    qtbot.mouseClick(dialog.act, Qt.MouseButton.LeftButton)
    assert rig.orders(Resume) == [Resume("looked at the log")]
    assert rig.engine.desk.risk.state == "active"


def test_flatten_says_what_it_closes_and_costs_and_asks(qtbot, rig, window):
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(-900), D(900), D(72))))
    dialog = window.ask_flatten()
    assert "ADA #1: sells " in dialog.lines.text()
    assert "buys back " in dialog.lines.text()
    assert "costs about " in dialog.cost.text()
    dialog.cancel.click()
    assert rig.orders(Flatten) == []
    control = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_Backspace, control)
    (again,) = [d for d in window.findChildren(type(dialog)) if d.isVisible()]
    qtbot.mouseClick(again.act, Qt.MouseButton.LeftButton)
    assert rig.orders(Flatten) == [Flatten()]
    assert rig.engine.open_pairs() == []


def test_flatten_with_nothing_held_has_nothing_to_press(window):
    dialog = window.ask_flatten()
    assert not dialog.act.isEnabled()
    assert "Nothing is held" in dialog.lines.text()
    dialog.close()


def test_reset_brings_everything_back(window):
    for dock in window.docks.values():
        dock.close()
    window.reset_layout()
    assert hidden(window) == {"guide"}


def test_a_window_from_a_monitor_that_is_gone_comes_back_onto_the_screen(qapp, window):
    window.move(20_000, 20_000)
    window.arrangement.bring_back()
    room = qapp.primaryScreen().availableGeometry()
    assert QRect(window.pos(), window.size()).intersects(room)


@pytest.mark.parametrize("size", [(1280, 800), (1600, 1000), (2560, 1440)])
def test_nothing_is_cut_at_common_sizes(qtbot, rig, window, size):
    rig.submit(OpenPair(SPOT, PERP, D(4000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.resize(*size)
    window.reset_layout()
    qtbot.waitUntil(lambda: window.size().width() == size[0], timeout=1000)
    qtbot.wait(20)  # one turn of the loop for the docks to share the room
    window.ticket.recompute()
    window.refresh_all()
    assert (window.width(), window.height()) == size  # no panel forced it wider
    table = window.positions.table
    assert not table.horizontalScrollBar().isVisible()
    form = window.ticket.form
    assert form.open_button.geometry().bottom() < window.ticket.height()
    lines = form.board.lines
    for label in (label for line in lines for label in line if not label.isHidden()):
        assert label.width() >= label.sizeHint().width()


# --- the rest -------------------------------------------------------------------------------------


def test_every_label_of_the_window_is_plain_text(window):
    labels = window.findChildren(QLabel)
    assert len(labels) > 50
    rich = [
        label
        for label in labels
        if not isinstance(label, PlainLabel)
        and label.textFormat() != Qt.TextFormat.PlainText
        and label.text()
    ]
    assert rich == []


def test_saving_the_log_asks_without_blocking_and_hands_on_the_folder(qtbot, rig, window, tmp_path):
    dialog = window.ask_save_log()
    assert dialog.isVisible()  # and this line is reached: nothing waits
    dialog.fileSelected.emit(str(tmp_path))
    assert rig.saved == [tmp_path]
    dialog.close()


def test_glossary_and_about_open_and_close(qtbot, window):
    glossary, about = window.show_glossary(), window.show_about()
    glossary.search.setText("velocity")
    assert 0 < glossary.table.proxy.rowCount() < len(TERMS)
    glossary.grab()
    about.grab()
    names = [name for name, _ in versions()]
    assert "SQLite" in names
    assert "PySide6" in names
    glossary.close()
    about.close()


def test_f1_explains_what_has_the_focus_or_opens_the_glossary(qtbot, window):
    window.ticket.form.size_field.edit.setFocus()
    window.explain_focus()
    window.setFocus()
    window.explain_focus()


def test_every_term_has_a_sentence_and_a_figure():
    for name, said in TERMS.items():
        assert said.endswith("."), name
        assert any(char.isdigit() for char in said), name
        assert len(said) < 200, name
    with pytest.raises(KeyError):
        term("nothing")


def test_quitting_and_closing_are_said_to_the_app(qtbot, rig, window):
    qtbot.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert rig.left
    with qtbot.waitSignal(window.closed, timeout=1000):
        window.close()


def test_every_panel_is_handed_to_the_repaint_timer_once(window):
    panels = window.panels()
    assert len(panels) == len(set(map(id, panels))) == len(window.docks) + 4
    before = window.refreshes
    window.charts.grab()
    assert window.refreshes >= before


def test_a_larger_window_gives_the_charts_the_space(qtbot, window):
    window.resize(1300, 820)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.steady._room() == window.steady._size)
    charts, ticket, tables = (window.docks[name] for name in ("charts", "ticket", "positions"))
    high, before = charts.height(), (ticket.width(), tables.height())
    window.resize(1900, 1060)
    qtbot.waitUntil(lambda: charts.height() >= high + 200)
    assert (ticket.width(), tables.height()) == before
