"""Progress of a study: a bar, lines of JSON, or nothing."""

import io
import json

from basisdesk.app.lab_progress import BAR_CHARS, ProgressLine


def test_lines_of_json_for_a_program():
    out = io.StringIO()
    line = ProgressLine("json", out)
    assert line(0, 10, "trials") is True
    line(10, 10, "trials")
    said = [json.loads(text) for text in out.getvalue().splitlines()]
    assert said[0] == {"done": 0, "total": 10, "what": "trials"}
    assert said[-1]["done"] == 10


def test_a_bar_says_how_far_and_leaves_the_line():
    out = io.StringIO()
    line = ProgressLine("bar", out)
    line(0, 4, "trials")
    line(4, 4, "trials")
    assert "#" * BAR_CHARS in out.getvalue()
    assert "4 of 4 trials" in out.getvalue()
    line.end()
    assert out.getvalue().endswith("\r")


def test_no_terminal_hears_nothing():
    out = io.StringIO()
    ProgressLine("auto", out)(1, 2, "trials")
    assert out.getvalue() == ""


def test_a_closed_pipe_does_not_stop_the_study():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    assert ProgressLine("json", Closed())(1, 2, "trials") is True


def test_many_calls_say_little():
    out = io.StringIO()
    line = ProgressLine("json", out)
    for done in range(5_000):
        line(done, 5_000, "trials")
    assert len(out.getvalue().splitlines()) < 50
