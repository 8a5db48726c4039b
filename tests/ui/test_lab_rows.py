"""What the lab shows, by example: tables, charts, jobs, claims; and each field is an option."""

import argparse
import math

import pytest

from basisdesk.app.lab_commands import STUDIES as COMMANDS
from basisdesk.errors import UserError
from basisdesk.ui.lab_chart_rows import POINTS_MAX, shown_chart, thinned
from basisdesk.ui.lab_fields import (
    ARCHIVES,
    MANY_KINDS,
    ONE,
    SOURCES,
    STUDIES,
    TAPE,
    checked,
    filled,
    known_studies,
    shown_fields,
    study_of,
)
from basisdesk.ui.lab_rows import (
    breakable,
    cell_texts,
    claims_text,
    job_end,
    job_share,
    job_text,
    shown_table,
    status_text,
    study_facts,
    waiting_text,
)
from basisdesk.ui.lab_view import ClaimRow, Job

# --- fields against the real parser


@pytest.mark.parametrize("study", known_studies(COMMANDS), ids=lambda study: study.key)
def test_each_field_is_an_option_of_the_command_with_the_same_default(study):
    parser = argparse.ArgumentParser()
    COMMANDS[study.key][1]().add(parser)
    options = {name: action for action in parser._actions for name in action.option_strings}
    for field in study.fields:
        action = options[field.option]
        assert as_typed(action.default) == field.default, field.option
        assert (field.kind in MANY_KINDS) == (action.nargs == "+"), field.option
        assert (field.kind == "flag") == (action.nargs == 0), field.option
        if field.kind == "choice":
            allowed = {str(choice) for choice in action.choices}
            assert set(field.choices) == allowed, field.option
            assert len(field.names) in (0, len(field.choices))
            assert field.default in field.choices


