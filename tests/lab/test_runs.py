"""Runs on disk: kept, listed, noted, thrown away, never written over."""

import pytest

from basisdesk.errors import UserError
from basisdesk.lab import runs as runs_module
from basisdesk.lab.pages import DATA
from basisdesk.lab.runs import HEAD, TRASH, Asked, Runs

NOW = 1_735_689_600_000_000_000
STUDY = {"study": "sweep", "sentences": ["No trade."], "pre_registration": {"hash": "abc"}}


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")


def test_kept_runs_are_listed_newest_first(runs):
    first = runs.keep(STUDY, Asked("sweep", ("--trials", "3")), NOW)
    runs.keep(STUDY, Asked("sweep"), NOW + 60_000_000_000)
    listed = runs.listed()
    assert [run.utc for run in listed] == ["2025-01-01 00:01:00", "2025-01-01 00:00:00"]
    assert listed[1].name == first.name
    assert (listed[1].said, listed[1].digest) == ("No trade.", "abc")
    assert runs.study(first.name)["study"] == "sweep"


def test_two_runs_of_one_second_are_two(runs):
    names = {runs.keep(STUDY, Asked("sweep"), NOW).name for _ in range(3)}
    assert len(names) == len(runs.listed()) == 3


def test_a_note_stays_with_its_run(runs):
    name = runs.keep(STUDY, Asked("sweep"), NOW).name
    runs.noted(name, "worth another look")
    assert Runs(runs.folder).listed()[0].note == "worth another look"


def test_what_is_thrown_away_lies_in_the_trash(runs):
    name = runs.keep(STUDY, Asked("sweep"), NOW).name
    place = runs.to_trash(name)
    assert runs.listed() == []
    assert place == runs.folder / TRASH / name
    assert (place / DATA).is_file()


def test_a_damaged_run_is_left_out_and_said_when_opened(runs):
    place = runs.keep(STUDY, Asked("sweep"), NOW)
    (place / DATA).write_text("{")
    assert runs.listed() == []
    with pytest.raises(UserError, match="damaged"):
        runs.study(place.name)


@pytest.mark.parametrize("name", ["../../etc", "20250101T000000Z-../x", "", TRASH])
def test_a_name_leads_nowhere_else(runs, name):
    with pytest.raises(UserError, match="is not the name of a run"):
        runs.to_trash(name)


def test_no_folder_is_no_runs(runs):
    assert runs.listed() == []


def test_a_list_reads_heads_and_no_study_whole(runs, monkeypatch):
    kept = runs.keep(STUDY, Asked("sweep"), NOW)
    (kept / HEAD).unlink()  # a run of an older version
    first = runs.listed()

    def never(_path):
        raise AssertionError("a study was read whole")

    monkeypatch.setattr(runs_module, "_study", never)
    assert runs.listed() == first
    assert first[0].said == "No trade."


def test_a_head_that_does_not_fit_its_study_is_made_anew(runs):
    kept = runs.keep(STUDY, Asked("sweep"), NOW)
    (kept / DATA).write_text('{"study": "sweep", "sentences": ["Another."]}')
    assert runs.listed()[0].said == "Another."


def test_looks_in_the_trash_were_looks(runs):
    study = STUDY | {"data": [{"name": "BTC", "digest": "d", "from": "2024-01-01T00:00"}]}
    runs.to_trash(runs.keep(study, Asked("sweep"), NOW).name)
    seen = [(look.digest, look.name, look.first) for looks in runs.looks() for look in looks]
    assert seen == [("d", "BTC", "2024-01-01")]
