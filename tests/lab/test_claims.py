"""The claims page: what decides itself, what waits for a run, and which run speaks."""

import pytest

from basisdesk.lab.claims import CLAIMS, COMPATIBLE, STATUSES, answers, claims_study, judged
from basisdesk.lab.pages import study_page
from basisdesk.lab.runs import Asked, Runs

NOW = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "lab")


def by_key(runs):
    return {answer.claim.key: answer for answer in answers(runs.heads())}


def study(status, said):
    return {"study": "leverage", "claims": {"capture_5": {"status": status, "said": said}}}


def test_before_any_run_nothing_is_said_to_hold(runs):
    for answer in answers(runs.heads()):
        if answer.claim.decided is None:
            assert answer.status == "untested"
            assert answer.said.startswith("Run `basisdesk lab ")
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)


def test_the_newest_run_speaks_and_is_named(runs):
    runs.keep(study("reproduced", "old"), Asked("leverage"), NOW)
    newest = runs.keep(study("not reproduced", "new"), Asked("leverage"), NOW + MINUTE)
    answer = by_key(runs)["capture_5"]
    assert (answer.status, answer.said, answer.run) == ("not reproduced", "new", newest.name)


@pytest.mark.parametrize(
    "claims",
    [None, [], {"capture_5": None}, {"capture_5": {"status": "proven"}}, {"unknown": {}}],
)
def test_a_study_that_answers_in_other_words_is_not_heard(runs, claims):
    runs.keep({"study": "leverage", "claims": claims}, Asked("leverage"), NOW)
    assert by_key(runs)["capture_5"].status == "untested"


def test_a_decided_claim_is_not_overruled_by_a_run(runs):
    told = {"study": "x", "claims": {"win_rate": {"status": "reproduced", "said": "?"}}}
    runs.keep(told, Asked("x"), NOW)
    assert by_key(runs)["win_rate"].status == "not reproduced"


def test_arithmetic_claims_are_right():
    assert pytest.approx(0.836, abs=5e-4) == 51.0 / 61.0  # gain 10, loss 20, costs 31
    assert pytest.approx(0.167, abs=5e-4) == 0.2 / 1.2
    for leverage, told in ((5.0, 0.194), (10.0, 0.0945)):
        assert (1.0 + 1.0 / leverage) / 1.005 - 1.0 == pytest.approx(told, abs=5e-4)


@pytest.mark.parametrize(
    ("low", "high", "n", "status"),
    [
        (0.4, 0.6, 90, "reproduced"),
        (0.4, 0.6, 29, COMPATIBLE),
        (0.3, 0.6, 90, COMPATIBLE),
        (0.6, 0.7, 90, "not reproduced"),
        (0.2, 0.9, 90, "undecided"),
    ],
)
def test_a_figure_is_reproduced_where_its_interval_tells_it_apart(low, high, n, status):
    assert judged(0.5, (low, high), "said", n) == {"status": status, "said": "said", "n": n}


def test_what_is_merely_not_rejected_is_not_reproduced():
    """12 % of positions claimed, 1 of 43 measured: the interval holds the claim and much else."""
    assert judged(0.12, (0.004, 0.121), "", 43)["status"] == COMPATIBLE


@pytest.mark.parametrize(
    ("low", "high", "n", "status"),
    [
        (0.186, 0.451, 43, COMPATIBLE),
        (0.2, 0.39, 43, "not reproduced"),
        (0.41, 0.8, 43, "reproduced"),
        (0.41, 0.8, 12, COMPATIBLE),
    ],
)
def test_so_much_and_more_is_judged_on_its_side(low, high, n, status):
    assert judged(0.4, (low, high), "", n, least=True)["status"] == status


def test_the_run_with_most_outcomes_answers_and_the_others_are_named(runs):
    def on(coin, n, status):
        claims = {"liquidated_5": {"status": status, "said": f"of {n}.", "n": n}}
        return {"study": "leverage", "data": [{"name": coin}], "claims": claims}

    big = runs.keep(on("BTC", 400, "not reproduced"), Asked("leverage"), NOW)
    runs.keep(on("ETH", 43, COMPATIBLE), Asked("leverage"), NOW + MINUTE)
    answer = by_key(runs)["liquidated_5"]
    assert (answer.status, answer.run, answer.n) == ("not reproduced", big.name, 400)
    assert answer.said.startswith("BTC: of 400.")
    assert f"ETH (n 43): {COMPATIBLE}" in answer.said
    each = claims_study(runs)["tables"][1]["rows"]
    assert [row[1:3] for row in each] == [["BTC", 400], ["ETH", 43]]


def test_the_page_counts_every_claim_once(runs):
    found = claims_study(runs)
    rows = found["tables"][0]["rows"]
    assert len(rows) == len(CLAIMS)
    assert {row[2] for row in rows} <= set(STATUSES)
    assert "Claims of the founding notes" in study_page(found)
