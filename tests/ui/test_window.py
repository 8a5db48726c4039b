"""The window: docks, keys, layouts that survive anything, and dialogs that never block."""

import random
from decimal import Decimal

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QDockWidget, QLabel
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import ClosePair, ExitPlan, Flatten, Halt, OpenPair, Resume
from basisdesk.ui.glossary import TERMS, term
from basisdesk.ui.help_dialog import versions
from basisdesk.ui.theme import PlainLabel
from basisdesk.ui.window import FIRST_SIZE, LAYOUT_MAGIC, MainWindow

D = Decimal


@pytest.fixture
def rig():
    return Rig().begin()


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
        "charts", "ticket", "positions", "funding", "ledger", "feeds", "log",
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
    window.flatten()
    window.resume()
    assert rig.orders(Flatten) == [Flatten()]
    assert rig.orders(Resume) == [Resume("by hand")]


def test_ctrl_and_a_digit_bring_a_table_to_the_front(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.feeds.isVisible, timeout=1000)
    assert not window.positions.isVisible()  # so that it is not refreshed either


def test_the_title_of_the_positions_tab_counts_open_pairs(rig, window):
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.refresh_all()
    assert window.docks["positions"].windowTitle() == "Positions  1"


def test_ticket_and_chart_share_their_lines(window):
    window.charts.target_dragged.emit(7.5)
    assert window.ticket.form.target.edit.text() == "7.5"
    window.charts.stop_dragged.emit(141.0)
    assert window.ticket.draft().stop_bp == 141


def test_the_selected_pair_is_on_the_chart_until_somebody_turns_to_the_ticket(qtbot, rig, window):
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(120), D(72))))
    window.refresh_all()
    window.refresh_all()
    basis = window.charts.chart.panes[1]
    assert "own stop" in {line.name for line in basis.lines}
    edit = window.ticket.form.stop.edit
    qtbot.mouseClick(edit, Qt.MouseButton.LeftButton)
    assert window.positions.table.chosen() is None
    window.refresh_all()
    assert "own stop" not in {line.name for line in basis.lines}
    window.positions.table.choose(0)
    qtbot.keyClick(window.charts.chart, Qt.Key.Key_Escape)
    assert window.positions.table.chosen() is None


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
    assert hidden(other) == {"log", "ledger"}
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
        assert hidden(window) == set()
    assert window.restore_layout(saved)


def test_flipped_bits_give_some_layout_and_never_an_empty_window(window):
    saved = bytearray(window.save_layout())
    rng = random.Random(11)
    for _ in range(40):
        flipped = bytearray(saved)
        flipped[rng.randrange(len(LAYOUT_MAGIC), len(saved))] ^= 1 << rng.randrange(8)
        window.restore_layout(bytes(flipped))
        assert len(hidden(window)) < len(window.docks)


def test_a_dock_that_a_layout_put_nowhere_is_rescued(qtbot, window):
    """Found on a fresh machine: a layout saved in a tiny window came back without its charts."""
    charts = window.docks["charts"]
    charts.setGeometry(-973, -749, 473, 249)
    window._rescue()
    qtbot.waitUntil(lambda: window.rect().contains(charts.geometry()))
    assert charts.width() > 600


def test_reset_brings_everything_back(window):
    for dock in window.docks.values():
        dock.close()
    window.reset_layout()
    assert hidden(window) == set()


def test_a_window_from_a_monitor_that_is_gone_comes_back_onto_the_screen(qapp, window):
    window.move(20_000, 20_000)
    window._bring_back()
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
    for label in (label for line in form.lines for label in line if not label.isHidden()):
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
    assert len(panels) == len(set(map(id, panels))) == 10
    before = window.refreshes
    window.charts.grab()
    assert window.refreshes >= before
