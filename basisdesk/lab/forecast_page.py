"""The study of the forecast in the words of a study: plan, tables and charts beside its figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from basisdesk.lab.forecast_figures import Case
from basisdesk.lab.words import chart, pre_registration, table

HYPOTHESIS = (
    "The online model says more of whether a candidate earns its costs than the base rate does: "
    "the whole 95 % interval of its Brier skill is above zero. To be better than the z-bins alone "
    "shows nothing: where outcomes are shuffled, z-bins lose to the base rate too."
)
REAL, SIM, NULL = "real", "SIMULATED", "SIMULATED, shuffled"

Run = Mapping[str, Any]
Named = tuple[str, str, Run]  # (where, name of the run, its figures)


def registered(
    found: Mapping[str, Any], cases: Sequence[Case], real: Sequence[Case], method: Mapping[str, Any]
) -> dict[str, Any]:
    """The plan with its hash: rules, worlds, seeds, and the span of the real hours."""
    options = found["options"]
    return pre_registration(
        HYPOTHESIS,
        {
            "simulated": {case.name: case.rule.words for case in cases},
            "real": {case.name: case.rule.words for case in real},
            "seeds": list(options["seeds"]),
            "days": options["days"],
            **method,
        },
        trials=len(cases) * len(options["seeds"]) + len(real),
        dates={row["name"]: f"{row['from']} to {row['to']}" for row in data_of(found)},
        costs={case.name: f"{case.rule.cost_bp:g} bp a round trip" for case in (*cases, *real)},
    )


def data_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was looked at: the real hours, and the simulated world, which is marked."""
    rows = [dict(row) for row in found["real"].get("data", ())]
    options = found["options"]
    world = {
        "name": f"SIMULATED {found['simulated']['world']}",
        "simulated": True,
        "from": "simulated",
        "to": f"{options['days']:g} days a seed",
        "seeds": list(options["seeds"]),
    }
    return [*rows, world]


def runs_of(found: Mapping[str, Any]) -> list[Named]:
    """All runs with figures, real ones first."""
    real = [(REAL, run["case"], run) for run in found["real"].get("runs", ()) if "skill" in run]
    out: list[Named] = [*real]
    for where, runs in ((SIM, "runs"), (NULL, "shuffled")):
        out += [
            (where, f"{run['case']}, seed {run['seed']}", run) for run in found["simulated"][runs]
        ]
    return out


