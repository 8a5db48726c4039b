"""The session library for real: its window, its thread, a profile written by dice."""

import json

import pytest
from library_rig import put_tape, small_profile
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu
from ui.ui_rig import THEME, Rig

from basisdesk.app.library import Here, Libraries
from basisdesk.app.library_commands import add_library
from basisdesk.config import Settings
from basisdesk.lab.library_report import Now
from basisdesk.ui.library_door import LIBRARY_KEY, LibraryDoor


@pytest.fixture
def opened(tmp_path, qtbot):
    profile = tmp_path / "profile"
    small_profile(profile)
    put_tape(profile / "simulated", "one-2")
    played = []
    here = Here("main", "simulated", "two", lambda: Now({}, {"bad_frames": 7}))
    library = Libraries(profile, Settings(), played.append, here)
    rig = Rig()
    rig.context.library = library
    home = QMainWindow()
    qtbot.addWidget(home)
    door = LibraryDoor(rig.context, THEME, home, QMenu(home))
    assert door.action.shortcut().toString() == LIBRARY_KEY
    window = door.open()
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: len(library.lines()) == 4)
    yield window, library, profile, played, door
    library.close()
    door.close()


def choose(window, *sessions):
    window.list.table.clearSelection()
    for session in sessions:
        rows = window.list.table.rows_model.rows
        at = window.list.table.rows_model.index(
            next(n for n, row in enumerate(rows) if row.session == session), 0
        )
        model = window.list.table.selectionModel()
        flags = model.SelectionFlag.Select | model.SelectionFlag.Rows
        model.select(window.list.table.proxy.mapFromSource(at), flags)


def words(window):
    window.view.finish()
    return " ".join(
        label.text().replace("\u200b", "") for label in window.view.findChildren(QLabel)
    )


def test_a_life_with_the_library(opened, qtbot, monkeypatch, tmp_path):
    window, library, profile, played, door = opened
    buttons = window.list.buttons
    choose(window, "two")  # the running one: its report knows the desk's own counters
    window.show_report()
    qtbot.waitUntil(lambda: "Session two" in words(window))
    assert not buttons["replay"].isEnabled()
    assert "runs now" in library.trash_words([window.list.chosen()[0].key])[1]
    choose(window, "one")
    window.list.search.setText("nothing like it")
    assert door.open_running()  # from the note of a saved log
    qtbot.waitUntil(lambda: [line.session for line in window.list.chosen()] == ["two"])
    choose(window, "one")
    window.list.tags.setText("carry; first")
    window.list.note.setText("a try")
    window.list.keep_mark()
    assert json.loads((profile / "sessions.json").read_text())["marks"]["one"]["note"] == "a try"
    window.list.search.setText("CARRY try")
    assert window.list.table.proxy.rowCount() == 1
    window.list.search.clear()
    window.list.mode.setCurrentIndex(window.list.mode.findData("live"))
    assert window.list.table.proxy.rowCount() == 1
    window.list.mode.setCurrentIndex(0)
    choose(window, "one")
    menus = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _at: menus.append(menu))
    window.list.buttons["replay"].click()
    assert [each.text() for each in menus[0].actions()] == ["Part 1, 0.0 MB", "Part 2, 0.0 MB"]
    menus[0].actions()[1].trigger()
    assert [path.name for path in played] == ["one-2.tape"]
    opened_urls = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened_urls.append)
    window.list.buttons["page"].click()
    qtbot.waitUntil(lambda: bool(opened_urls))
    assert opened_urls[0].toLocalFile().startswith(str(profile / "export"))
    choose(window, "one", "three")
    window.list.buttons["compare"].click()
    qtbot.waitUntil(lambda: "Sessions side by side" in words(window))
    choose(window, "one")
    dialog = window.ask_trash()
    dialog.accept()
    qtbot.waitUntil(lambda: len(library.trashed()) == 1)
    assert {line.session: line.tape for line in library.lines()}["one"] is None
    again = window.ask_restore()
    again.accept()
    qtbot.waitUntil(lambda: not library.trashed())
    window.import_trades(str(tmp_path / "nothing.csv"))
    qtbot.waitUntil(lambda: "Cannot read" in window.said.text())


def test_a_fault_in_the_thread_is_told_and_the_next_question_is_answered(opened, qtbot):
    _, library, *_ = opened
    told = []

    def broken():
        raise ZeroDivisionError

    library._show(broken, lambda found, sentence: told.append((found, sentence)))
    qtbot.waitUntil(lambda: bool(told))
    assert told[0][0] is None
    assert "fault of its own" in told[0][1]
    library.look(told.append)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1] == ""


def test_a_rate_that_is_none_is_told_and_not_used(opened):
    window, *_ = opened
    for typed in ("x", "99", "nan"):
        window.funding.setText(typed)
        window.import_trades("/nowhere.csv")
        assert "at most 4 in 8 h" in window.said.text()


def test_both_commands(tmp_path, capsys):
    import argparse

    from basisdesk.app.lab_commands import Ends

    small_profile(tmp_path / "p")
    shown = []
    ends = Ends(lambda found, lines, as_json: shown.append((found, lines)) or 0,
                lambda _arguments: tmp_path / "p")  # fmt: skip
    parser = argparse.ArgumentParser()
    add_library(parser.add_subparsers(), ends, lambda _arguments: Settings())
    arguments = parser.parse_args(["sessions", "--json"])
    assert arguments.run(arguments) == 0
    assert [row["session"] for row in shown[0][0]["sessions"]] == ["four", "three", "two", "one"]
    assert "net" in shown[0][1][0]
    file = tmp_path / "trade_log.csv"
    from basisdesk.lab.trade_log import COLUMNS

    file.write_text(",".join(COLUMNS) + "\n")
    arguments = parser.parse_args(
        ["import-trades", str(file), "--funding", "0.01", "--out", str(tmp_path / "page")]
    )
    assert arguments.run(arguments) == 0
    assert (tmp_path / "page" / "report.html").is_file()
