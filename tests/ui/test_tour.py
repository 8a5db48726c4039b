"""Welcome, tour and guide window: keys, places, and that nothing blocks or covers."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QUrl
from PySide6.QtWidgets import QMenu
from ui_rig import THEME, Rig

from basisdesk.config import Scanner, Settings
from basisdesk.events import Halt
from basisdesk.ui.help_door import AFTER, HelpDoor
from basisdesk.ui.help_pages import DOCK_PAGES, INDEX, PAGES
from basisdesk.ui.help_window import HelpWindow
from basisdesk.ui.saved_note import SavedNote
from basisdesk.ui.tour_rows import Box, place, stops
from basisdesk.ui.welcome import Welcome
from basisdesk.ui.welcome_rows import about, live_about, offers, pair_of
from basisdesk.ui.window import MainWindow


class First:
    """Remembers what was chosen."""

    def __init__(self, welcomed=False, toured=False):
        self.welcomed, self.toured = welcomed, toured
        self.chosen = []

    def choose(self, mode, pair):
        self.welcomed = True
        self.chosen.append((mode, pair))

    def set_toured(self):
        self.toured = True


@pytest.fixture(scope="module")
def desk(qapp):
    """One rig and one window for all: a window takes a third of a second to build."""
    rig = Rig().begin()
    window = MainWindow(rig.context, THEME)
    yield rig, window
    window.close()
    window.deleteLater()


@pytest.fixture
def rig(desk):
    rig = desk[0]
    rig.context.first_run = First()
    rig.sent.clear()
    return rig


@pytest.fixture
def window(qtbot, desk, rig):
    window = desk[1]
    window.reset_layout()
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.fixture
def door(rig, window):
    door = HelpDoor(rig.context, THEME, window, QMenu(window))
    yield door
    if door.tour is not None:
        door.tour.leave()


def inside(window, widget, area=None):
    area = area or widget.rect()
    return QRect(widget.mapTo(window, area.topLeft()), area.size())


# --- pure -----------------------------------------------------------------------------------------

ROOM = Box(0, 0, 1280, 800)


@pytest.mark.parametrize(
    "part",
    [
        Box(0, 20, 1160, 70),
        Box(270, 90, 660, 460),
        Box(940, 90, 340, 460),
        Box(0, 560, 1280, 210),
        Box(1190, 30, 90, 40),
        Box(0, 0, 900, 800),
    ],
)
def test_the_panel_stands_in_the_window_and_covers_nothing_it_explains(part):
    for size in ((372, 182), (340, 240)):
        found = place(size, [part], ROOM)
        assert found.shared(part) == 0
        assert found.shared(ROOM) == found.width * found.height


def test_two_parts_are_both_left_free_and_no_room_means_the_least_covered():
    halt, menu = Box(1190, 30, 90, 40), Box(0, 0, 60, 24)
    found = place((372, 182), [halt, menu], ROOM)
    assert found.shared(halt) == found.shared(menu) == 0
    small = Box(0, 0, 300, 200)
    squeezed = place((372, 182), [Box(0, 0, 300, 120)], small)
    assert squeezed.width == 300
    assert squeezed.bottom <= 200
    assert squeezed.top > 0


def test_five_steps_name_what_is_on_the_screen():
    found = stops("simulated", 2_000, AFTER)
    assert len(found) == 5
    assert "SIMULATED" in found[0].text
    assert "2.0 s" in found[0].text
    assert found[4].text.endswith(AFTER)
    assert "LIVE" in stops("live", 500, "")[0].text
    assert "0.5 s" in stops("live", 500, "")[0].text


def test_the_welcome_says_who_is_asked_and_what_is_sent():
    assert about(Settings()).count(". ") == 2
    said = live_about(Settings())
    assert "Binance, Bybit, Kraken and OKX" in said
    assert "nothing else" in said
    alone = live_about(Settings(scanner=Scanner(on=False)))
    assert "feeds of Bybit. They" in alone


def test_a_pair_that_is_not_in_the_list_is_offered_first():
    assert offers(pair_of("ADA"))[0].pair == pair_of("ADA")
    other = ("okx:spot:X-USDT", "okx:perp:X-USDT-SWAP")
    assert offers(other)[0].pair == other
    assert offers(("", ""))[0].pair == pair_of("ADA")


# --- the welcome ----------------------------------------------------------------------------------


def test_one_click_of_the_welcome_begins_with_what_is_marked(rig, qapp):
    welcome = Welcome(rig.context, THEME)
    said = []
    welcome.chosen.connect(lambda *a: said.append(a))
    welcome.open()
    assert not welcome.isHidden()
    assert welcome.start.isDefault()
    welcome.start.click()
    assert said == [("simulated", pair_of("ADA"), True)]


def test_the_welcome_works_by_keys_and_names_what_its_button_does(qtbot, rig):
    welcome = Welcome(rig.context, THEME)
    said = []
    welcome.chosen.connect(lambda *a: said.append(a))
    welcome.open()
    welcome.activateWindow()
    welcome.modes["simulated"].setFocus()
    qtbot.waitUntil(welcome.modes["simulated"].hasFocus, timeout=1_000)
    qtbot.keyClick(welcome.modes["simulated"], Qt.Key.Key_Down)
    assert welcome.mode == "live"
    assert "live" in welcome.start.text()
    qtbot.keyClick(welcome.pairs, Qt.Key.Key_Down)
    qtbot.keyClick(welcome.tour, Qt.Key.Key_Space)
    qtbot.keyClick(welcome, Qt.Key.Key_Return)
    assert said == [("live", pair_of("BTC"), False)]


def test_escape_goes_on_with_what_is_there(qtbot, rig, door):
    door.first_steps()
    qtbot.keyClick(door.welcome, Qt.Key.Key_Escape)
    assert rig.context.first_run.chosen == [("simulated", None)]
    assert rig.context.first_run.toured
    assert door.tour is None


# --- what a start shows ---------------------------------------------------------------------------


def test_a_first_start_goes_from_welcome_to_tour_to_guide(qtbot, rig, window, door):
    door.first_steps()
    door.welcome.start.click()
    assert rig.context.first_run.chosen == [("simulated", pair_of("ADA"))]
    assert not rig.context.first_run.toured
    for _ in range(5):
        door.tour.next.click()
    assert door.tour is None
    assert rig.context.first_run.toured
    assert not window.docks["guide"].isHidden()


def test_choosing_live_leaves_the_tour_to_the_desk_that_comes(rig, door):
    door.first_steps()
    door.welcome.modes["live"].setChecked(True)
    door.welcome.start.click()
    assert rig.context.first_run.chosen[0][0] == "live"
    assert door.tour is None
    assert not rig.context.first_run.toured


def test_the_second_start_offers_the_tour_once_and_later_ones_nothing(rig, door):
    rig.context.first_run = First(welcomed=True)
    door.first_steps()
    assert door.welcome is None
    door.tour.leave()
    assert rig.context.first_run.toured
    door.first_steps()
    assert door.tour is None


def test_nobody_is_welcomed_where_nothing_is_remembered(rig, door):
    rig.context.first_run = None
    door.first_steps()
    assert (door.welcome, door.tour) == (None, None)


# --- the tour -------------------------------------------------------------------------------------


def test_each_step_stands_beside_what_it_outlines(qtbot, window, door):
    for name in ("ticket", "positions"):
        window.docks[name].close()
    tour = door.take_tour()
    shown = {
        1: lambda: inside(window, window.charts),
        2: lambda: inside(window, window.ticket),
        3: lambda: inside(window, window.positions),
        4: lambda: inside(window, window.topbar.halt_box),
    }
    for at in range(5):
        assert tour.count.text() == f"Step {at + 1} of 5"
        assert f"step {at + 1} of 5" in tour.accessibleName()
        if at in shown:
            qtbot.waitUntil(
                lambda at=at: not tour.geometry().intersects(shown[at]()), timeout=1_000
            )
            assert window.rect().contains(tour.geometry())
        tour.next.click()
    assert door.tour is None


def test_the_tour_goes_by_arrows_and_escape_and_halt_still_works(qtbot, rig, window, door):
    tour = door.take_tour()
    qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    assert tour.at == 2
    qtbot.keyClick(tour.next, Qt.Key.Key_Left)
    assert tour.at == 1
    rig.sent.clear()
    qtbot.keyClick(tour.next, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert rig.orders(Halt) == [Halt("by hand")]
    qtbot.keyClick(tour.back, Qt.Key.Key_Escape)
    assert door.tour is None


def test_an_arrow_too_many_does_not_end_the_tour(qtbot, door):
    tour = door.take_tour()
    for _ in range(9):
        qtbot.keyClick(tour.next, Qt.Key.Key_Right)
    assert tour.at == 4
    assert tour.next.text() == "Done"


def test_the_tour_follows_a_window_that_shrinks(qtbot, window, door):
    tour = door.take_tour()
    tour.go_on()
    window.resize(1040, 680)
    qtbot.waitUntil(lambda: window.rect().contains(tour.geometry()), timeout=1_000)


def test_the_outline_takes_no_clicks(qtbot, window, door):
    tour = door.take_tour()
    tour.go_on()
    edge = inside(window, window.charts).topLeft() + QPoint(1, 1)
    strip = window.childAt(edge)
    assert strip is None or not strip.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


# --- the guide's window ---------------------------------------------------------------------------


@pytest.fixture
def guide(qtbot, qapp):
    guide = HelpWindow(THEME)
    qtbot.addWidget(guide)
    guide.show()
    return guide


def test_every_page_opens_in_the_window_with_its_title(guide):
    for name, title in PAGES.items():
        guide.show_page(name)
        assert guide.page == name
        assert title in guide.windowTitle()
        assert guide.view.toPlainText().startswith(title)
    guide.show_page("nothing of the kind")
    assert guide.page == INDEX


def test_links_stay_inside_and_back_comes_back_to_the_place(guide):
    guide.show_page("numbers", "risk")
    place = guide.view.verticalScrollBar().value()
    assert place > 0
    guide.view.anchorClicked.emit(QUrl("forecast.md#autopilot"))
    assert guide.page == "forecast"
    guide.view.anchorClicked.emit(QUrl("https://example.org/"))
    assert guide.page == "forecast"
    guide.go_back()
    assert (guide.page, guide.view.verticalScrollBar().value()) == ("numbers", place)
    assert guide.ahead.isEnabled()
    guide.go_on()
    assert guide.page == "forecast"
    assert guide.view.loadResource(2, QUrl("file:///etc/passwd")) is None


def test_search_lists_what_was_found_and_enter_opens_it(qtbot, guide):
    guide.search.setText("recalled")
    assert guide.contents.count() == 1
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert guide.page == "limits"
    guide.search.setText("zebra")
    assert "Nothing" in guide.contents.item(0).text()
    qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert guide.page == "limits"
    guide.search.clear()
    assert guide.contents.count() == len(PAGES)


def test_f1_opens_the_page_of_a_dock_and_every_dock_has_one(window, door):
    assert set(window.docks) <= set(DOCK_PAGES)
    found = door.open_for("risk")
    assert found.page == "faults"
    assert door.open_for("ledger") is found
    door.open_at(window.ticket.form.size_field.edit)
    assert found.page == "ticket"
    door.open_at(None)
    assert found.page == INDEX
    door.close()
    assert not found.isVisible()


# --- the saved log --------------------------------------------------------------------------------


def test_a_saved_log_offers_its_report_in_the_corner(qtbot, window, tmp_path):
    opened, asked, inside = [], [], [True]
    note = SavedNote(
        THEME, window, lambda: asked.append(1), inside.pop, lambda p: not opened.append(p)
    )
    note.tell(tmp_path)
    note.files.click()
    assert opened.pop() == tmp_path
    assert note.isVisible()
    assert note.isVisible()
    assert window.rect().contains(note.geometry())
    note.report.click()  # in a window of ours
    assert opened == []
    assert not note.isVisible()
    note.tell(tmp_path)
    inside.append(False)
    note.report.click()  # a replay has none: the system's own program
    assert opened == [tmp_path / "report.html"]
    assert not note.isVisible()
    note.tell(tmp_path)
    note.other.click()
    assert asked == [1]


def test_where_no_program_opens_a_report_the_place_is_said(window, tmp_path):
    note = SavedNote(THEME, window, lambda: None, lambda: False, lambda _: False)
    note.tell(tmp_path)
    note.report.click()
    assert note.isVisible()
    assert "lies in this folder" in note.title.text()
    assert note.where.text() == str(tmp_path)
