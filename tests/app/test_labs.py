"""The lab in the window: a study as a child process, progress, stop, failure, queue, run list."""

import asyncio
import sys
import textwrap

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from basisdesk.app import lab_process
from basisdesk.app.lab_commands import STUDIES
from basisdesk.app.labs import WAITING_MAX, Labs
from basisdesk.app.own_program import own_command
from basisdesk.lab.runs import Asked, Runs
from basisdesk.ui.lab_rows import job_end
from basisdesk.ui.lab_view import LabView
from basisdesk.ui.lab_window import LabWindow
from basisdesk.ui.theme import DARK

NOW_NS = 1_789_722_862_000_000_000
WAIT_MS = 10_000
STUDY = {
    "study": "replicate",
    "title": "Made up",
    "sentences": ["Two excursions in 2022."],
    "pre_registration": {"hash": "ab" * 32, "parameters": {"r": 0}},
    "tables": [{"title": "T", "columns": ["n"], "rows": [[1], [2]]}],
    "charts": [
        {
            "kind": kind, "title": kind, "x_title": "x", "y_title": "y", "x": ["a", "b"],
            "lines": [{"name": "one", "y": [1.0, -2.0], "low": [0, -3], "high": [2, None]}],
        }
        for kind in ("line", "points", "bars", "heat")
    ],
}  # fmt: skip
SAYS = """
    import sys
    print('{"done": 1, "total": 4, "what": "parts"}', file=sys.stderr, flush=True)
    print("A sentence.")
    print("Page: /somewhere/20261121T000000Z-fake/report.html")
"""
STAYS = """
    import sys, time
    print('{"done": 1, "total": 4, "what": "parts"}', file=sys.stderr, flush=True)
    time.sleep(60)
"""
DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)" + textwrap.dedent(STAYS)
FAILS = "import sys\nprint('basisdesk: No folder. Name one.', file=sys.stderr)\nsys.exit(2)"
TELLS = """
    import sys, time
    print('{"done": 1, "total": 4, "what": "parts"}', file=sys.stderr, flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("basisdesk: Cancelled after 1 of 4 parts.", file=sys.stderr, flush=True)
        sys.exit(2)
"""
LATE = """
    import signal, sys, time
    asked = []
    def heard(*_):
        asked.append(1)
        if len(asked) == 2:
            print("basisdesk: Cancelled late.", file=sys.stderr, flush=True)
            sys.exit(2)
    signal.signal(signal.SIGINT, heard)
    print('{"done": 1, "total": 4, "what": "parts"}', file=sys.stderr, flush=True)
    while True:
        time.sleep(60)
"""
BREAKS = "raise ValueError('odd')"


@pytest.fixture
def made(qtbot, tmp_path):
    """Makes a lab whose studies run this text of Python."""
    built = []

    def make(code=SAYS):
        text = textwrap.dedent(code)
        labs = Labs(
            LabView(tmp_path, STUDIES), None, lambda _arguments: [sys.executable, "-c", text]
        )
        built.append(labs)
        return labs

    yield make
    for labs in built:
        asyncio.run(labs.close())


def ended(labs, number=0):
    return lambda: bool(labs.view.jobs) and labs.view.jobs[number].over


def test_a_study_runs_in_a_child_and_tells_how_far_it_is(qtbot, made):
    labs = made()
    seen = []
    labs.view.changed.connect(lambda what: seen.append((what, labs.view.jobs[-1])))
    assert labs.run("sweep", ["--trials", "5"]) == ""
    qtbot.waitUntil(ended(labs), timeout=WAIT_MS)
    job = labs.view.jobs[0]
    assert (job.state, job.run) == ("done", "20261121T000000Z-fake")
    assert (job.done, job.total, job.what) == (1, 4, "parts")
    assert job.line.startswith("basisdesk lab sweep --trials 5 --profile ")
    assert {"waiting", "running", "done"} <= {job.state for what, job in seen if what == "jobs"}


@pytest.mark.parametrize("code", [STAYS, DEAF], ids=["polite", "deaf"])
def test_a_study_that_is_stopped_ends_and_keeps_nothing(qtbot, made, monkeypatch, code):
    monkeypatch.setattr(lab_process, "STOP_WAIT_S", 0.3)
    labs = made(code)
    labs.run("sweep", [])
    qtbot.waitUntil(lambda: labs.view.jobs[0].total == 4, timeout=WAIT_MS)
    labs.stop(1)
    assert labs.view.jobs[0].state == "stopping"
    qtbot.waitUntil(ended(labs), timeout=WAIT_MS)
    assert labs.view.jobs[0].state == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child there")
@pytest.mark.parametrize(
    ("code", "said"),
    [(TELLS, "Cancelled after 1 of 4 parts."), (LATE, "Cancelled late.")],
    ids=["at once", "asked twice"],
)
def test_a_study_that_is_stopped_says_what_it_kept(qtbot, made, monkeypatch, code, said):
    monkeypatch.setattr(lab_process, "STOP_WAIT_S", 9.0 if code is TELLS else 1.5)
    labs = made(code)
    labs.run("sweep", [])
    qtbot.waitUntil(lambda: labs.view.jobs[0].total == 4, timeout=WAIT_MS)
    labs.stop(1)
    qtbot.waitUntil(ended(labs), timeout=WAIT_MS)
    assert (labs.view.jobs[0].state, labs.view.jobs[0].said) == ("stopped", said)
    assert job_end(labs.view.jobs[0]) == (said, "muted")


