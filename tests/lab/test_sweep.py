"""A sweep as a whole: what it says, that it goes on where it stood, that nothing leaks."""

import argparse
import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_rig import (
    AXES,
    BEGIN_NS,
    FACTS,
    SPLITS,
    MadeMarket,
    options,
    swept,
    swept_and_killed,
)

import basisdesk.lab.sweep as sweep
from basisdesk.errors import UserError
from basisdesk.lab.rule import PARAMETERS
from basisdesk.lab.sources import SourceOptions
from basisdesk.lab.sweep_judge import TRADES_MIN, chosen, heat_map, plateau
from basisdesk.lab.trial_work import FIGURES, SUMS, Shared, Trials, evaluate
from basisdesk.lab.trials import SEALS, StudyLog
from basisdesk.lab.walk_forward import DAY_NS
from basisdesk.lab.words import Cancelled, registered


def text(study: dict[str, Any]) -> str:
    return json.dumps(study, sort_keys=True, allow_nan=False)


WHOLE = swept()


def test_a_study_is_plain_and_says_trades_first() -> None:
    assert json.loads(text(WHOLE)) == WHOLE
    assert WHOLE["sentences"][0].startswith("Trades, not days, are your sample: ")
    assert registered(WHOLE["pre_registration"])
    assert WHOLE["pre_registration"]["trials"] == WHOLE["figures"]["evaluated"] == 40
    assert {"study", "title", "version", "made_by", "data", "sentences", "tables", "charts"} <= set(
        WHOLE
    )


def test_costs_stand_beside_each_other() -> None:
    rows = WHOLE["tables"][0]["rows"]
    assert [row[0] for row in rows] == [
        "taker", "low", "high", "2 x taker", "always-on carry", "never trade",
    ]  # fmt: skip
    assert [row[1] for row in rows[:4]] == [30.0, 4.86, 16.38, 60.0]
    net = [row[4] for row in rows[:4]]
    assert net[1] > net[2] > net[0] > net[3]


def test_the_planted_rule_is_found_by_every_refit() -> None:
    chosen_rules = [row[3] for row in WHOLE["tables"][1]["rows"]]
    assert len(chosen_rules) == 6
    assert all(rule.split(", ")[1] == "18" for rule in chosen_rules)


def test_the_same_again_and_in_other_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH_TRIALS_MAX", 3)
    assert text(swept()) == text(WHOLE)


def test_a_row_hangs_on_itself_alone() -> None:
    market, rows = MadeMarket(), np.array([axis.values[-1:] for axis in AXES]).reshape(1, 6)
    data = market.data(BEGIN_NS, BEGIN_NS + 300 * DAY_NS, options().charged)
    shared = Shared(market.model, data, ((0, 100), (50, 300), (7, 7)))
    alone = evaluate(shared, rows)
    among = evaluate(shared, np.vstack((rows + 1.0, rows, rows + 2.0)))
    assert alone[0].tobytes() == among[1].tobytes()
    trials = Trials(rows, alone, shared.stretches)
    _, daily, _ = market.model(data, rows)
    sample = daily[0, :100]
    assert trials.sharpe(0)[0] == pytest.approx(sample.mean() / sample.std(ddof=1), rel=1e-9)
    assert (trials.sharpe(2)[0], trials.entries(2)[0], trials.days(2)) == (0.0, 0.0, 0)


# --- nothing of a test is known where it is chosen ------------------------------------------------


def best_of(gap: int) -> int | None:
    """Two rules over 100 days: 0 earns a little, 1 loses but for the three days before a test."""
    daily = np.tile([1.1e-4, -0.9e-4], (2, 50))
    daily[1] = -daily[0]
    daily[1, 97:] = 0.9  # what a trade that was opened before the test earns in it

    def model(_data: object, _params: object) -> tuple[Any, Any, Any]:
        return np.zeros((2, len(FIGURES))), daily, np.ones((2, 100))

    learned = ((0, 100 - gap),)
    cells = evaluate(Shared(model, None, learned), np.zeros((2, 6)))
    return chosen(Trials(np.zeros((2, 6)), cells, learned), 0).number


def test_what_the_purge_takes_out_would_change_the_choice() -> None:
    assert best_of(gap=3) == 0
    assert best_of(gap=0) == 1


