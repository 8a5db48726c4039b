"""The study log: what was finished stays, whatever happened to the file or its writer."""

from pathlib import Path

import numpy as np
import pytest

from basisdesk.errors import UserError
from basisdesk.lab.trials import StudyLog

PLAN = {"hash": "a" * 64, "trials": 4}
RNG = np.random.default_rng(1)
PARAMS = np.round(RNG.normal(size=(4, 6)), 3)
CELLS = RNG.normal(size=(4, 9)) / 3.0
SAID = [{"net": float(i)} for i in range(4)]


def written(path: Path, study: str = "a") -> None:
    log = StudyLog(path, study)
    log.begin(PLAN)
    log.keep([0, 2], PARAMS[[0, 2]], CELLS[[0, 2]], [SAID[0], SAID[2]])
    log.keep([1, 3], PARAMS[[1, 3]], CELLS[[1, 3]], [SAID[1], SAID[3]])
    log.close()


def known(path: Path, study: str = "a") -> dict[int, bytes]:
    log = StudyLog(path, study)
    try:
        return {n: cells.tobytes() for n, (_, cells) in log.mine.items()}
    finally:
        log.close()


def test_what_was_kept_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.jsonl"
    written(path)
    assert known(path) == {n: CELLS[n].tobytes() for n in range(4)}
    log = StudyLog(path, "a")
    assert np.array_equal(log.trial(2, PARAMS[2], 9), CELLS[2])
    assert log.trial(4, PARAMS[2], 9) is None
    assert (log.evaluated, log.others, log.damaged) == (4, 0, 0)
    log.close()
    log.close()


def test_a_resumed_study_says_its_plan_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path)
    before = path.read_bytes()
    log = StudyLog(path, "a")
    log.begin(PLAN)
    log.close()
    assert path.read_bytes() == before
    assert before.count(b'"kind":"study"') == 1


def test_an_unfinished_line_is_cut_off_at_every_place(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path)
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for length in (start, start + 1, (start + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert sorted(known(path)) == [0, 1, 2]  # numbers 0, 2, 1, 3: the last line is 3
        log = StudyLog(path, "a")
        log.keep([3], PARAMS[3:], CELLS[3:], SAID[3:])
        log.close()
        assert path.read_bytes() == whole


def test_a_flipped_bit_loses_its_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for at in range(5, len(lines[2]) - 1, 97):
        broken = bytearray(lines[2])
        broken[at] ^= 4
        path.write_bytes(b"".join([*lines[:2], bytes(broken), *lines[3:]]))
        log = StudyLog(path, "a")
        assert sorted(log.mine) in ([0, 1, 3], [0, 1, 2, 3])  # a blank may stand for a blank
        assert log.damaged == 4 - len(log.mine)
        log.close()


def test_another_sweep_on_the_same_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = StudyLog(path, "a")
    with pytest.raises(UserError, match=r"Another sweep writes .*log\.jsonl now"):
        StudyLog(path, "b")
    first.close()
    StudyLog(path, "b").close()


def test_every_study_of_a_log_counts(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path, "a")
    written(path, "b")
    log = StudyLog(path, "c")
    assert (log.evaluated, log.others, log.mine) == (8, 8, {})
    log.close()


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\nof years\n", encoding="utf-8")
    with pytest.raises(UserError, match="is no study log"):
        StudyLog(path, "a")
    assert path.read_text(encoding="utf-8") == "my notes\nof years\n"


def test_a_folder_in_the_place_of_the_log_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        StudyLog(tmp_path, "a")


def test_other_parameters_under_a_known_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path)
    log = StudyLog(path, "a")
    with pytest.raises(UserError, match="trial 1 of this study with other parameters"):
        log.trial(1, PARAMS[2], 9)
    log.close()


def test_the_sealed_part_remembers_who_opened_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = StudyLog(path, "a")
    assert first.opened("BTC", 100) is None
    first.open_sealed("BTC", 100, 200)
    first.close()
    second = StudyLog(path, "b")
    opened = second.opened("BTC", 150)
    assert opened is not None
    assert opened.study == "a"
    assert second.opened("BTC", 200) is None  # months that nobody has seen
    assert second.opened("ETH", 100) is None
    second.close()


def test_without_a_file_it_is_kept_in_memory() -> None:
    log = StudyLog(None, "a")
    log.begin(PLAN)
    log.keep([0], PARAMS[:1], CELLS[:1], SAID[:1])
    assert np.array_equal(log.trial(0, PARAMS[0], 9), CELLS[0])
    assert "no --study file was named" in str(log.cancelled(1, 4))
    log.close()
