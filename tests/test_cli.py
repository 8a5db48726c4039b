"""The command line: answers for machines, one sentence for people, and nothing touched on a no."""

import json
import os
import sqlite3
import sys

import pytest

from basisdesk.cli import main
from basisdesk.events import BEAT, Frame
from basisdesk.lab.tape import TapeWriter, header_for
from basisdesk.ledger.journal import Journal


def refused(capsys, *arguments):
    """Run, expect exit 2 and exactly one line on stderr; returns the line."""
    assert main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def tape_at(path):
    with TapeWriter(path, header_for("demo", "0", 5), 1 << 20) as tape:
        tape.put(Frame(BEAT, b"", 7))
    return path


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[risk]\nleverage_max = 10", "risk.leverage_max"),
        ("[risk]\nleverge_max = 2", "leverge_max"),
        ("[paper]\nlatency_ms = 'fast'", "paper.latency_ms"),
        ("[account\nstart = 1", "not valid TOML"),
        ("[fees.bybit]\nspot_buy_fee_in = 'gold'", "spot_buy_fee_in"),
    ],
)
def test_a_bad_settings_key_is_named(tmp_path, capsys, toml, said):
    config = tmp_path / "settings.toml"
    config.write_text(toml)
    tape = tape_at(tmp_path / "a.tape")
    assert said in refused(capsys, "replay", tape, "--config", config, "--json")


def test_a_missing_settings_file_is_said(tmp_path, capsys):
    tape = tape_at(tmp_path / "a.tape")
    assert "No settings file" in refused(capsys, "replay", tape, "--config", tmp_path / "no.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders are POSIX")
def test_a_profile_that_cannot_be_a_folder_is_said(tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    line = refused(capsys, "--profile", tmp_path / "file", "--exit-after", "1")
    assert "profile folder" in line


def test_a_corrupt_tape_is_refused_and_left_alone(tmp_path, capsys):
    tape = tape_at(tmp_path / "a.tape")
    raw = bytearray(tape.read_bytes())
    raw[-2] ^= 1
    tape.write_bytes(raw)
    assert "damaged" in refused(capsys, "replay", tape, "--json")
    assert tape.read_bytes() == raw
    tape.write_bytes(b"junk")
    assert "not a basisdesk tape" in refused(capsys, "replay", tape, "--json")


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(tmp_path, capsys):
    path = tmp_path / "journal.db"
    Journal.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    assert "newer" in refused(capsys, "check", path).lower()
    assert "newer" in refused(capsys, "report", path, "--out", tmp_path / "out").lower()
    assert path.read_bytes() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\x00" + b"\x00" * 200])
def test_a_file_that_is_no_journal_is_said_to_be_none(tmp_path, capsys, content):
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    assert "journal" in refused(capsys, "check", path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "nowhere.tape"],
        ["import", "nowhere.jsonl", "--format", "raw-jsonl", "--out", "x.tape"],
        ["import", "a", "--format", "guess", "--out", "x.tape"],
        ["nonsense"],
        ["--speed", "fast"],
        ["--exit-after", "1", "--speed", "1e9"],
        ["check", "nowhere.db"],
        ["bench", "--only", "luck"],
    ],
)
def test_bad_arguments_are_one_sentence(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert refused(capsys, *arguments).startswith("basisdesk: ")
    assert not os.path.exists("x.tape")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "first line"),
        ('{"basisdesk_commands": 2}\n', "version 2"),
        ('{"basisdesk_commands": 1}\n{"do": "open_pair"}\n', "line 2"),
        ('{"basisdesk_commands": 1}\n{"t_ns": 5, "do": "dance"}\n', "line 2"),
        ('{"basisdesk_commands": 1}\n{"do": "halt"}\n', "t_ns"),
        (
            '{"basisdesk_commands": 1}\n'
            '{"t_ns": 5, "do": "close_pair", "pair": 1, "fraction": "x"}\n',
            "line 2",
        ),
    ],
)
def test_a_bad_commands_file_names_the_line(tmp_path, capsys, content, said):
    tape = tape_at(tmp_path / "a.tape")
    commands = tmp_path / "c.jsonl"
    commands.write_text(content)
    assert said in refused(capsys, "replay", tape, "--commands", commands)


def test_replay_answers_one_json_object(tmp_path, capsys):
    tape = tape_at(tmp_path / "a.tape")
    journal = tmp_path / "j.db"
    assert main(["replay", str(tape), "--journal", str(journal), "--json"]) == 0
    out = capsys.readouterr().out
    result = json.loads(out)
    assert result["equity"] == {"start": "10000", "end": "10000"}
    assert main(["check", str(journal), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["ok"] is True
    assert checked["digest"] == result["ledger_digest"]
    assert main(["report", str(journal), "--out", str(tmp_path / "log")]) == 0
    assert (tmp_path / "log" / "report.html").read_text().startswith("<!doctype html>")
    capsys.readouterr()
    assert "exists already" in refused(capsys, "replay", tape, "--journal", journal)


def test_an_unfinished_tape_is_replayed_and_the_loss_is_said(tmp_path, capsys):
    tape = tape_at(tmp_path / "a.tape")
    with tape.open("ab") as file:
        file.write(b"\x01\x02\x03")
    assert main(["replay", str(tape), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["frames"] == 1
    assert "3 bytes" in err
