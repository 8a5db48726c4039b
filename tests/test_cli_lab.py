"""`basisdesk lab`: one clear sentence for what cannot be, and a study that runs."""

import json

from basisdesk.cli import main


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
    simulated = [line for line in found["sentences"] if line.startswith("SIMULATED cost")]
    assert simulated
    assert all("not enough evidence" in line for line in simulated)