def test_removing_the_purge_stops_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    import basisdesk.lab.walk_forward as walk_forward

    monkeypatch.setattr(walk_forward, "gap_days", lambda _splits: 0)
    with pytest.raises(Exception, match="training reaches into a test"):
        swept()


def test_workers_never_see_the_sealed_days() -> None:
    seen: list[int] = []

    class Watched(MadeMarket):
        def data(self, first_ns: int, end_ns: int, costs: Any) -> Any:
            seen.append(end_ns)
            return super().data(first_ns, end_ns, costs)

    found = sweep.sweep_market(Watched(), FACTS, options())
    sealed = np.datetime64(found["pre_registration"]["dates"]["sealed_from"][:-1], "ns")
    assert max(seen) == sealed.astype(np.int64)


# --- the sealed part ------------------------------------------------------------------------------


def test_the_seal_is_opened_once_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert "stays sealed" in swept(study=log)["sentences"][-1]
    first = swept(study=log, open_sealed=True)["sentences"][-1]
    assert first.startswith("Sealed part since 2022-10-23, opened on 20")
    assert swept(study=log)["sentences"][-1] == first  # the same study may look again
    other = swept(study=log, open_sealed=True, seed=8)["sentences"][-1]
    assert "by another study; it can be opened once" in other
    assert log.read_bytes().count(b'"kind":"opened"') == 1
    assert "notes that it was opened" in swept(open_sealed=True)["sentences"][-1]


def test_the_seal_is_of_the_data_in_a_profile_and_not_of_a_log(tmp_path: Path) -> None:
    one, other, seals = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "lab"
    first = swept(study=one, open_sealed=True, seals=seals)["sentences"][-1]
    assert "opened on 20" in first
    again = swept(study=other, open_sealed=True, seed=8, seals=seals)["sentences"][-1]
    assert "by another study; it can be opened once" in again
    assert (seals / SEALS).read_bytes().count(b'"kind":"opened"') == 2  # by name and by digest
    assert swept(open_sealed=True, seals=seals)["sentences"][-1] == first  # the same plan


def test_made_by_tells_the_data_in_plain_words(tmp_path: Path) -> None:
    source = SourceOptions(data=tmp_path, symbol="BTCUSDT")
    said = swept(source=source)["made_by"]["options"]["source"]
    assert said == f"data={tmp_path}, symbol=BTCUSDT, stamps=close"


