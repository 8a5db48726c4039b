"""What a profile remembers of all its sweeps, and a log whose disk is full."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from basisdesk.errors import UserError
from basisdesk.lab import trials
from basisdesk.lab.sweep import LOGS
from basisdesk.lab.trials import SEALS, Busy, Seals, StudyLog
from tests.lab.sweep_rig import SPLITS, swept
from tests.lab.test_trial_log import CELLS, PARAMS, SAID

ALL = SPLITS._replace(sealed=0.0)


def sealed(**more: Any) -> str:
    """What is said of the sealed part."""
    return str(swept(open_sealed=True, **more)["sentences"][-1])


# --- learned is seen ------------------------------------------------------------------------------


def test_what_a_study_without_a_seal_learned_from_can_be_sealed_no_more(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    swept(study=log, splits=ALL)
    swept(study=log, splits=ALL)  # resumed: noted once
    assert log.read_bytes().count(b'"kind":"learned"') == 1
    assert "learned from on 20" in sealed(study=log)


def test_so_in_a_profile_whatever_the_log(tmp_path: Path) -> None:
    swept(study=tmp_path / "a.jsonl", seals=tmp_path, splits=ALL)
    assert "learned from on 20" in sealed(study=tmp_path / "b.jsonl", seals=tmp_path)


def test_a_smaller_seal_has_learned_from_a_part_of_a_larger_one(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    swept(study=log, splits=SPLITS._replace(sealed=0.1))
    assert "learned from on 20" in sealed(study=log)  # a fifth, of which half was seen
    assert "opened on 20" in sealed(study=log, splits=SPLITS._replace(sealed=0.05))


def test_the_same_seal_is_nobodys_loss(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    swept(study=log, seed=8)
    assert sealed(study=log).startswith("Sealed part since")


def test_later_years_of_the_same_name_are_not_these(tmp_path: Path) -> None:
    log = StudyLog(tmp_path / "log.jsonl", "a")
    log.learns("BTC", 1_000, 2_000)
    assert log.opened("BTC", 500, 900) is None
    assert log.opened("BTC", 500, 1_001) is not None
    log.close()


# --- logs that nobody named -----------------------------------------------------------------------


def test_a_sweep_of_a_profile_has_a_log_of_its_plan(tmp_path: Path) -> None:
    found = swept(seals=tmp_path)
    (log,) = (tmp_path / LOGS).glob("*.jsonl")
    assert found["pre_registration"]["hash"].startswith(log.stem)
    assert log.read_bytes().count(b'"kind":"trial"') == 40
    again = swept(seals=tmp_path)
    assert again["figures"] == found["figures"]
    assert log.read_bytes().count(b'"kind":"trial"') == 40  # nothing was run again


def test_sweeps_of_the_same_data_count_whatever_their_log(tmp_path: Path) -> None:
    first = swept(seals=tmp_path)["figures"]
    second = swept(seals=tmp_path, seed=8)["figures"]
    named = swept(seals=tmp_path, seed=9, study=tmp_path / "mine.jsonl")["figures"]
    here = swept(seals=tmp_path, seed=9, study=tmp_path / "mine.jsonl")["figures"]
    assert [each["evaluated"] for each in (first, second, named, here)] == [40, 80, 120, 120]
    assert second["luck"] > first["luck"]
    rows = (tmp_path / SEALS).read_bytes()
    assert rows.count(b'"kind":"counted"') == 3  # the resumed one is no other


def test_a_study_in_the_same_log_is_not_counted_twice(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    swept(seals=tmp_path, study=log)
    assert swept(seals=tmp_path, study=log, seed=8)["figures"]["evaluated"] == 80


def test_other_data_count_for_nothing(tmp_path: Path) -> None:
    for data in ("one", "other"):
        log = StudyLog(tmp_path / data, data, Seals(tmp_path / SEALS, data))
        assert log.others == 0
        log.keep([0], PARAMS[:1], CELLS[:1], SAID[:1])
        log.count()
        log.close()


def test_who_finds_the_profile_busy_waits_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / SEALS
    other = StudyLog(path, "a")
    waits: list[float] = []

    def waited(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.close()

    monkeypatch.setattr(trials.time, "sleep", waited)
    StudyLog(None, "b", Seals(path, "data")).learns("made", 0, 1)
    assert len(waits) == 3
    held = StudyLog(path, "a")
    with pytest.raises(Busy, match="Another sweep writes"):
        StudyLog(None, "b", Seals(path, "data"))
    held.close()


# --- the file -------------------------------------------------------------------------------------


class FullDisk:
    """The module os, on a disk that has no room after some writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, fd: int, data: Any) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(fd, data)

    def fsync(self, fd: int) -> None:
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fsync(fd)


def test_a_full_disk_says_so_and_lets_go_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(trials, "os", FullDisk(2))
        with pytest.raises(UserError, match="cannot be written: No space left.*make room"):
            swept(study=log)
    assert swept(study=log)["figures"]["evaluated"] == 40  # in the same process


def test_a_disk_that_refuses_at_the_end_is_told_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    log = StudyLog(path, "a")
    with monkeypatch.context() as patch:
        patch.setattr(trials, "os", FullDisk(-1))
        with pytest.raises(UserError, match="cannot be written: No space left"):
            log.close()
    log.close()
    StudyLog(path, "b").close()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_two_names_of_one_file_are_one_log(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "log.jsonl")
    first = StudyLog(tmp_path / "log.jsonl", "a")
    with pytest.raises(UserError, match="Another sweep writes"):
        StudyLog(tmp_path / "link.jsonl", "b")
    first.close()
