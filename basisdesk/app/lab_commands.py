"""`basisdesk lab ...`: the studies of the lab on the command line.

Every study is one `Study`: its options, and a function from them to a plain dict. What a study
makes is kept as a run in the profile, or written to `--out DIR`; `--json` prints it as well. The
studies' own modules are imported when the group is asked for: the desk starts without them.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from basisdesk.app.lab_compare import add_compare
from basisdesk.app.lab_progress import MODES, ProgressLine
from basisdesk.clock import wall_ns
from basisdesk.errors import UserError


class Show(Protocol):
    """Puts an answer on stdout: the whole as JSON, or the lines for a person; gives the code."""

    def __call__(self, found: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> int:
        """Show it."""
        ...


Progress = Callable[[int, int, str], bool]
Profile = Callable[[argparse.Namespace], Path]


class Defaults(argparse.HelpFormatter):
    """Help that tells each option's default, and what a round trip costs by each tier."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        said, usual = action.help, action.default
        if said is None:
            return None
        if action.dest in ("tier", "tiers"):
            from basisdesk.lab.rule import TIERS

            costs = (f"{name} {cost.round_trip_bp:.4g}" for name, cost in TIERS.items())
            said += f"; bp a round trip of both legs: {', '.join(costs)}"
        if usual in (None, "", argparse.SUPPRESS) or usual is False or "default" in said:
            return said
        if isinstance(usual, list | tuple):
            words = " ".join(_word(each) for each in usual)
            return f"{said} (default: {words})" if usual else said
        return f"{said} (default: {_word(usual)})"


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Study(NamedTuple):
    """One study: its options, and what makes it of them."""

    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Progress], dict[str, Any]]


class Ends(NamedTuple):
    """What the command line gives the lab: how to show an answer, and where the profile lies."""

    show: Show
    profile: Profile


def add_lab(commands: Any, ends: Ends, typed: Sequence[str]) -> None:
    """Add the group with its commands to the program's own.

    typed: the command line, so that only the study that was asked for is imported.
    """
    parser = commands.add_parser("lab", help="studies: backtests, sweeps, leverage, claims")
    studies = parser.add_subparsers(title="studies", required=True, dest="study")
    for name, (said, opened) in STUDIES.items():
        one = studies.add_parser(name, help=said, description=said, formatter_class=Defaults)
        if "lab" in typed and name in typed:
            study = opened()
            study.add(one)
            _add_ends(one)
            one.set_defaults(run=partial(_run, name, study, ends))
    claims = studies.add_parser("claims", help="the founding notes' claims and what became of them")
    _add_ends(claims)
    claims.set_defaults(run=partial(_claims, ends))
    add_compare(studies, ends, _add_ends)


def _add_ends(parser: argparse.ArgumentParser) -> None:
    keep = argparse.SUPPRESS
    parser.add_argument("--profile", metavar="DIR", default=keep, help="folder of the user's data")
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="write page and JSON there, not into the profile; only runs that the profile keeps "
        "count for claims and for how often data were looked at",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--progress", choices=MODES, default="auto", help="on stderr")


def _run(name: str, study: Study, ends: Ends, arguments: argparse.Namespace) -> int:
    progress = ProgressLine(arguments.progress)
    arguments.runs_folder = ends.profile(arguments) / "lab"
    try:
        with progress.interrupts():
            found = study.run(arguments, progress)
    except KeyboardInterrupt:
        raise UserError(
            f"Stopped at once: lab {name} wrote no run. Trials that a study log holds are kept."
        ) from None
    finally:
        progress.end()
    said = STUDIES[name][0]
    named = {"study": name, "title": said[0].upper() + said[1:]}
    return _keep(name, named | found, ends, arguments)


def _keep(name: str, found: dict[str, Any], ends: Ends, arguments: argparse.Namespace) -> int:
    from basisdesk.lab.looks import with_cautions, with_looks
    from basisdesk.lab.pages import write_study
    from basisdesk.lab.runs import Asked, Runs
    from basisdesk.lab.words import plain

    runs = Runs(arguments.runs_folder)
    found = with_cautions(with_looks(found, runs.looks()))
    if arguments.out is not None:
        place = write_study(found, arguments.out)[0]
    else:
        asked = Asked(name.replace("-", "_"), asked_of(arguments))
        place = runs.page(runs.keep(found, asked, wall_ns()).name)
    lines = [*map(str, found.get("sentences", ())), f"Page: {place}"]
    return ends.show(plain(found), lines, as_json=arguments.json)


