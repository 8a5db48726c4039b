"""A study outlives every fault of its page, and its plan is on disk as it was hashed."""

import json
import math

import msgspec
import pytest

from basisdesk.errors import UserError
from basisdesk.lab import claims, pages
from basisdesk.lab.compare import compare_runs
from basisdesk.lab.pages import DATA, PAGE, study_page, write_study
from basisdesk.lab.runs import Asked, Runs
from basisdesk.lab.svg import draw
from basisdesk.lab.words import HOLDS_LINE, checked, pre_registration, registered
from tests.lab.sweep_rig import swept

NOW = 1_735_689_600_000_000_000
COLUMNS = {"columns": ["a", "b"], "note": ""}


def chart(kind="line", y=(0.0,), x=None):
    places = list(range(len(y))) if x is None else x
    lines = [{"name": "one", "y": list(y), "low": list(y), "high": list(y)}]
    return {
        "kind": kind, "title": "Drawn", "x_title": "", "y_title": "", "x": places, "lines": lines,
    }  # fmt: skip


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["line", "points", "bars", "heat"])
@pytest.mark.parametrize(
    "y", [(0.0, 0.0, 0.0), (None, None), (math.nan,), (5.0,), (0.0,), (-3.0,), (1e-300, 2e-300), ()]
)
@pytest.mark.parametrize("words", [False, True])
def test_every_kind_of_chart_draws_what_there_is_nothing_of(kind, y, words):
    x = [f"w{i}" for i in range(len(y))] if words else None
    assert draw(chart(kind, y, x)).startswith("<figure>")


def test_a_part_that_cannot_be_drawn_is_told_in_its_place():
    bad = {"kind": "line", "title": "Odd <b>", "x": [1], "lines": [{"name": "n", "y": ["x"]}]}
    ragged = {"title": "Ragged", "rows": [[1, 2], [3]], **COLUMNS}
    fine = {"title": "Fine", "rows": [[1, 2]], **COLUMNS}
    page = study_page({"study": "x", "tables": [ragged, fine], "charts": [bad, chart()]})
    assert "<h2>Odd &lt;b&gt;</h2>" in page
    assert "This chart could not be drawn (ValueError" in page
    assert "This table could not be drawn" in page
    assert page.count("<figure>") == 1
    assert "<h2>Fine</h2>" in page


def test_no_fault_of_a_page_costs_the_study(tmp_path, monkeypatch):
    def broken(_study):
        raise ZeroDivisionError

    monkeypatch.setattr(pages, "study_page", broken)
    with pytest.raises(ZeroDivisionError):
        write_study({"study": "x", "sentences": ["Found."]}, tmp_path / "run")
    assert json.loads((tmp_path / "run" / DATA).read_bytes())["sentences"] == ["Found."]


def test_a_sweep_that_chose_nothing_makes_a_whole_page(tmp_path, monkeypatch):
    import basisdesk.lab.sweep_judge as judge

    monkeypatch.setattr(judge, "TRADES_MIN", 10**9)
    found = swept()
    write_study(found, tmp_path / "run")
    page = (tmp_path / "run" / PAGE).read_text("utf-8")
    assert "could not be drawn" not in page
    assert page.endswith("</body></html>")


# --- the plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 1e9 / 7, 20.0000000001, math.inf, math.nan])
def test_the_plan_on_disk_is_the_one_that_was_hashed(tmp_path, value):
    plan = pre_registration("h", {"x": value}, 3, {"from": NOW, "f": value}, {"c": value})
    write_study({"study": "x", "pre_registration": plan}, tmp_path / "run")
    read = msgspec.json.decode((tmp_path / "run" / DATA).read_bytes())["pre_registration"]
    assert registered(plan)
    assert registered(read)
    assert registered(checked(read))
    assert "<dt>hash holds</dt><dd>yes</dd>" in (tmp_path / "run" / PAGE).read_text("utf-8")


def test_a_plan_that_was_changed_afterwards_shows(tmp_path):
    plan = pre_registration("h", {"x": 1.0}, 3, {}, {})
    changed = {**plan, "trials": 4}
    assert checked(changed)[HOLDS_LINE] is False
    a, b = ({"study": "x", "pre_registration": each} for each in (plan, changed))
    assert "The hash of each plan holds." in compare_runs([("a", a), ("b", a)])["sentences"]
    said = " ".join(compare_runs([("a", a), ("b", b)])["sentences"])
    assert "The hash of B does not hold" in said


# --- runs -----------------------------------------------------------------------------------------


def test_a_name_that_another_takes_meanwhile_is_not_shared(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    monkeypatch.setattr("pathlib.Path.exists", lambda _path: False)  # it was not there a moment ago
    names = [runs.keep({"study": "x"}, Asked("x"), NOW).name for _ in range(3)]
    assert names == ["20250101T000000Z-x", "20250101T000000Z-x-2", "20250101T000000Z-x-3"]


def test_no_folder_for_runs_is_one_sentence(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UserError, match="Cannot make"):
        Runs(tmp_path / "runs").keep({"study": "x"}, Asked("x"), NOW)


def test_one_listing_serves_the_list_and_the_claims(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    said = {"monthly": {"status": "not reproduced", "said": "No.", "n": 40}}
    runs.keep({"study": "league", "claims": said}, Asked("league"), NOW)
    heads = runs.heads()
    monkeypatch.setattr(Runs, "heads", lambda _self: pytest.fail("read twice"))
    assert [run.study for run in runs.listed(heads)] == ["league"]
    found = {answer.claim.key: answer.status for answer in claims.answers(heads)}
    assert found["monthly"] == "not reproduced"
