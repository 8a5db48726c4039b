"""`basisdesk lab ...`: the studies of the lab on the command line."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from basisdesk.errors import UserError


class Show(Protocol):
    """Puts an answer on stdout: the whole as JSON, or the lines for a person; gives the code."""

    def __call__(self, found: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> int:
        """Show it."""
        ...


def add_lab(commands: Any, show: Show) -> None:
    """Add the group with its commands to the program's own. show: puts an answer on stdout."""
    parser = commands.add_parser("lab", help="studies: does the forecast hold what it says")
    studies = parser.add_subparsers(title="studies", required=True, dest="study")
    forecast = studies.add_parser("forecast", help="the forecast against base rate and z-bins")
    forecast.add_argument("--data", type=Path, metavar="DIR", help="hourly Binance archives")
    forecast.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="simulated worlds")
    forecast.add_argument("--days", type=float, default=365.0, help="of each simulated world")
    forecast.add_argument("--json", action="store_true", help="one JSON object on stdout")
    forecast.set_defaults(run=partial(_forecast, show))


def _forecast(show: Show, arguments: argparse.Namespace) -> int:
    from basisdesk.lab.forecast_report import ForecastOptions, run_forecast

    if arguments.data is not None and not arguments.data.is_dir():
        raise UserError(f"No folder {arguments.data}. Name the one with the hourly archives.")
    if not 1.0 <= arguments.days <= 3_660.0:
        raise UserError(f"--days is {arguments.days:g}; a world has 1 to 3,660 days.")
    options = ForecastOptions(arguments.data, tuple(arguments.seeds), arguments.days)
    found = run_forecast(options)
    return show(found, found["sentences"], as_json=arguments.json)
