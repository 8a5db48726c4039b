"""Ctrl-C in a study of the lab: the first lets it say what it kept, the second ends it."""

import signal

import pytest

from basisdesk.app import lab_commands
from basisdesk.app.lab_commands import Study
from basisdesk.cli import main
from basisdesk.lab.words import told


@pytest.fixture
def typed(monkeypatch, tmp_path, capfd):
    """Runs `basisdesk lab replicate` with this in its place; gives code and stderr."""

    def run(study):
        opened = lambda: Study(lambda _parser: None, study)  # noqa: E731
        monkeypatch.setitem(lab_commands.STUDIES, "replicate", ("made up", opened))
        before = signal.getsignal(signal.SIGINT)
        code = main(["lab", "replicate", "--profile", str(tmp_path), "--progress", "none"])
        assert signal.getsignal(signal.SIGINT) is before
        return code, capfd.readouterr().err

    return run


def test_the_first_cancels_and_the_study_says_what_it_kept(typed):
    def study(_arguments, progress):
        told(progress, 1, 4, "parts")
        signal.raise_signal(signal.SIGINT)
        told(progress, 2, 4, "parts")
        raise AssertionError("it went on")

    code, said = typed(study)
    assert code != 0
    assert "Cancelled after 2 of 4 parts." in said
    assert "Traceback" not in said


def test_the_second_ends_a_study_that_does_not_look(typed):
    reached = []

    def study(_arguments, _progress):
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    code, said = typed(study)
    assert reached == ["after the first"]
    assert code != 0
    assert "Stopped at once: lab replicate wrote no run" in said


def test_a_sweep_that_is_interrupted_names_its_log(typed, tmp_path, monkeypatch):
    import basisdesk.lab.sweep as sweep
    from tests.lab.sweep_rig import swept

    monkeypatch.setattr(sweep, "BATCH_TRIALS_MAX", 4)

    def study(arguments, progress):
        def look(done, total, what):
            if done == 8:
                signal.raise_signal(signal.SIGINT)
            return progress(done, total, what)

        return swept(look, seals=arguments.runs_folder)

    _, said = typed(study)
    (log,) = (tmp_path / "lab" / sweep.LOGS).glob("*.jsonl")
    assert f"Cancelled after 8 of 40 trials, which are kept in {log}; the same command" in said
    assert log.read_bytes().count(b'"kind":"trial"') == 8
