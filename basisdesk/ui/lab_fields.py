"""The studies that can be set up in the window: their fields as plain data, and what is typed.

`lab` on the command line has the same options with the same defaults; a test compares the two. A
field that still holds its default adds nothing to the command line. Pure, no Qt.
"""

import math
import re
import shlex
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from basisdesk.errors import UserError

Kind = Literal[
    "text", "number", "count", "numbers", "choice", "flag", "folder", "file", "new file", "paths",
    "words", "date",
]  # fmt: skip
OPEN_KINDS = ("folder", "file", "new file", "paths")  # asked for with a dialog
MANY_KINDS = ("numbers", "paths", "words")  # several values after one option
PATH_SEPARATOR = ";"  # between several paths in one field
TEXT_MAX = 2_000

_CONTROL = re.compile(r"[\x00-\x1f]")


class Field(NamedTuple):
    """One field of a study. option: of the command line; default: as it stands in the field.

    names of choices: what a person reads, in the order of `choices`. low, high: of a number. need:
    the study cannot do without. sources: the ways to give data that it belongs to, () all of them.
    """

    option: str
    name: str
    kind: Kind = "text"
    default: str = ""
    unit: str = ""
    tip: str = ""
    choices: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    need: bool = False
    sources: tuple[str, ...] = ()
    group: str = "Study"


class Study(NamedTuple):
    """A study that can be set up. key: its name on the command line; sources: of its data."""

    key: str
    name: str
    about: str
    fields: tuple[Field, ...]
    sources: tuple[str, ...] = ()


