"""The challengers' process: its lines, its journal, and river itself where it is installed."""

import io
import json
import subprocess
import sys
from importlib.util import find_spec

import msgspec
import numpy as np
import pytest

from basisdesk.forecast.challenge import NO_RIVER, Contest, Ended, Noted
from basisdesk.lab import challenger_process as module
from basisdesk.lab.challenger_process import LOGISTIC, NAME, OLDER, TREE, Journal, main, serve

S_NS = 1_000_000_000
RIVER = pytest.mark.skipif(
    find_spec("river") is None, reason="river is not installed: pip install basisdesk[ai]"
)


class Half:
    def predict(self, x):
        return 0.5

    def learn(self, x, y):
        pass


def rows(n=30, seed=5):
    rng = np.random.default_rng(seed)
    found, ups = [], []
    for i in range(n):
        x = {"x_fair": float(rng.normal()), "z_24h": float(rng.normal()), "sd_2h": 2.0}
        if i % 3 == 0:
            del x["sd_2h"]  # missing
        ups.append(x["x_fair"] > 0)
        t_ns = (1_000 + 900 * i) * S_NS
        found.append(Noted(i + 1, t_ns, "pair", 0.6, x))
        if i >= 3:
            found.append(Ended(i - 2, int(ups[i - 3]), t_ns))
    return found


def lines_of(some):
    return b"".join(msgspec.json.encode(row) + b"\n" for row in some)


def answers(folder, data, learners=None):
    contest = Contest(learners or {"half": Half()}, 3_600.0)
    journal, out = Journal(folder), io.BytesIO()
    for row in journal.rows():
        contest.hear(row)
    serve(contest, journal, io.BytesIO(data), out)
    journal.close()
    return [json.loads(line) for line in out.getvalue().splitlines()]


TELL = b'{"kind":"tell"}\n'


def test_each_candidate_is_answered_and_the_table_where_it_is_asked_for(tmp_path):
    said = answers(tmp_path, lines_of(rows()) + TELL)
    assert [each["id"] for each in said[:-1]] == list(range(1, 31))
    assert said[0] == {"kind": "said", "id": 1, "p": {"half": 0.5}}
    assert said[-1]["kind"] == "table"
    assert said[-1]["n"] == 27
    assert said[-1]["waiting"] == 3
    assert [each["name"] for each in said[-1]["rivals"]] == ["basisdesk", "half", "base rate"]


def test_lines_that_are_none_are_passed_over(tmp_path):
    odd = b'\n{}\nnull\n{"kind":"odd"}\n\xff\xfe\n' + b"[" * 5_000 + b"\n"
    assert answers(tmp_path, odd + TELL)[-1]["n"] == 0


def test_a_restart_hears_its_journal_again_and_goes_on(tmp_path):
    whole = answers(tmp_path / "whole", lines_of(rows()) + TELL)
    answers(tmp_path / "half", lines_of(rows()[:25]))
    again = answers(tmp_path / "half", lines_of(rows()[10:]) + TELL)  # some of them twice
    assert again[-1] == whole[-1]


def test_a_torn_journal_loses_one_row(tmp_path):
    answers(tmp_path, lines_of(rows()[:6]))
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"kind":"outc')
    answers(tmp_path, lines_of(rows()[6:8]))
    assert len(list(Journal(tmp_path).rows())) == 8


def test_the_journal_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_BYTES_MAX", 1_000)
    answers(tmp_path, lines_of(rows(60)))
    assert (tmp_path / NAME).stat().st_size <= 1_000
    assert (tmp_path / OLDER).stat().st_size <= 1_000
    assert list(Journal(tmp_path).rows())[-1] == rows(60)[-1]


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("x")
    assert len(answers(tmp_path / "file" / "below", lines_of(rows()))) == 30


def test_without_river_it_says_so_and_ends(tmp_path, monkeypatch):
    def absent():
        raise ModuleNotFoundError("No module named 'river'", name="river")

    monkeypatch.setattr(module, "river_learners", absent)
    out = io.BytesIO()
    assert main(tmp_path, 8.0, io.BytesIO(), out) == 0
    assert json.loads(out.getvalue()) == {"kind": "none", "why": NO_RIVER}


TWICE = """
import io, pathlib, sys
from basisdesk.lab.challenger_process import main
data, said = sys.stdin.buffer.read(), []
for name in ("one", "two"):
    out = io.BytesIO()
    assert main(pathlib.Path(sys.argv[1]) / name, 8.0, io.BytesIO(data), out) == 0
    said.append(out.getvalue())
assert said[0] == said[1]
sys.stdout.buffer.write(said[0])
"""


@RIVER
def test_river_gives_the_same_answers_twice(tmp_path):
    data = lines_of(rows(600)) + TELL
    command = [sys.executable, "-c", TWICE, str(tmp_path)]
    found = subprocess.run(command, input=data, capture_output=True, timeout=60, check=True)
    ready, *said, table = (json.loads(line) for line in found.stdout.splitlines())
    assert ready["source"].startswith("river ")
    assert len(said) == 600
    assert set(said[-1]["p"]) == {LOGISTIC, TREE}
    assert all(0.0 < p < 1.0 for each in said for p in each["p"].values())
    rivals = {each["name"]: each for each in table["rivals"]}
    assert rivals[LOGISTIC]["n"] == 597
    assert rivals[LOGISTIC]["brier"] < 0.22
    assert rivals[LOGISTIC]["auc"] > 0.75
