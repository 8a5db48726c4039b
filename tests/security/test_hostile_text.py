"""Two hundred hostile strings against every kind of place that shows or writes a text."""

import csv
import io
import re
import string
import time
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from ui.ui_rig import THEME, Rig

from basisdesk.app.accounts import checked_name
from basisdesk.engine import LogLine
from basisdesk.errors import UserError
from basisdesk.feed.faults import TEXT_MAX
from basisdesk.feed.faults import clean as clean_reason
from basisdesk.lab.pages import study_page
from basisdesk.lab.report import safe_cell
from basisdesk.lab.runs import Runs
from basisdesk.scan.alerts import clean as clean_name
from basisdesk.ui.log_panel import LogPanel
from basisdesk.ui.status_line import Banner
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import safe, set_tip

PLAIN = string.ascii_letters + string.digits + "_-"
OURS = re.compile(
    r"<(?:!doctype|/?(?:html|head|meta|title|style|body|h[12]|p|d[ltd]|table|t[rhd]|div|ul|li|svg))\b"
)
STALL_S = 0.05  # of the thread's own time; no text may hold the window up longer
TABLES = "<table><tr><td>" * 19 + "x" + "</td></tr></table>" * 19  # Qt's layout needs 20 s for it
CORE = (
    "<b>bold</b>", "<img src=x onerror=alert(1)>", '<img src="file:///etc/passwd">', TABLES,
    "<a href='https://evil.example'>here</a>", "<script>1</script>", "<qt>rich</qt>", "<!-- x -->",
    '<iframe src="//host/share">', "<svg/onload=1>", "&lt;b&gt;", "&#60;b&#62;", "a < b > c",
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\0=1", '=cmd|"/c x"!A1',
    "'=1", '"quoted"', "a,b;c", "line\nline", "line\r\nline", "\u202egnp.exe", "\u2066x\u2069",
    "\u200bzero", "\ufeffbom", "e\u0301" * 200, "\U0001f4a3" * 50, "\ud800", "%s%n%x", "{0}{x}",
    "../../etc/passwd", "C:\\Windows", "\\\\host\\share", "NUL", "\x1b[31mred", "\x07",
    "x" * 10_000, "", " ", "\u3000", "\u2028two", "{{7*7}}", "${x}",
)  # fmt: skip
HOSTILE = tuple(
    text for core in CORE for text in (core, f"ADA{core}", f"{core}USDT", core.upper() + "!")
)


@pytest.fixture(autouse=True)
def _quick():
    """A test here goes over all strings; none of them may cost more than its share."""
    begun = time.thread_time()
    yield
    assert time.thread_time() - begun < len(HOSTILE) * STALL_S


def test_there_are_two_hundred():
    assert len(HOSTILE) == 200


def test_a_label_shows_the_very_characters(qtbot):
    label = THEME.label("")
    qtbot.addWidget(label)
    for text in HOSTILE:
        label.setText(text)
        begun = time.thread_time()
        label.sizeHint()
        assert time.thread_time() - begun < STALL_S, text[:40]
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert not label.openExternalLinks()


def test_a_tip_shows_the_very_characters(qtbot):
    label = THEME.label("x")
    qtbot.addWidget(label)
    for text in HOSTILE:
        set_tip(label, text)
        document = QTextDocument()
        begun = time.thread_time()
        document.setHtml(label.toolTip())
        shown = document.toPlainText()
        assert time.thread_time() - begun < STALL_S, text[:40]
        assert document.allFormats()[0].isValid()
        # white space may be joined; markup must have stayed characters
        assert shown.count("<") == text.count("<")
        assert shown.count("&") == text.count("&")


def test_a_table_holds_the_very_characters_and_its_tips_no_markup(qtbot):
    columns = (Column("Name", lambda row: row, left=True, detail=lambda row: row),)
    table = TableView(columns, THEME)
    qtbot.addWidget(table)
    table.show_rows(HOSTILE)
    for row, text in enumerate(HOSTILE):
        cell = table.proxy.index(row, 0)
        if "\ud800" not in text:  # Qt has no place for half a character
            assert cell.data(Qt.ItemDataRole.DisplayRole) == text.removeprefix("\ufeff")
        tip = cell.data(Qt.ItemDataRole.ToolTipRole) or ""
        assert tip.count("<") in (0, safe(text).count("<"))


def test_log_and_notice_take_all_of_them(qtbot):
    rig = Rig()
    panel, banner = LogPanel(rig.context, THEME), Banner(rig.context, THEME)
    qtbot.addWidget(panel)
    qtbot.addWidget(banner)
    for text in HOSTILE:
        rig.engine.log.append(LogLine(rig.engine.now_ns, "warn", "x", text))
        rig.context.status.banner = text
        begun = time.thread_time()
        banner.refresh()
        assert time.thread_time() - begun < STALL_S, text[:40]
    begun = time.thread_time()
    panel.refresh()
    assert time.thread_time() - begun < 5 * STALL_S  # two hundred lines at once


@pytest.mark.parametrize("clean", [clean_reason, clean_name])
def test_words_from_outside_are_short_and_without_markup_or_controls(clean):
    for text in HOSTILE:
        kept = clean(text)
        assert len(kept) <= max(TEXT_MAX, 200)
        assert not set(kept) & set("<>&")
        assert not any(unicodedata.category(mark) in ("Cc", "Cf", "Cs") for mark in kept)


def test_no_cell_of_a_csv_file_is_a_formula():
    for text in HOSTILE:
        out = io.StringIO()
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow([safe_cell(text)])
        out.seek(0)
        cell = next(csv.reader(out), [""])[0]
        first = cell.lstrip()[:1]
        assert first not in ("=", "+", "-", "@"), repr(text[:40])


def test_no_tag_gets_through_to_a_page():
    """A study whose every text is hostile: tags of ours only, and no address anywhere."""
    texts = [text for text in HOSTILE if "\ud800" not in text]  # half of a character, in no file
    table = {
        "title": texts[1],
        "columns": texts[:2],
        "rows": [[a, a] for a in texts],
        "note": "<x>",
    }
    page = study_page(
        {
            "study": "<b>s</b>",
            "title": "<img src=x>",
            "sentences": texts,
            "tables": [table],
            "data": [],
            "charts": [{"title": "<b>", "kind": "<i>"}],
            "made_by": dict.fromkeys(texts, "<u>"),
        }
    )
    assert "<" not in OURS.sub("", page)


@pytest.mark.parametrize("place", [checked_name, lambda name: Runs(Path("runs")).page(name)])
def test_no_name_leads_out_of_its_folder(place):
    for text in HOSTILE:
        with pytest.raises(UserError):
            place(text + "/x")
        with suppress(UserError):
            place(text)
            assert set(text) <= set(PLAIN)