def tables(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures of all runs with their intervals, and what came of what was said with confidence."""
    runs = runs_of(found)
    seeds = found["simulated"]["spread"]
    return [
        _skill_table(runs), _other_table(runs), *([_spread_table(seeds)] if seeds else []),
        _above_table(runs), _calm_table(found["calm"]),
    ]  # fmt: skip


def _label(place: int, where: str) -> str:
    """R1, S4, N8: a run in few letters, the same in tables and charts."""
    return f"{'R' if where == REAL else 'S' if where == SIM else 'N'}{place + 1}"


def _skill_table(runs: Sequence[Named]) -> dict[str, Any]:
    rows = []
    for i, (where, name, run) in enumerate(runs):
        low, high = run.get("skill_interval", run.get("skill_base_interval"))
        figures = map(
            _short, (run.get("base_rate"), run.get("skill", run["skill_base"]), low, high)
        )
        told = [_label(i, where), where, name, run["n"], round(run["n_eff"]), *figures]
        rows.append([*told, run["verdict"]])
    return table(
        "Skill against the base rate, run by run",
        [
            ("", ""), ("data", ""), ("run", ""), ("candidates", ""), ("effective", ""),
            ("base rate", ""), ("skill", ""), ("from", ""), ("to", ""), ("verdict", ""),
        ],
        rows,
        "Brier skill against the sample's own base rate, which nobody knew; of shuffled outcomes "
        "against the one known then. 95 % intervals by calendar blocks.",
    )  # fmt: skip


def _other_table(runs: Sequence[Named]) -> dict[str, Any]:
    rows = [
        [_label(i, where), name, *map(_short, (run["auc"], *run["auc_interval"], run.get("ece"))),
         *(_short(_milli(run["gain"][k])) for k in ("value", "low", "high"))]
        for i, (where, name, run) in enumerate(runs)
    ]  # fmt: skip
    return table(
        "Telling apart, calibration, and z-bins",
        [
            ("", ""), ("run", ""), ("AUC", ""), ("from", ""), ("to", ""), ("ECE", ""),
            ("z-bins minus model", "Brier, 1/1000"), ("from", ""), ("to", ""),
        ],
        rows,
        "z-bins minus model above zero proves nothing by itself: see the runs N, where nothing can "
        "be known.",
    )  # fmt: skip


def _spread_table(rows: Sequence[Run]) -> dict[str, Any]:
    told = [
        [row["case"], "AUC" if row["figure"] == "auc" else "Brier skill", row["seeds"],
         *map(_short, (row["mean"], row["sd"], row["least"], row["most"], *row["range"])),
         " and ".join(f"{each:.2f}" for each in row["target"]), row["reference"]]
        for row in rows
    ]  # fmt: skip
    return table(
        "SIMULATED: from seed to seed",
        [
            ("run", ""), ("figure", ""), ("seeds", ""), ("mean", ""), ("sd", ""), ("least", ""),
            ("most", ""), ("another from", ""), ("to", ""), ("reference", ""), ("it is", ""),
        ],
        told,
        "Where one more seed of this world is expected, 95 %: mean +- 1.96 sd sqrt(1 + 1/n). The "
        "reference is two seeds of another simulated world.",
    )  # fmt: skip


def _above_table(runs: Sequence[Named]) -> dict[str, Any]:
    rows = [
        [where, name, each["p"], _percent(each["coverage"]), _percent(each["hits"]),
         _short(each["net_bp"])]
        for where, name, run in runs
        for each in run.get("above", ())
    ]  # fmt: skip
    return table(
        "What came of what was said with confidence",
        [("data", ""), ("run", ""), ("p at least", ""), ("of candidates", "%"),
         ("came true", "%"), ("net", "bp a trade")],
        rows,
        "n/a: nothing was said with so much confidence.",
    )  # fmt: skip


def _calm_table(calm: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [name.replace("_", " "), calm[name]["beats"], calm[name]["candidates"],
         _percent(calm[name]["trade_share"]), "yes" if calm[name]["holds"] else "no"]
        for name in ("fresh", "after_mania")
    ]  # fmt: skip
    columns = [("forecaster", ""), ("beats", ""), ("candidates", ""), ("trade", "%"), ("holds", "")]
    return table("SIMULATED calm: how often it says trade", columns, rows)


def charts(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Skill and AUC of each run with their intervals, and the reliability curves."""
    runs = runs_of(found)
    out = [
        _by_run(runs, "Brier skill against the base rate; above 0 is skill", "skill"),
        _by_run(runs, "AUC; 0.5 tells nothing apart", "auc"),
        _reliability([each for each in runs if each[0] == SIM], "SIMULATED"),
    ]
    real = [each for each in runs if each[0] == REAL]
    return [_reliability(real, "real hours"), *out] if real else out


def _by_run(runs: Sequence[Named], title: str, what: str) -> dict[str, Any]:
    names, rows = [], []
    for i, (where, _, run) in enumerate(runs):
        names.append(_label(i, where))
        ends = run.get(f"{what}_interval") or run[f"{what}_base_interval"]
        rows.append((run.get(what, run.get(f"{what}_base")), *ends))
    line = {
        "name": "with its 95 % interval",
        **{key: [row[k] for row in rows] for k, key in enumerate(("y", "low", "high"))},
    }
    none = {"name": "no skill", "y": [0.5 if what == "auc" else 0.0] * len(names)}
    made = chart("points", title, ("run", what), names, [line, none | {"reference": True}])
    said = "; ".join(f"{short} {name}" for short, (_, name, _) in zip(names, runs, strict=True))
    note = f"R real, S SIMULATED, N SIMULATED with shuffled outcomes. {said}."
    return made | {"x_kind": "words", "note": note}


def _reliability(runs: Sequence[Named], where: str) -> dict[str, Any]:
    """What came true by what was said; a bin of another run is a hole in a line."""
    bins = [(name, each) for _, name, run in runs for each in run.get("bars", ())]
    bins.sort(key=lambda each: each[1]["said"])
    x = [100.0 * each["said"] for _, each in bins]
    names = list(dict.fromkeys(name for _, name, _ in runs))
    lines: list[dict[str, Any]] = [
        {
            "name": name,
            **{
                key: [100.0 * each[source] if of == name else None for of, each in bins]
                for key, source in (("y", "came"), ("low", "low"), ("high", "high"))
            },
        }
        for name in names
    ]
    lines.append({"name": "as said", "y": x, "reference": True})
    titles = ("said, %", "came true, % (Wilson 95 %)")
    return chart("points", f"Reliability, {where}: what came of what was said", titles, x, lines)


def _short(value: Any) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _milli(value: Any) -> float | None:
    return None if value is None else 1e3 * float(value)


def _percent(value: Any) -> float | None:
    return None if value is None else round(100.0 * value, 2)