def as_typed(default):
    if default is None or default is False:
        return ""
    if isinstance(default, list | tuple):
        return " ".join(as_typed(each) for each in default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_study_of_the_command_line_can_be_set_up():
    assert set(COMMANDS) <= {study.key for study in STUDIES}


@pytest.mark.parametrize("study", known_studies(COMMANDS), ids=lambda study: study.key)
def test_what_is_filled_in_is_what_the_parser_takes(study, tmp_path):
    file = tmp_path / "a file.csv"
    file.write_text("x")
    usual = {"number": "1", "count": "2", "numbers": "1 2", "date": "2024-01-31", "flag": "yes"}
    usual |= {"folder": str(tmp_path), "file": str(file), "paths": f"{file}; {tmp_path}"}
    usual |= {"new file": str(tmp_path / "log.jsonl"), "words": "BTCUSDT ETHUSDT", "text": "-x"}
    for source in study.sources or ("",):
        fields = shown_fields(study, source)
        typed = {f.option: f.choices[-1] if f.choices else usual[f.kind] for f in fields}
        typed["--sealed"] = "0.5"
        found = filled(study, source, typed)
        assert not found.problems
        parser = argparse.ArgumentParser(exit_on_error=False)
        COMMANDS[study.key][1]().add(parser)
        parser.parse_args(found.arguments)


def test_only_what_differs_from_the_default_is_said():
    sweep = study_of("sweep")
    assert checked(sweep, ARCHIVES, {"--data": "/", "--trials": "1000"}) == ("--data", "/")
    more = checked(sweep, ARCHIVES, {"--data": "/", "--open-sealed": "yes"}, "--axis 'a=1:2:1'")
    assert more == ("--data", "/", "--open-sealed", "--axis", "a=1:2:1")


@pytest.mark.parametrize(
    ("source", "typed", "option", "said"),
    [
        (ARCHIVES, {}, "--data", "Choose a folder."),
        (ARCHIVES, {"--data": "/nowhere/at/all"}, "--data", "There is no folder /nowhere/at/all."),
        (TAPE, {}, "--tape", "Choose a file."),
        (ONE, {"--file": "/no.csv"}, "--file", "There is no file /no.csv."),
        (ARCHIVES, {"--from": "31.1.2024"}, "--from", "31.1.2024 is no date. Write 2024-01-31."),
        (ARCHIVES, {"--trials": "many"}, "--trials", "many is no whole number. Write 1000."),
        (ARCHIVES, {"--trials": "1.5"}, "--trials", "1.5 is no whole number. Write 1000."),
        (ARCHIVES, {"--trials": ""}, "--trials", "Give a figure; 1000 is usual."),
        (ARCHIVES, {"--sealed": "2"}, "--sealed", "2 is outside 0 to 0.9."),
        (ARCHIVES, {"--sealed": "nan"}, "--sealed", "nan is outside 0 to 0.9."),
        (ARCHIVES, {"--symbol": "B\nT"}, "--symbol", "Symbol is no single line"),
    ],
)
def test_bad_input_gets_one_sentence_by_its_field(source, typed, option, said):
    found = filled(study_of("sweep"), source, typed)
    assert found.problems[option].startswith(said)


def test_an_open_quotation_mark_and_the_first_problem_as_an_error():
    found = filled(study_of("replicate"), "", {"--data": "/"}, "--x 'open")
    assert found.problems == {"more": "A quotation mark is open. Close it."}
    with pytest.raises(UserError, match="Choose a folder"):
        checked(study_of("replicate"), "", {})
    assert SOURCES[0] == ARCHIVES


# --- tables


def test_figures_of_a_column_share_their_places_and_holes_are_na():
    assert cell_texts([1.5, -0.25, None, math.nan]) == ["1.50", "\u22120.25", "n/a", "n/a"]
    assert cell_texts([12_345, -2]) == ["12,345", "\u22122"]
    assert cell_texts([2023, 2024]) == ["2023", "2024"]
    assert cell_texts([True, "a -5 b", [1, 2]]) == ["yes", "a \u22125 b", "1, 2"]
    assert cell_texts([2_000_000.5]) == ["2,000,000"]


def test_a_table_stands_right_for_figures_left_for_names_units_in_the_header():
    columns = [{"name": "coin", "unit": ""}, {"name": "net", "unit": "bp"}, "told"]
    shown = shown_table(
        {"title": "T", "columns": columns, "rows": [["BTC", 1.5, "4 %"], ["ETH", None, "n/a"]]}
    )
    assert [(c.header, c.right) for c in shown.columns] == [
        ("coin", False), ("net, bp", True), ("told", True),
    ]  # fmt: skip
    assert shown.rows[1].texts == ("ETH", "n/a", "n/a")
    assert math.isnan(shown.rows[1].values[1])
    assert not shown.wordy
    long = shown_table({"title": "T", "columns": ["a"], "rows": [["word " * 30]]})
    assert long.wordy
    many = shown_table({"title": "T", "columns": ["a"], "rows": [[k] for k in range(600)]})
    assert len(many.rows) == 500
    assert "The first 500 of 600 rows" in many.note


def test_long_words_may_break_and_short_ones_are_left():
    assert breakable("a short line") == "a short line"
    assert breakable("x" * 40).replace("\u200b", "") == "x" * 40
    assert max(map(len, breakable("x" * 40).split("\u200b"))) == 14


# --- jobs and claims


def test_a_job_in_words():
    job = Job(1, "sweep", "basisdesk lab sweep", "running", 512, 1000, "trials", 17.6)
    assert job_text(job) == "512 of 1,000 trials, 18 s left"
    assert job_share(job) == pytest.approx(0.512)
    assert job_text(job._replace(total=0, what="")) == "Starting\u2026"
    assert job_share(job._replace(total=0)) is None
    assert job_text(job._replace(state="stopping")) == "Sweep is being stopped."
    assert job_end(job._replace(state="failed", said="No folder.")) == ("No folder.", "loss")
    assert job_end(job._replace(state="stopped"))[0] == "Sweep was stopped; it kept no run."
    waits = [job._replace(state="waiting"), job._replace(state="waiting", study="rotation")]
    assert waiting_text(waits) == "2 more wait: sweep, rotation."
    assert waiting_text(waits[:1]) == "1 more waits: sweep."
    assert waiting_text([job]) == ""


def test_a_claim_has_a_word_and_a_mark_and_no_arrow():
    rows = [ClaimRow("S1", "c", status, "s") for status in ("reproduced", "untested", "untested")]
    assert claims_text(rows) == "3 claims: 1 reproduced; 2 untested."
    assert claims_text([]) == "No claims read yet."
    texts = {status_text(row) for row in rows}
    assert texts == {"\u25cf reproduced", "\u25cc untested"}
    assert not any(mark in text for text in texts for mark in "\u25b2\u25bc\u2191\u2193")


def test_the_line_under_a_title():
    study = {"made_by": {"basisdesk": "0.1"}, "pre_registration": {"hash": "a" * 64, "trials": 200}}
    facts = study_facts({**study, "data": [{}, {}]})
    assert facts == (
        "basisdesk 0.1 \u00b7 plan aaaaaaaaaaaa \u00b7 200 trials fixed beforehand \u00b7 2 series"
    )
    assert study_facts({"version": 1}) == ""
    for holds, said in ((True, "holds"), (False, "does not hold")):
        checked = {"pre_registration": {"hash": "a" * 64, "hash holds": holds}}
        assert study_facts(checked) == f"plan aaaaaaaaaaaa (hash {said})"


# --- charts


def chart(kind, x, y, **more):
    line = {"name": "one", "y": y, **more}
    titles = {"title": "T", "x_title": "x", "y_title": "y"}
    return {"kind": kind, **titles, "x": x, "lines": [line]}


def test_dates_are_moments_other_words_are_words():
    dated = shown_chart(chart("line", ["2024-01-01", "2024-01-02"], [1.0, 2.0]))
    assert dated.time
    assert dated.span_x == (1_704_067_200.0, 1_704_153_600.0)
    worded = shown_chart(chart("points", ["1x", "2x"], [1.0, None]))
    assert worded.words == ("1x", "2x")
    assert math.isnan(worded.lines[0].y[1])
    assert worded.said == "T. y over x: one."


def test_bars_reach_to_zero_and_a_band_far_out_is_cut_and_said():
    bars = shown_chart(chart("bars", [1, 2], [3.0, 4.0]))
    assert bars.span_y[0] == 0.0
    band = chart("line", [0, 1], [0.0, 10.0], low=[-2_000.0, 0.0], high=[1.0, 11.0])
    shown = shown_chart(band)
    assert shown.span_y[0] > -10.0
    assert shown.note == "The band reaches from \u22122,000 to 11; it is cut here."


def test_what_cannot_be_drawn_says_why():
    assert shown_chart(chart("line", [], [])).problem == "Nothing to draw."
    assert shown_chart(chart("line", [1], [None])).problem == "Nothing to draw."
    assert "page" in shown_chart(chart("pie", [1], [1.0])).problem


def test_a_long_line_keeps_its_extremes():
    ys = [math.sin(at / 50.0) for at in range(20_000)]
    ys[7_777], ys[15_000] = 9.0, -9.0
    kept = thinned(ys)
    assert len(kept) <= POINTS_MAX
    assert {7_777, 15_000} <= set(kept)
    shown = shown_chart(chart("line", list(range(20_000)), ys))
    assert max(shown.lines[0].y) == 9.0
    heat = shown_chart(chart("heat", ["a", "b"], [1.0, -4.0]))
    assert heat.span_y == (-4.0, 4.0)