def asked_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The study's options that differ from nothing, as NAME=VALUE, for the run's own record."""
    left_out = {"run", "study", "profile", "out", "json", "progress", "config", "runs_folder"}
    return tuple(
        f"{name}={value}"
        for name, value in sorted(vars(arguments).items())
        if name not in left_out and value not in (None, "", [], False)
    )


def _claims(ends: Ends, arguments: argparse.Namespace) -> int:
    from basisdesk.lab.claims import claims_study
    from basisdesk.lab.runs import Runs

    found = claims_study(Runs(ends.profile(arguments) / "lab"))
    lines = [*found["sentences"], ""]
    lines += [f"{row[0]:8} {row[2]:15} {row[1]}" for row in found["tables"][0]["rows"]]
    if arguments.out is not None:
        from basisdesk.lab.pages import write_study

        lines += ["", f"Page: {write_study(found, arguments.out)[0]}"]
    return ends.show(found, lines, as_json=arguments.json)


# --- the studies ----------------------------------------------------------------------------------


def _forecast_study() -> Study:
    return Study(_add_forecast, _forecast)


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="hourly Binance archives")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="simulated worlds")
    parser.add_argument("--days", type=float, default=365.0, help="of each simulated world")


def _forecast(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    from basisdesk.lab.forecast_report import ForecastOptions, run_forecast

    if arguments.data is not None and not arguments.data.is_dir():
        raise UserError(f"No folder {arguments.data}. Name the one with the hourly archives.")
    if not 1.0 <= arguments.days <= 3_660.0:
        raise UserError(f"--days is {arguments.days:g}; a world has 1 to 3,660 days.")
    calm_days = min(ForecastOptions().calm_days, arguments.days)
    return run_forecast(
        ForecastOptions(arguments.data, tuple(arguments.seeds), arguments.days, calm_days)
    )


def _leverage() -> Study:
    from basisdesk.lab.leverage import add_leverage_arguments, leverage_from, run_leverage

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_leverage(*leverage_from(arguments), progress)

    return Study(add_leverage_arguments, run)


def _sweep() -> Study:
    from basisdesk.lab.sweep import add_sweep_arguments, run_sweep, sweep_from

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_sweep(sweep_from(arguments), progress)

    return Study(add_sweep_arguments, run)


def _rotation() -> Study:
    from basisdesk.lab.rotation import add_rotation_arguments, rotation_from, run_rotation
    from basisdesk.ui.resources import resource

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_rotation(rotation_from(arguments, resource("sectors.json")), progress)

    return Study(add_rotation_arguments, run)


def _replicate() -> Study:
    from basisdesk.lab.replicate import ReplicateOptions, run_replicate

    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="archives")
        parser.add_argument(
            "--symbols",
            nargs="+",
            default=[],
            metavar="SYMBOL",
            help="of the archives; default: all",
        )

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:  # noqa: ARG001
        return run_replicate(ReplicateOptions(arguments.data, tuple(arguments.symbols)))

    return Study(add, run)


def _backtest() -> Study:
    from basisdesk.lab.backtest_study import add_backtest_arguments, backtest_from, run_backtest

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_backtest(backtest_from(arguments), progress)

    return Study(add_backtest_arguments, run)


def _league() -> Study:
    from basisdesk.lab.league import add_league_arguments, league_from, run_league

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_league(*league_from(arguments), progress)

    return Study(add_league_arguments, run)


def _velocity() -> Study:
    from basisdesk.lab.velocity import add_velocity_arguments, run_velocity, velocity_from

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_velocity(velocity_from(arguments), progress)

    return Study(add_velocity_arguments, run)


def _venue_spread() -> Study:
    from basisdesk.lab.venue_spread import add_spread_arguments, run_spread, spread_from

    def run(arguments: argparse.Namespace, progress: Progress) -> dict[str, Any]:
        return run_spread(spread_from(arguments), progress)

    return Study(add_spread_arguments, run)


# Each is imported when it is asked for. name: what --help says, and what opens it.
STUDIES: dict[str, tuple[str, Callable[[], Study]]] = {
    "forecast": ("the forecast against base rate and z-bins", _forecast_study),
    "backtest": ("one rule through the desk's own engine, with its nulls", _backtest),
    "league": ("the five playbooks side by side; the answer may be none", _league),
    "leverage": ("the same signals at 1 to 20 times leverage", _leverage),
    "sweep": ("search a rule's numbers, walked forward", _sweep),
    "rotation": ("does funding divergence come before sectors rotate", _rotation),
    "velocity": ("does funding velocity tell what lasts from what goes", _velocity),
    "venue-spread": ("does the funding spread between venues pay its costs", _venue_spread),
    "replicate": ("excursions beyond the cost bounds, against the published ones", _replicate),
}
