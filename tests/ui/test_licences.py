"""About lists the licences of what runs here; Resume says why it is off."""

from PySide6.QtWidgets import QLabel, QMenu
from ui_rig import THEME, Rig

from basisdesk.events import Halt
from basisdesk.ui.glossary import TERMS
from basisdesk.ui.help_dialog import AboutDialog
from basisdesk.ui.help_pages import GLOSSARY, headings, page_text, search
from basisdesk.ui.palette_sources import menu_entries
from basisdesk.ui.window import MainWindow

NOTICES = [
    ("basisdesk", "0.1", "MIT", "Permission is hereby granted."),
    ("qtpart", "6.11", "LGPL-3.0-only", "<b>no markup</b>"),
]


def test_about_has_a_list_that_can_be_searched_and_says_what_is_not_sent(qtbot):
    asked = []
    dialog = AboutDialog(THEME, None, lambda: asked.append(1) or NOTICES)
    qtbot.addWidget(dialog)
    view = dialog.licences
    assert not asked  # it takes a tenth of a second: first the window, then the list
    qtbot.waitUntil(lambda: view.text.toPlainText() == NOTICES[0][3], timeout=1000)
    view.search.setText("lgpl")
    assert view.table.proxy.rowCount() == 1
    assert view.text.toPlainText() == "<b>no markup</b>"
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "No telemetry and no update check" in said
    assert "MIT licence" in said
    bare = AboutDialog(THEME)
    qtbot.addWidget(bare)
    assert bare.licences is None


def test_resume_is_off_with_its_reason_until_something_is_halted(qtbot, qapp):
    rig = Rig().begin()
    window = MainWindow(rig.context, THEME)
    qtbot.addWidget(window)
    bars = window.bars
    trade = next(each for each in bars.bar.findChildren(QMenu) if each.title() == "Trade")

    def entry():
        return next(e for e in menu_entries(window.menus) if e.text.startswith("Resume"))

    assert entry().why == "Entries are not halted."
    trade.aboutToShow.emit()
    assert not bars.resume.isEnabled()
    rig.submit(Halt("by hand"))
    assert entry().why == ""
    trade.aboutToShow.emit()
    assert bars.resume.isEnabled()
    assert bars.resume.text() == "Resume\u2026"
    window.close()


def test_the_guide_has_a_page_of_all_terms():
    text = page_text(GLOSSARY)
    assert len(headings(text)) == len(TERMS) + 1
    assert search("maintenance margin")[0].page == GLOSSARY
    assert "\\" not in "".join(hit.excerpt for hit in search("threshold p"))
