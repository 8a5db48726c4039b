"""A study as a page: safe, whole, the same figures as its JSON."""

import json
import math

import pytest

from basisdesk.errors import UserError
from basisdesk.lab.pages import DATA, PAGE, ROWS_MAX, study_page, write_study

STUDY = {
    "study": "example",
    "title": "Example",
    "sentences": ["Net -3 bp (95 % interval -5 to -1), n 12."],
    "pre_registration": {"hypothesis": "none", "hash": "abc", "parameters": {"entry_bp": 8.0}},
    "data": [{"name": "BTC", "rows": 3, "missing": 1}],
    "tables": [
        {
            "title": "By year",
            "columns": [{"name": "year", "unit": ""}, {"name": "net", "unit": "bp"}],
            "rows": [["2022", -1.5], ["2023", 2.25], ["2024", math.nan]],
            "note": "all of it",
        }
    ],
    "charts": [
        {
            "kind": "line",
            "title": "Equity",
            "x_title": "day",
            "y_title": "USDT",
            "x": [0, 1],
            "lines": [{"name": "net", "y": [0.0, 1.0]}],
        }
    ],
    "made_by": {"command": "basisdesk lab example"},
}


def test_the_page_says_what_was_found_first_and_needs_no_network():
    page = study_page(STUDY)
    assert page.index("What was found") < page.index("Fixed beforehand") < page.index("By year")
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_figures_of_a_column_have_the_same_places_and_a_true_minus():
    page = study_page(STUDY)
    assert ">−1.50<" in page
    assert ">2.25<" in page
    assert ">n/a<" in page
    assert "Net −3 bp (95 % interval −5 to −1)" in page


def test_what_comes_from_outside_stays_text():
    bad = "<img src=x onerror=alert(1)>"
    page = study_page(
        STUDY
        | {
            "title": bad,
            "sentences": [bad],
            "made_by": {bad: bad},
            "tables": [{"title": bad, "columns": [bad], "rows": [[bad]], "note": bad}],
        }
    )
    assert "<img" not in page


def test_a_long_table_is_cut_and_says_so():
    rows = [[i] for i in range(ROWS_MAX + 5)]
    page = study_page(STUDY | {"tables": [{"title": "t", "columns": ["n"], "rows": rows}]})
    assert f"The first {ROWS_MAX:,} of {ROWS_MAX + 5:,} rows" in page


def test_written_once_with_holes_as_null(tmp_path):
    page, data = write_study(STUDY, tmp_path / "run")
    assert (page.name, data.name) == (PAGE, DATA)
    assert json.loads(data.read_text())["tables"][0]["rows"][2][1] is None
    with pytest.raises(UserError, match="holds a study already"):
        write_study(STUDY, tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write the study"):
        write_study(STUDY, tmp_path / "file" / "run")