def test_all_studies_of_a_log_deflate_the_best(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    alone = swept(study=log)["figures"]
    after = swept(study=log, seed=8)["figures"]
    again = swept(study=log)["figures"]
    assert (alone["evaluated"], after["evaluated"], again["evaluated"]) == (40, 80, 80)
    assert again["luck"] > alone["luck"]


# --- cancel and resume ----------------------------------------------------------------------------


def test_cancel_keeps_what_is_done_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_TRIALS_MAX", 5)
    log = tmp_path / "log.jsonl"
    with pytest.raises(Cancelled, match=r"Cancelled after 15 of 40 trials, which are kept in"):
        swept(lambda done, _total, _what: done < 15, study=log)
    seen: list[int] = []

    def progress(done: int, _total: int, _what: str) -> bool:
        seen.append(done)
        return True

    assert text(swept(progress, study=log)) == text(WHOLE)
    assert seen[0] == 15
    assert log.read_bytes().count(b'"kind":"trial"') == 40


def test_a_desk_that_was_killed_goes_on_to_the_same_result(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    process = multiprocessing.get_context("spawn").Process(
        target=swept_and_killed, args=(str(log), 12)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    kept = StudyLog(log, WHOLE["pre_registration"]["hash"])
    assert sorted(kept.mine) == list(range(12))
    kept.close()
    assert text(swept(study=log)) == text(WHOLE)
    assert log.read_bytes().count(b'"kind":"trial"') == 40  # none lost, none twice


def test_a_study_over_other_data_is_another_study(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    swept(study=log)
    moved = sweep.sweep_market(MadeMarket(), {**FACTS, "digest": "other"}, options(study=log))
    assert moved["pre_registration"]["hash"] != WHOLE["pre_registration"]["hash"]
    assert moved["figures"]["evaluated"] == 80


def test_optuna_in_rounds_goes_on_where_it_stood(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra `optimise` is not installed")
    whole = swept(search="optuna")
    log = tmp_path / "log.jsonl"
    with pytest.raises(Cancelled):
        swept(lambda done, _total, _what: done < 16, study=log, search="optuna")
    assert text(swept(study=log, search="optuna")) == text(whole)


# --- peak or plateau ------------------------------------------------------------------------------


def made_trials(scores: np.ndarray, params: np.ndarray) -> Trials:
    """Trials whose Sharpe ratio over ten days is given: mean s, deviation 1."""
    cells = np.zeros((len(scores), len(FIGURES) + SUMS))
    cells[:, len(FIGURES)] = scores * 10.0
    cells[:, len(FIGURES) + 1] = 9.0 + 10.0 * scores**2
    cells[:, len(FIGURES) + 2] = TRADES_MIN
    return Trials(params, cells, ((0, 10),))


def test_a_peak_and_a_plateau_look_different() -> None:
    entry = np.array(AXES[1].values)
    params = np.tile([0.0, 0.0, 0.0, 40.0, 24.0, 2.0], (5, 1))
    params[:, PARAMETERS.index("entry_bp")] = entry
    found = []
    for scores in ([0.1, 0.9, 1.0, 0.9, 0.1], [-0.1, -0.1, 1.0, -0.1, -0.1]):
        trials = made_trials(np.array(scores), params)
        axes = [AXES[1], *(a._replace(values=(a.values[0],)) for a in AXES if a.name != "entry_bp")]
        found.append(plateau(trials, axes, chosen(trials, 0)))
        assert heat_map(trials, axes, ()) is None
    level, spike = found
    assert level is not None
    assert spike is not None
    assert level.near == pytest.approx(0.9 * 365.0**0.5)
    assert (level.neighbours, level.positive, spike.positive) == (2, 1.0, 0.0)
    assert level.best == pytest.approx(365.0**0.5)


def test_the_heat_map_is_the_mean_of_each_cell() -> None:
    params = np.array([[0.0, e, x, 40.0, 24.0, 2.0] for e in (6, 12) for x in (0, 4) for _ in "ab"])
    trials = made_trials(np.arange(8.0), params)
    found = heat_map(trials, AXES, ("entry_bp", "exit_bp"))
    assert found is not None
    assert found.x_values == AXES[1].values
    assert found.y_values == (-4.0, 0.0, 4.0)
    cells = found.cells / 365.0**0.5
    assert cells[1, :2] == pytest.approx([0.5, 4.5])
    assert cells[2, :2] == pytest.approx([2.5, 6.5])
    assert np.isnan(cells[0]).all()


def test_too_few_trades_or_no_gain_choose_not_to_trade() -> None:
    params = np.zeros((3, 6))
    few = made_trials(np.array([0.5, 0.6, 0.7]), params)
    few._sums[:, :, 2] = TRADES_MIN - 1
    assert chosen(few, 0).number is None
    assert chosen(made_trials(np.array([-0.1, 0.0, -0.3]), params), 0).number is None
    assert chosen(made_trials(np.array([0.1, 0.3, 0.3]), params), 0).number == 1


# --- the command line -----------------------------------------------------------------------------


def parsed(*words: str) -> sweep.SweepOptions:
    parser = argparse.ArgumentParser()
    sweep.add_sweep_arguments(parser)
    parser.add_argument("--out", type=Path)
    return sweep.sweep_from(parser.parse_args(["--data", "somewhere", *words]))


def test_the_command_line_says_everything(tmp_path: Path) -> None:
    found = parsed(
        "--trials", "50", "--search", "grid", "--axis", "entry_bp=5:10:5", "--tier", "high",
        "--train-months", "3", "--out", str(tmp_path), "--heat", "stop_bp", "leverage",
    )  # fmt: skip
    assert (found.trials, found.search, found.tier) == (50, "grid", "high")
    assert found.axes[1].values == (5.0, 10.0)
    assert found.splits == SPLITS
    assert found.study == tmp_path / "trials.jsonl"
    assert found.heat == ("stop_bp", "leverage")
    assert parsed().axes == sweep.SweepOptions().axes
    assert parsed().study is None


def test_too_short_data_are_one_sentence() -> None:
    with pytest.raises(UserError, match="too short"):
        swept(splits=SPLITS._replace(train_months=12))