ARCHIVES, TAPE, ONE, TWO = "Binance archives", "Tape", "One file", "Two files"
SOURCES = (ARCHIVES, TAPE, ONE, TWO)
FILES = (ONE, TWO)
STEPS = ("", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
TIERS = ("low", "high", "taker")
TIER_NAMES = ("Low, 4.86 bp", "High, 16.38 bp", "Taker, 30 bp")
TIER_TIP = "Fees of the round trip on both legs; high is VIP 1 as maker, taker a regular user's."
FUNDING_TIP = "Settled funding, as the venue publishes it: files or folders."

SOURCE_FIELDS = (
    Field("--data", "Folder", "folder", tip="Monthly archives as they come, zipped or not.",
          need=True, sources=(ARCHIVES,), group="Data"),
    Field("--symbol", "Symbol", tip="Such as BTCUSDT; empty where there is but one.",
          sources=(ARCHIVES, ONE, TWO), group="Data"),
    Field("--interval", "Interval", "choice", "", "", "Of a bar; the only one there, or this.",
          STEPS, ("the only one", *STEPS[1:]), sources=(ARCHIVES,), group="Data"),
    Field("--tape", "Tape", "file", tip="A recording of this desk.", need=True, sources=(TAPE,),
          group="Data"),
    Field("--long", "Long leg", tip="venue:spot|perp:SYMBOL; empty where there are but two.",
          sources=(TAPE,), group="Data"),
    Field("--short", "Short leg", tip="venue:spot|perp:SYMBOL; empty where there are but two.",
          sources=(TAPE,), group="Data"),
    Field("--file", "File", "file", tip="CSV or Parquet with both legs.", need=True, sources=(ONE,),
          group="Data"),
    Field("--spot", "Spot file", "file", tip="CSV or Parquet of the spot leg.", need=True,
          sources=(TWO,), group="Data"),
    Field("--perp", "Perp file", "file", tip="CSV or Parquet of the perpetual.", need=True,
          sources=(TWO,), group="Data"),
    Field("--funding", "Funding", "file", tip="Settled funding of the perpetual.", sources=FILES,
          group="Data"),
    Field("--columns", "Columns", tip="Which column is what: time=ts,spot=close,perp=last.",
          sources=FILES, group="Data"),
    Field("--where", "Rows", tip="Only rows that hold this: coin=BTC.", sources=FILES,
          group="Data"),
    Field("--stamps", "Bar's time", "choice", "close", "", "Which end of a bar its time means.",
          ("close", "open"), ("its close", "its open"), sources=FILES, group="Data"),
    Field("--venue", "Venue", tip="Whose funding terms hold for files: binance.", sources=FILES,
          group="Data"),
    Field("--half-spread-bp", "Half-spread", "numbers", "", "bp",
          "Charged on legs without bid and ask: one for both, or spot and perpetual. Empty: usual.",
          low=0.0, high=1_000.0, group="Data"),
    Field("--from", "From", "date", tip="First day, UTC.", group="Data"),
    Field("--to", "To", "date", tip="Day after the last, UTC.", group="Data"),
)  # fmt: skip

DIRECTION = Field(
    "--direction", "Direction", "choice", "0", "", "Which side is traded.", ("0", "1", "-1"),
    ("either side", "buy spot, short perp", "sell spot, buy perp"), group="Rule",
)  # fmt: skip
TIER = Field("--tier", "Costs", "choice", "taker", "", TIER_TIP, TIERS, TIER_NAMES, group="Rule")
CAPITAL = Field("--capital", "Capital", "number", "10000", "USDT", "Of which returns are counted.",
                low=1.0, high=1e12, group="Rule")  # fmt: skip
NOTIONAL = Field("--notional", "Notional", "number", "5000", "USDT", "Of one trade, each leg.",
                 low=1.0, high=1e12, group="Rule")  # fmt: skip
SEED = Field("--seed", "Seed", "count", "1", "", "Of all draws.", low=0, high=2**31, group="Draws")

BACKTEST = (
    Field("--entry", "Entry", "number", "20", "bp", "Distance from fair, executable.", low=0.0,
          high=10_000.0, group="Rule"),
    Field("--exit", "Exit", "number", "0", "bp", "Distance from fair, executable.",
          low=-10_000.0, high=10_000.0, group="Rule"),
    Field("--stop", "Stop", "number", "inf", "bp", "Widening since entry, mid; inf for none.",
          low=0.0, group="Rule"),
    Field("--hold", "Time stop", "number", "inf", "h", "inf for no end.", low=0.0, group="Rule"),
    DIRECTION,
    Field("--leverage", "Leverage", "number", "2", "x", "Of the perpetual.", low=0.1, high=125.0,
          group="Rule"),
    TIER,
    Field("--slippage", "Slippage", "number", "0", "bp", "Of each leg and fill.", low=0.0,
          high=1_000.0, group="Rule"),
    CAPITAL,
    NOTIONAL,
    SEED,
    Field("--kernel-only", "Kernel alone, not the engine: fast", "flag", group="Work"),
)  # fmt: skip

LEAGUE_TIERS = (*TIERS, "twice taker")
LEAGUE = (
    Field("--tier", "Main costs", "choice", "taker", "", TIER_TIP, LEAGUE_TIERS,
          (*TIER_NAMES, "Twice taker, 60 bp"), group="League"),
    Field("--capital", "Capital", "number", "10000", "USDT", "Of each account.", low=1.0,
          high=1e12, group="League"),
    Field("--stretch", "Slower clock", "number", "0", "x", "On bars, for playbooks that need "
          "quotes; 0: a bar as a minute, 1: none.", low=0.0, high=100_000.0, group="League"),
    Field("--set", "Playbook figures", "words", tip="clamp-aware.blind_share=0.25",
          group="League"),
)  # fmt: skip

FUNDING = (Field("--funding", "Funding", "paths", tip=FUNDING_TIP, need=True, group="Data"), SEED)

LEVERAGE = (
    Field("--entry", "Entry", "number", "8", "bp", "Distance from fair of the mid basis.",
          low=0.0, high=10_000.0, group="Rule"),
    Field("--exit", "Exit", "number", "2", "bp", "Distance from fair, executable.",
          low=-10_000.0, high=10_000.0, group="Rule"),
    Field("--stop", "Stop", "number", "inf", "bp", "Widening since entry; inf for none.",
          low=0.0, group="Rule"),
    Field("--horizon", "Horizon", "number", "168", "h", "How long a signal has.", low=0.01,
          high=100_000.0, group="Rule"),
    DIRECTION,
    TIER,
    Field("--levels", "Leverage", "numbers", "1 2 3 5 10 20", "x", "Levels that are compared.",
          low=0.1, high=125.0, group="Rule"),
)  # fmt: skip

SWEEP = (
    Field("--search", "Search", "choice", "sobol", "", "How configurations are chosen.",
          ("grid", "sobol", "optuna"), ("grid: every one", "Sobol: spread evenly", "Optuna"),
          group="Search"),
    Field("--trials", "Trials", "count", "1000", "", "Fixed beforehand; the more, the harder the "
          "deflated Sharpe ratio judges.", low=1, high=10_000_000, group="Search"),
    Field("--seed", "Seed", "count", "7", "", "Of Sobol, Optuna and the bootstrap.", low=0,
          high=2**31, group="Search"),
    TIER,
    CAPITAL,
    NOTIONAL,
    Field("--train-months", "Training", "count", "6", "months", "Anchored at the first day.",
          low=1, high=600, group="Walk forward"),
    Field("--test-months", "Testing", "count", "1", "months", "After each training.", low=1,
          high=600, group="Walk forward"),
    Field("--sealed", "Sealed", "number", "0.2", "share", "Of the data, at the end, not looked at.",
          low=0.0, high=0.9, group="Walk forward"),
    Field("--open-sealed", "Look at the sealed part, once", "flag", group="Walk forward"),
    Field("--workers", "Processes", "count", "", "", "Empty: one a core; 0: one in all.", low=0,
          high=256, group="Work"),
    Field("--scheduler", "Cluster", tip="Dask, tcp://HOST:PORT; empty: this machine.",
          group="Work"),
    Field("--study", "Trial log", "new file", tip="Each finished trial is written here at once; "
          "the same file again goes on where it stopped. Empty: one in the profile for each plan.",
          group="Work"),
)  # fmt: skip

ROTATION = (
    Field("--funding", "Funding", "paths", tip=FUNDING_TIP, group="Data"),
    Field("--prices", "Prices", "paths", tip="Hourly candles: files or folders.", group="Data"),
    Field("--sectors", "Sectors", "paths", tip="Dated sector maps; empty: the desk's own.",
          group="Data"),
    Field("--simulate", "A simulated world instead of files", "flag", group="Simulated world"),
    Field("--edge", "Planted edge", "number", "0", "bp", "In the simulated world.", low=-1_000.0,
          high=1_000.0, group="Simulated world"),
    Field("--years", "Length", "number", "3", "years", "Of the simulated world.", low=0.1,
          high=50.0, group="Simulated world"),
    Field("--worlds", "Null worlds", "count", "0", "", "To measure how often chance passes.",
          low=0, high=10_000, group="Simulated world"),
    Field("--seed", "Seed", "count", "1", "", "Of the world and all draws.", low=0, high=2**31,
          group="Draws"),
)  # fmt: skip

REPLICATE = (
    Field("--data", "Folder", "folder", tip="Hourly Binance archives.", need=True, group="Data"),
    Field(
        "--symbols", "Symbols", "words", tip="BTCUSDT ETHUSDT; empty: all there are.", group="Data"
    ),
)

FORECAST = (
    Field("--data", "Folder", "folder", tip="Hourly Binance archives; empty: simulated only.",
          group="Data"),
    Field("--seeds", "Seeds", "numbers", "1 2", "", "One simulated world each.", low=0,
          high=2**31, group="Simulated worlds"),
    Field("--days", "Length", "number", "365", "days", "Of each simulated world.", low=1.0,
          high=3_660.0, group="Simulated worlds"),
)  # fmt: skip

STUDIES: tuple[Study, ...] = (
    Study("backtest", "Backtest", "One rule over one pair: trades, costs, against doing nothing "
          "and always-on carry.", (*SOURCE_FIELDS, *BACKTEST), SOURCES),
    Study("leverage", "Leverage", "The same signals at each leverage: captured, liquidated, worst "
          "path.", (*SOURCE_FIELDS, *LEVERAGE), SOURCES),
    Study("sweep", "Sweep", "Search a rule's numbers, walked forward, judged by the number of "
          "trials.", (*SOURCE_FIELDS, *SWEEP), SOURCES),
    Study("league", "League", "The five playbooks over the same data, side by side.",
          (*SOURCE_FIELDS, *LEAGUE), SOURCES),
    Study("velocity", "Velocity", "Does funding velocity tell lasting gaps from passing ones?",
          FUNDING),
    Study("venue-spread", "Venue spread", "Funding between venues: gaps, cycles and what they net.",
          FUNDING),
    Study("rotation", "Rotation", "Does funding divergence come before sectors rotate?", ROTATION),
    Study("replicate", "Replicate", "Excursions beyond the cost bounds, against the published "
          "ones.", REPLICATE),
    Study("forecast", "Forecast", "The forecast against base rate and z-bins.", FORECAST),
)  # fmt: skip


def known_studies(keys: Collection[str]) -> tuple[Study, ...]:
    """Those of the studies that this program can run."""
    return tuple(study for study in STUDIES if study.key in keys)


def study_of(key: str) -> Study:
    """A study by its name on the command line. Raises KeyError."""
    return next(study for study in STUDIES if study.key == key)


def shown_fields(study: Study, source: str) -> list[Field]:
    """The fields that count when the data come from there."""
    return [field for field in study.fields if not field.sources or source in field.sources]


class Filled(NamedTuple):
    """What was made of the fields: arguments after the study's name, problems by option."""

    arguments: tuple[str, ...]
    problems: dict[str, str]


def filled(study: Study, source: str, typed: Mapping[str, str], more: str = "") -> Filled:
    """Arguments of what was typed, and one sentence for each field that cannot be.

    typed: text by option; a flag is "yes" or "". more: further options as they would be typed.
    """
    arguments: list[str] = []
    problems: dict[str, str] = {}
    for field in shown_fields(study, source):
        text = typed.get(field.option, field.default).strip()
        if problem := problem_of(field, text):
            problems[field.option] = problem
        elif text and text != field.default:
            arguments += _words(field, text)
    try:
        arguments += shlex.split(more)
    except ValueError:
        problems["more"] = "A quotation mark is open. Close it."
    return Filled(tuple(arguments), problems)


def _words(field: Field, text: str) -> list[str]:
    if field.kind == "flag":
        return [field.option]
    if field.kind == "paths":
        parts = [part.strip() for part in text.split(PATH_SEPARATOR)]
        return [field.option, *(part for part in parts if part)]
    if field.kind in MANY_KINDS:
        return [field.option, *text.replace(",", " ").split()]
    # "=": a value that begins with a minus is no option
    return [f"{field.option}={text}"] if text.startswith("-") else [field.option, text]


def problem_of(field: Field, text: str) -> str:
    """Why a field cannot be used as it stands, in one sentence, or ""."""
    if not text:
        empty = field.need or (field.kind in ("number", "count") and field.default)
        return _missing(field) if empty else ""
    if len(text) > TEXT_MAX or _CONTROL.search(text):
        return f"{field.name} is no single line of up to {TEXT_MAX:,} characters."
    if field.kind in ("number", "count"):
        return _number_problem(field, text)
    if field.kind == "numbers":
        parts = text.replace(",", " ").split()
        return next((said for part in parts if (said := _number_problem(field, part))), "")
    if field.kind == "date":
        return _date_problem(text)
    return _path_problem(field, text) if field.kind in OPEN_KINDS else ""


def _missing(field: Field) -> str:
    what = {"folder": "Choose a folder.", "file": "Choose a file."}
    return what.get(field.kind, f"Give a figure; {field.default} is usual.")


def _number_problem(field: Field, text: str) -> str:
    whole = field.kind == "count"
    try:
        value = float(int(text) if whole else float(text))
    except (ValueError, OverflowError):
        return f"{text} is no {'whole ' if whole else ''}number. Write {field.default or '1'}."
    if math.isnan(value) or not field.low <= value <= field.high:
        return f"{text} is outside {_edge(field.low)} to {_edge(field.high)}."
    return ""


def _edge(value: float) -> str:
    return "any" if math.isinf(value) else f"{value:,.10g}".replace("-", "\u2212")


def _date_problem(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{text} is no date. Write 2024-01-31."
    return ""


def _path_problem(field: Field, text: str) -> str:
    parts = [text] if field.kind != "paths" else text.split(PATH_SEPARATOR)
    for part in map(str.strip, parts):
        place = Path(part)
        if field.kind == "folder" and not place.is_dir():
            return f"There is no folder {part}."
        if field.kind == "file" and not place.is_file():
            return f"There is no file {part}."
        if field.kind == "paths" and part and not place.exists():
            return f"There is no {part}. Put {PATH_SEPARATOR} between several."
        if field.kind == "new file" and not place.parent.is_dir():
            return f"There is no folder {place.parent}."
    return ""


def checked(study: Study, source: str, typed: Mapping[str, str], more: str = "") -> tuple[str, ...]:
    """The arguments. Raises UserError with the first problem."""
    found = filled(study, source, typed, more)
    if found.problems:
        raise UserError(next(iter(found.problems.values())))
    return found.arguments
