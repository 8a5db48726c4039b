"""workspaces.json: limits, damage, and nothing lost."""

import json
import os
import random
import stat

import pytest

from basisdesk.app import workspaces_disk
from basisdesk.app.workspaces_disk import ASIDE, FILE, NAMES_MAX, WorkspacesDisk
from basisdesk.ui.workspace_rows import STATE_BYTES_MAX

STATE = bytes(range(256))


def test_kept_overwritten_listed_and_forgotten(tmp_path):
    disk = WorkspacesDisk(tmp_path)
    assert list(disk.names()) == []
    assert disk.save("Two screens", STATE) == disk.save("alone", b"b") == ""
    assert disk.save("Two screens", b"new") == ""
    other = WorkspacesDisk(tmp_path)
    assert list(other.names()) == ["alone", "Two screens"]
    assert other.load("Two screens") == b"new"
    assert other.drop("Two screens") == ""
    assert disk.load("Two screens") == b""  # another desk of the profile changed the file
    assert disk.drop("Two screens").endswith("any more.")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_limits_are_named_in_a_sentence(tmp_path):
    disk = WorkspacesDisk(tmp_path)
    assert "larger than 1,024 KB" in disk.save("a", bytes(STATE_BYTES_MAX + 1))
    assert "ready-made" in disk.save("Trade", STATE)
    for number in range(NAMES_MAX):
        assert disk.save(f"w{number}", b"") == ""
    assert f"{NAMES_MAX} workspaces already" in disk.save("one more", b"")
    assert disk.save("w0", b"again") == ""


def test_a_damaged_file_is_put_aside_before_anything_is_written(tmp_path):
    (tmp_path / FILE).write_bytes(b"{broken")
    disk = WorkspacesDisk(tmp_path)
    assert disk.problem.startswith(f"{FILE} is damaged")
    assert list(disk.names()) == []
    assert disk.load("a") == b""
    assert disk.save("a", STATE) == disk.problem == ""
    assert (tmp_path / ASIDE).read_bytes() == b"{broken"
    assert WorkspacesDisk(tmp_path).load("a") == STATE


def test_a_second_damaged_file_overwrites_none_before_it(tmp_path):
    for number in range(workspaces_disk.ASIDE_MAX):
        (tmp_path / FILE).write_text(f"broken {number}")
        assert WorkspacesDisk(tmp_path).save("a", STATE) == ""
    aside = sorted(path.read_text() for path in tmp_path.glob("workspaces-damaged*.json"))
    assert aside == [f"broken {number}" for number in range(workspaces_disk.ASIDE_MAX)]
    (tmp_path / FILE).write_text("one more")
    assert "Delete workspaces-damaged-9.json" in WorkspacesDisk(tmp_path).save("a", STATE)
    assert (tmp_path / FILE).read_text() == "one more"


def test_what_is_not_shown_is_said_and_stays_in_the_file(tmp_path):
    names = [*(f"w{number}" for number in range(NAMES_MAX)), "w99", "Trade"]
    kept = [{"name": name, "state": "", "crc": 0} for name in names]
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "workspaces": kept}))
    disk = WorkspacesDisk(tmp_path)
    assert "holds 2 more workspaces than are shown: 24 at most" in disk.problem
    assert disk.drop("w0") == disk.save("w1", STATE) == ""
    written = json.loads((tmp_path / FILE).read_text())["workspaces"]
    assert {each["name"] for each in written} == {*names} - {"w0"}
    assert len(written) == len(names) - 1
    assert not list(tmp_path.glob("*damaged*"))


def test_a_newer_file_is_left_alone(tmp_path):
    (tmp_path / FILE).write_text('{"version": 9, "workspaces": []}')
    disk = WorkspacesDisk(tmp_path)
    assert "another version" in disk.save("a", STATE)
    assert '"version": 9' in (tmp_path / FILE).read_text()


def test_a_damaged_workspace_harms_no_other(tmp_path):
    disk = WorkspacesDisk(tmp_path)
    disk.save("a", STATE)
    disk.save("b", b"fine")
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace("AAEC", "AAEB", 1))
    assert disk.load("a") == b""
    assert disk.load("b") == b"fine"


def test_no_bytes_break_it(tmp_path):
    disk = WorkspacesDisk(tmp_path)
    disk.save("a", STATE)
    whole = (tmp_path / FILE).read_bytes()
    rng = random.Random(9)
    for _ in range(120):
        broken = bytearray(whole[: rng.randrange(len(whole) + 1)])
        for _ in range(3):
            if broken:
                broken[rng.randrange(len(broken))] = rng.randrange(256)
        (tmp_path / FILE).write_bytes(bytes(broken))
        assert disk.load("a") in (b"", STATE)


def test_a_disk_that_refuses_is_a_sentence(tmp_path, monkeypatch):
    disk = WorkspacesDisk(tmp_path)
    disk.save("a", STATE)

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspaces_disk.os, "open", full)
    assert disk.save("b", b"x") == (
        f"Cannot write {FILE}: No space left on device. The workspaces stay as they were."
    )
    monkeypatch.undo()
    assert WorkspacesDisk(tmp_path).load("a") == STATE


@pytest.mark.parametrize("text", ["[]", "null", '{"version": 1}', '{"version": "1"}', ""])
def test_other_json_is_damage(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert WorkspacesDisk(tmp_path).problem
