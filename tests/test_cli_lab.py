"""`basisdesk lab`: one clear sentence for what cannot be, and a study that runs."""

import json

import pytest

from basisdesk.cli import main
from basisdesk.lab.words import registered


def test_lab_asks_which_study_and_for_a_folder_that_exists(tmp_path, capsys):
    assert main(["lab"]) == 2
    assert main(["lab", "forecast", "--data", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "study" in said[0]
    assert "No folder" in said[1]


def test_a_short_study_says_that_it_is_not_enough(capsys):
    assert main(["lab", "forecast", "--seeds", "1", "--days", "12", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["study"] == "forecast"
    assert registered(found["pre_registration"])
    assert found["charts"][0]["title"].startswith("Brier skill")
    simulated = [line for line in found["sentences"] if line.startswith("SIMULATED cost")]
    assert simulated
    assert all("not enough evidence" in line for line in simulated)


@pytest.mark.parametrize("study", ["leverage", "sweep", "backtest", "league"])
def test_help_tells_defaults_and_what_a_tier_costs(study, capsys):
    with pytest.raises(SystemExit):
        main(["lab", study, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "low 4.86, high 16.38, taker 30 (default: taker)" in said
    assert "(default: close)" in said
    assert "only runs that the profile keeps count for claims" in said
    assert "None)" not in said