@pytest.mark.parametrize(
    ("code", "said"),
    [(FAILS, "No folder. Name one."), (BREAKS, "The study stopped after a fault (exit code 1).")],
)
def test_a_study_that_fails_says_its_one_sentence(qtbot, made, code, said):
    labs = made(code)
    labs.run("sweep", [])
    qtbot.waitUntil(ended(labs), timeout=WAIT_MS)
    assert labs.view.jobs[0].state == "failed"
    assert labs.view.jobs[0].said.startswith(said)


def test_studies_wait_for_the_one_that_runs_and_not_without_end(qtbot, made):
    labs = made(STAYS)
    for _ in range(WAITING_MAX + 1):
        assert labs.run("sweep", []) == ""
    assert "wait already" in labs.run("sweep", [])
    states = [job.state for job in labs.view.jobs]
    assert states == ["running"] + ["waiting"] * WAITING_MAX
    labs.stop(2)
    assert labs.view.jobs[1].state == "stopped"
    pid = labs._process.pid
    asyncio.run(labs.close())
    assert not lab_process.psutil.pid_exists(pid)
    assert "being left" in labs.run("sweep", [])


def test_what_cannot_be_started_says_so(qtbot, tmp_path):
    labs = Labs(LabView(tmp_path), None, lambda _arguments: [str(tmp_path / "none")])
    labs.run("sweep", [])
    assert labs.view.jobs[0].state == "failed"
    assert labs.view.jobs[0].said.startswith("Cannot start the study")
    asyncio.run(labs.close())


def test_a_frozen_program_is_its_own_interpreter(monkeypatch):
    assert own_command(["lab"])[1:] == ["-m", "basisdesk", "lab"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command(["lab"]) == [sys.executable, "lab"]


# --- the window


@pytest.fixture
def window(qtbot, tmp_path, made):
    runs = Runs(tmp_path / "lab")
    runs.keep(STUDY, Asked("replicate"), NOW_NS)
    runs.keep(STUDY, Asked("replicate"), NOW_NS + 60_000_000_000)
    labs = made()
    window = LabWindow(labs.view, labs, DARK)
    window.finish()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitSignal(labs.view.changed, timeout=WAIT_MS, check_params_cb=is_study):
        window.show()
    return window


def is_study(what):
    return what == "study"


def test_the_newest_run_is_shown_with_sentences_tables_and_charts(window):
    assert window.runs.table.proxy.rowCount() == 2
    window.runs.study.finish()
    assert len(window.runs.study.tables) == 1
    assert [chart.chart.kind for chart in window.runs.study.charts] == [
        "line", "points", "bars", "heat",
    ]  # fmt: skip
    assert not window.runs.study.grab().isNull()
    assert window.claims.table.proxy.rowCount() > 10
    texts = [label.text() for label in window.runs.study.findChildren(QLabel)]
    assert any("(hash does not hold)" in text for text in texts)  # it is made up


def test_note_and_trash_change_the_list(qtbot, window):
    dialog = window.runs.ask_note()
    dialog.text.setText("with r = 0")
    dialog.act.click()
    qtbot.waitUntil(lambda: window.runs.table.rows_model.rows[0].note == "with r = 0")
    window.runs.ask_trash().act.click()
    qtbot.waitUntil(lambda: len(window.runs.table.rows_model.rows) == 1)
    assert window.runs.table.rows_model.rows[0].note == ""


def test_two_runs_side_by_side_from_the_list(qtbot, window):
    with qtbot.waitSignal(
        window._view.changed, timeout=WAIT_MS, check_params_cb=lambda what: what == "compared"
    ):
        qtbot.mouseClick(window.runs.buttons["Compare"], Qt.MouseButton.LeftButton)
    assert window.tabs.currentWidget() is window.beside
    assert len(window.beside.chosen()) == 2
    window.beside.found.finish()
    assert window.beside.found.tables
    window.beside.compare_sessions()
    assert "two saved session logs" in window.beside.problem.text()


def test_what_is_wrong_stands_by_its_field_and_nothing_runs(window):
    setup = window.runs.setup
    setup.choose("replicate")
    assert not setup.rows["--data"].problem.text()  # nobody asked to run yet
    setup.start()
    assert setup.rows["--data"].problem.text() == "Choose a folder."
    assert window._view.jobs == ()
    setup.put({"--data": "/"})
    assert not setup.rows["--data"].problem.text()
    assert setup.line.text().startswith("basisdesk lab replicate --data / --profile")


def test_a_run_from_the_form_ends_in_words(qtbot, window):
    setup = window.runs.setup
    setup.choose("replicate")
    setup.put({"--data": "/"})
    qtbot.mouseClick(setup.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: setup.far.text() == "Replicate is done.", timeout=WAIT_MS)
    assert setup.bar.isHidden()
    assert setup.run.text() == "Run"


def test_a_damaged_run_is_said_over_the_window(qtbot, window, tmp_path):
    run = window.runs.table.rows_model.rows[1]
    (tmp_path / "lab" / run.name / "study.json").write_text("{")
    window.runs.choose(run.name)
    qtbot.waitUntil(lambda: "damaged" in window.said.text(), timeout=WAIT_MS)
    assert not window.said.isHidden()


def test_a_narrow_window_shows_the_form_in_the_place_of_the_study(window):
    runs = window.runs
    assert runs.form.isHidden()
    window.resize(900, 700)
    assert not runs.form.isHidden()
    assert runs.setup.isHidden()
    runs.form.click()
    assert not runs.setup.isHidden()
    assert runs.study.isHidden()
    window.resize(1400, 700)
    assert not runs.study.isHidden()
