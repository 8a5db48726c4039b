"""`basisdesk` without a command: the options of the desk, and what they come to."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from basisdesk.config import Settings
from basisdesk.errors import SettingsError

if TYPE_CHECKING:
    from basisdesk.app.desk import DeskOptions
    from basisdesk.ui.context import Mode

REPLAY_SPEEDS = (0.1, 1_000.0)  # lab.player repeats them; here, --help needs no engine


def add_desk(parser: argparse.ArgumentParser) -> None:
    """Add the desk's options to the program's own."""
    parser.add_argument("--profile", metavar="DIR", help="folder of the user's data")
    parser.add_argument("--config", metavar="FILE", help="settings file (TOML)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="trade on the built-in demo exchange")
    source.add_argument(
        "--live",
        action="store_true",
        help="public feeds of the real venues; without either: as last time, at first the demo",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="TAPE",
        help="play a recording, at --speed 0.1 to 1000; with --demo or --live beside a desk",
    )
    parser.add_argument("--account", metavar="NAME", default="main", help="paper account to trade")
    parser.add_argument("--symbol", metavar="SYMBOL", help="pair to open, e.g. ADAUSDT")
    parser.add_argument("--seed", type=int, help="demo: seed of the market")
    parser.add_argument("--scenario", help="demo: mixed, 2021 mania, openings, crash, ...")
    parser.add_argument("--speed", type=float, help="demo, replay: market seconds in a real one")
    parser.add_argument("--exit-after", type=float, metavar="SECONDS", help="then leave")
    parser.add_argument("--scanner", action="store_true", help="open the scanner's window too")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="picture at the end (PNG)")


def desk_options(arguments: argparse.Namespace, settings: Settings, profile: Path) -> "DeskOptions":
    """What the desk is started with. Raises UserError where an option cannot be used."""
    from basisdesk.app.desk import DeskOptions

    speed = _replay_speed(arguments)
    overrides = {
        key: getattr(arguments, key)
        for key in ("seed", "scenario", "speed", "symbol")
        if getattr(arguments, key) is not None
    }
    if arguments.replay is not None:
        overrides.pop("speed", None)  # it is the tape's
    named = getattr(arguments, "config", None)
    return DeskOptions(
        profile=profile,
        settings=typed_over(settings, overrides),
        mode=_mode(arguments, profile),
        exit_after_s=arguments.exit_after,
        screenshot=arguments.screenshot,
        account=arguments.account,
        scanner=arguments.scanner,
        replay=arguments.replay,
        replay_speed=speed,
        replay_plays=arguments.speed is not None or arguments.exit_after is not None,
        alone=arguments.replay is not None and not (arguments.demo or arguments.live),
        settings_file=Path(named) if named else None,
        typed=overrides,
    )


def typed_over(settings: Settings, typed: Mapping[str, object]) -> Settings:
    """The settings with what the command line named for the demo. Raises SettingsError."""
    try:
        demo = msgspec.convert(
            {**msgspec.structs.asdict(settings.demo), **typed}, type(settings.demo)
        )
    except msgspec.ValidationError as exc:
        raise SettingsError(f"Command line: {exc}.") from exc
    return msgspec.structs.replace(settings, demo=demo)


def _mode(arguments: argparse.Namespace, profile: Path) -> "Mode":
    """Demo or live: as typed, else as last time. A script gets the demo unless it says live."""
    if arguments.live:
        return "live"
    script = arguments.exit_after is not None or arguments.screenshot is not None
    if arguments.demo or script or arguments.replay is not None:
        return "simulated"
    from basisdesk.app.first_run import last_mode

    return last_mode(profile)


def _replay_speed(arguments: argparse.Namespace) -> float:
    """The speed of a replay, 1 where none is wanted. The tape has to be one, before a window is."""
    if arguments.replay is None:
        return 1.0
    from basisdesk.lab.tape import TapeReader

    TapeReader(arguments.replay)
    speed = 1.0 if arguments.speed is None else arguments.speed
    low, high = REPLAY_SPEEDS
    if not low <= speed <= high:
        raise SettingsError(f"--speed is {speed:g}; a replay goes {low:g} to {high:,.0f} times.")
    return float(speed)
