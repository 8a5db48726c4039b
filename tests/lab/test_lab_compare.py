"""Runs and sessions side by side: what differs, tables joined, differences, digests."""

import json

import pytest

from basisdesk.cli import main
from basisdesk.errors import UserError
from basisdesk.lab.compare import compare_runs
from basisdesk.lab.compare_sessions import compare_sessions, read_session
from basisdesk.lab.words import pre_registration, table


def study(entry, rows, said="Found."):
    plan = pre_registration("It pays.", {"entry_bp": entry}, 3, {}, {"fee": 0.001})
    return {
        "study": "leverage",
        "title": "Leverage",
        "sentences": [said],
        "pre_registration": plan,
        "data": [{"name": "BTC", "rows": 10}],
        "tables": [
            table("By level", [("leverage", "x"), ("from", "%"), ("end", ""), ("from", "%")], rows)
        ],
    }


def test_two_runs_say_what_differs_and_join_their_tables():
    a = study(6.0, [[1, 67.2, "target", 1.0], [5, 60.0, "stop", 2.0]], "A said.")
    b = study(8.0, [[1, 56.3, "target", 4.0], [20, 50.0, "stop", 2.0]], "B said.")
    found = compare_runs([("one", a), ("other", b)])
    fixed, said, joined = found["tables"]
    assert [row[0] for row in fixed["rows"]] == ["parameters, entry bp", "hash"]
    assert fixed["rows"][0] == ["parameters, entry bp", "6", "8"]
    assert said["rows"] == [["A said.", "B said."]]
    names = [column["name"] for column in joined["columns"]]
    minus = "\N{MINUS SIGN}"
    assert names == [
        "leverage", "from A", "from B", f"from B {minus} A", "end A", "end B",
        "from A", "from B", f"from B {minus} A",
    ]  # fmt: skip
    assert joined["rows"][0] == [1, 67.2, 56.3, -10.9, "target", "target", 1.0, 4.0, 3.0]
    assert joined["rows"][1] == [5, 60.0, None, None, "stop", None, 2.0, None, None]
    assert joined["rows"][2][:3] == [20, None, 50.0]
    assert "proves nothing" in found["sentences"][-1]


def test_rows_are_told_apart_by_as_many_columns_as_it_needs():
    heads = [("coin", ""), ("year", ""), ("n", "")]
    one = {"study": "x", "tables": [table("T", heads, [["BTC", 2022, 2], ["BTC", 2023, 3]])]}
    two = {"study": "x", "tables": [table("T", heads, [["BTC", 2023, 5], ["BTC", 2022, 2]])]}
    joined = compare_runs([("a", one), ("b", two)])["tables"][-1]
    assert joined["rows"] == [["BTC", 2022, 2, 2, 0], ["BTC", 2023, 3, 5, 2]]
    twice = {"study": "x", "tables": [table("T", [("a", ""), ("b", "")], [["k", 1], ["k", 1]])]}
    again = compare_runs([("a", twice), ("b", twice)])["tables"][-1]
    assert [row[0] for row in again["rows"]] == ["k", "k (2)"]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_other_counts_of_runs_are_refused(count):
    with pytest.raises(UserError, match="2 to 4 runs"):
        compare_runs([("r", study(6.0, []))] * count)


def test_the_same_plan_is_said_and_different_studies_too():
    same = compare_runs([("a", study(6.0, [])), ("b", study(6.0, []))])
    assert any(line.startswith("All have the same plan (hash ") for line in same["sentences"])
    other = {**study(6.0, []), "study": "sweep"}
    told = compare_runs([("a", study(6.0, [])), ("b", other)])["sentences"]
    assert any("different studies (leverage, sweep)" in line for line in told)


# --- sessions


def session(end, fees, digest, refusals=()):
    pair = {
        "pair": "1", "long": "bybit:spot:ADAUSDT", "short": "bybit:perp:ADAUSDT",
        "closed_utc": "x", "basis_usdt": "30", "funding_usdt": "0", "fees_usdt": fees,
        "slippage_usdt": "0", "borrow_usdt": "0", "residual_usdt": "0",
        "total_usdt": str(30 + float(fees)),
    }  # fmt: skip
    return {
        "basisdesk_session": 1,
        "sessions": [{"session": "s", "utc": "2026-11-21", "source": "demo"}],
        "equity": {"start": "10000", "end": end, "free": end},
        "feeds": {"bad_frames": 0, "gaps": 1},
        "ledger_digest": digest,
        "settings": json.dumps({"paper": {"latency_ms": len(digest)}}),
        "pairs": [pair],
        "fills": [],
        "funding": [],
        "refusals": [{"limit": limit} for limit in refusals],
        "rejections": [],
    }


def test_two_sessions_by_money_refusals_and_digest():
    a, b = session("10012.5", "-12", "aa"), session("10002.5", "-18", "bbb", ["size", "size"])
    found = compare_sessions([("one", a), ("other", b)])
    text = " ".join(found["sentences"])
    assert "SIMULATED" in text
    assert "The ledgers differ: digests aa and bbb." in text
    assert "A gained +12.50 USDT over 1 pairs, B +2.50 over 1" in text
    tables = {each["title"]: {row[0]: row[2:] for row in each["rows"]} for each in found["tables"]}
    assert tables["Sessions"]["Gained"] == [12.5, 2.5, -10.0]
    assert tables["Refusals by limit"]["size"] == [None, 2.0, None]
    share = tables["Attribution of all pairs"]["Fees, share of the result before fees and slippage"]
    assert share == [40.0, 60.0, 20.0]
    settings = found["tables"][-1]["rows"]
    assert settings == [["paper.latency_ms", "2", "3"]]
    same = compare_sessions([("one", a), ("same", a)])
    assert any("the same to the last posting" in line for line in same["sentences"])


def test_what_is_no_session_log_gets_a_sentence(tmp_path):
    with pytest.raises(UserError, match="Cannot read"):
        read_session(tmp_path)
    (tmp_path / "session.json").write_text("{broken")
    with pytest.raises(UserError, match="damaged"):
        read_session(tmp_path)
    (tmp_path / "session.json").write_text("{}")
    with pytest.raises(UserError, match="no session log"):
        read_session(tmp_path)


def test_both_commands_on_the_command_line(tmp_path, capsys):
    for name, entry in (("a", 6.0), ("b", 8.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.json").write_text(json.dumps(study(entry, [[1, 2.0, "t", 1.0]])))
        (tmp_path / name / "session.json").write_text(json.dumps(session("10001", "-1", name)))
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["lab", "compare", *folders]) == 0
    assert "parameters, entry bp | 6 | 8" in capsys.readouterr().out
    assert main(["lab", "sessions", *folders, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["study"] == "sessions"
    assert main(["lab", "compare", *folders, "--out", str(tmp_path / "page")]) == 0
    assert (tmp_path / "page" / "report.html").is_file()
    assert main(["lab", "compare", "nothing", "none", "--profile", str(tmp_path)]) == 2
