"""What the lab reads, as said on the command line: archives, tapes, or files of anybody.

`add_source_arguments` gives every command of the lab the same options, `source_from` takes them
back, and `open_series` makes a pair of them.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.archive_files import STEPS_S
from basisdesk.lab.series import Coverage, PairSeries
from basisdesk.lab.series_files import FileOptions, Stamps, file_series
from basisdesk.lab.words import cautions, fingerprint

NS = 1_000_000_000


class SourceOptions(NamedTuple):
    """Where a pair comes from: data (archives), tape, or file / spot with perp; one of them.

    symbol, interval: of archives, "" where there is but one. long, short: legs of a tape. funding,
    columns, where, stamps, venue: of files. half_spread_bp: (spot, perp) for bars, None for the
    usual. since, until: dates, UTC, "" for all; until is left out.
    """

    data: Path | None = None
    symbol: str = ""
    interval: str = ""
    tape: Path | None = None
    long: str = ""
    short: str = ""
    file: Path | None = None
    spot: Path | None = None
    perp: Path | None = None
    funding: Path | None = None
    columns: str = ""
    where: str = ""
    stamps: Stamps = "close"
    venue: str = ""
    half_spread_bp: tuple[float, float] | None = None
    since: str = ""
    until: str = ""


def open_series(options: SourceOptions) -> PairSeries:
    """The pair that these options mean. Raises UserError with one sentence."""
    first_ns, end_ns = _moment(options.since, "--from"), _moment(options.until, "--to")
    series = _READERS[source_kind(options)](options)
    return between(series, first_ns, end_ns)


def source_kind(options: SourceOptions) -> Literal["archive", "tape", "files"]:
    """Which kind of source is meant. Raises UserError where none is, or several are."""
    given = [
        name
        for name, there in (
            ("--data", options.data),
            ("--tape", options.tape),
            ("--file", options.file),
            ("--spot and --perp", options.spot or options.perp),
        )
        if there is not None
    ]
    if len(given) != 1:
        what = f"{' and '.join(given)} were given" if given else "nothing was given"
        raise UserError(
            f"Name one source of prices: --data DIR, --tape FILE, --file FILE, or --spot FILE with "
            f"--perp FILE; {what}."
        )
    return "archive" if options.data else "tape" if options.tape else "files"


def between(series: PairSeries, first_ns: int | None, end_ns: int | None) -> PairSeries:
    """The rows from first up to end, the end left out; settlements stay all.

    Raises UserError where no row is left.
    """
    if first_ns is None and end_ns is None:
        return series
    t_ns = series.t_ns
    first = 0 if first_ns is None else int(np.searchsorted(t_ns, first_ns))
    end = len(t_ns) if end_ns is None else int(np.searchsorted(t_ns, end_ns))
    if first >= end:
        raise UserError(
            f"{series.name} has no rows in that time; it has {day(int(t_ns[0]))} to "
            f"{day(int(t_ns[-1]))}. Change --from or --to."
        )
    cut = series.cut(first, end)
    return cut._replace(coverage=_covered(cut))


def source_words(series: PairSeries) -> dict[str, Any]:
    """A series as a study tells of it: what it is, its span, and what of it is there."""
    coverage = series.coverage
    return {
        "name": series.name,
        "spot": series.spot,
        "perp": series.perp,
        "kind": series.kind,
        "label": "close-to-close proxy" if series.kind == "bars" else "best bids and asks",
        "step_s": series.step_s,
        "first": day(int(series.t_ns[0])),
        "last": day(int(series.t_ns[-1])),
        "rows": coverage.rows,
        "missing": coverage.missing,
        "left_out": coverage.left_out,
        "longest_gap_s": round(coverage.longest_gap_s, 3),
        "settlements": len(series.settled.t_ns),
        "files": len(coverage.files),
        "notes": list(coverage.notes),
        "cautions": cautions(series),
        "digest": fingerprint(series),
    }


def day(t_ns: int) -> str:
    """The UTC date and minute of a stamp."""
    return f"{datetime.fromtimestamp(t_ns // NS, UTC):%Y-%m-%d %H:%M}"


# --- the command line -----------------------------------------------------------------------------


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every command of the lab that reads prices."""
    group = parser.add_argument_group("prices, one of --data, --tape, --file, --spot/--perp")
    add = group.add_argument
    add("--data", type=Path, metavar="DIR", help="Binance archives, zipped or not")
    add("--symbol", default="", help="of the archives or the funding file, such as BTCUSDT")
    add("--interval", default="", choices=["", *STEPS_S], metavar="1h", help="of the archives")
    add("--tape", type=Path, metavar="FILE", help="a tape, with --long and --short")
    add("--long", default="", metavar="LEG", help="leg of a tape, venue:spot|perp:SYMBOL")
    add("--short", default="", metavar="LEG", help="the other leg")
    add("--file", type=Path, metavar="FILE", help="CSV or Parquet with both legs")
    add("--spot", type=Path, metavar="FILE", help="CSV or Parquet of the spot leg")
    add("--perp", type=Path, metavar="FILE", help="CSV or Parquet of the perpetual")
    add("--funding", type=Path, metavar="FILE", help="settled funding of the perpetual")
    add("--columns", default="", metavar="ROLE=NAME,..", help="time=ts,spot=close,perp=last,...")
    add("--where", default="", metavar="NAME=VALUE,..", help="rows that count: coin=BTC")
    add("--stamps", default="close", choices=["close", "open"], help="what a bar's time means")
    add("--venue", default="", help="whose funding terms hold for files")
    add(
        "--half-spread-bp",
        type=float,
        nargs="+",
        default=None,
        metavar="BP",
        help="half the spread of a leg without bid and ask: one for both, or spot and perpetual",
    )
    add("--from", dest="since", default="", metavar="DATE", help="first day, 2024-01-31")
    add("--to", dest="until", default="", metavar="DATE", help="day after the last")


def source_from(arguments: argparse.Namespace) -> SourceOptions:
    """The options that `add_source_arguments` put into a namespace. Raises UserError."""
    values = {name: getattr(arguments, name) for name in SourceOptions._fields}
    half = values["half_spread_bp"]
    if half is not None:
        if len(half) > 2:
            raise UserError("--half-spread-bp takes one number, or two: spot and perpetual.")
        values["half_spread_bp"] = (half[0], half[-1])
    options = SourceOptions(**values)
    source_kind(options)
    return options


# --- readers --------------------------------------------------------------------------------------


def _archive(options: SourceOptions) -> PairSeries:
    from basisdesk.lab.series_archive import archive_series

    assert options.data is not None
    return archive_series(options.data, options.symbol, options.interval, options.half_spread_bp)


def _tape(options: SourceOptions) -> PairSeries:
    from basisdesk.lab.series_tape import tape_series
    from basisdesk.lab.tape import TapeReader

    assert options.tape is not None
    return tape_series(TapeReader(options.tape), options.long, options.short)


def _files(options: SourceOptions) -> PairSeries:
    return file_series(
        FileOptions(
            both=options.file,
            spot=options.spot,
            perp=options.perp,
            funding=options.funding,
            columns=options.columns,
            where=options.where,
            stamps=options.stamps,
            symbol=options.symbol,
            venue=options.venue,
            half_bp=options.half_spread_bp,
        )
    )


_READERS: dict[str, Callable[[SourceOptions], PairSeries]] = {
    "archive": _archive,
    "tape": _tape,
    "files": _files,
}


def _moment(text: str, option: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UserError(f"{option} {text} is no date; write 2024-01-31.") from exc
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS


def _covered(cut: PairSeries) -> Coverage:
    t_ns, step_ns = cut.t_ns, round(cut.step_s * NS)
    missing = int((t_ns[-1] - t_ns[0]) // step_ns) + 1 - len(t_ns) if step_ns else 0
    longest = float(np.diff(t_ns).max(initial=0)) / NS
    notes = (*cut.coverage.notes, "a part of the files by --from and --to")
    return cut.coverage._replace(
        rows=len(t_ns), missing=missing, longest_gap_s=longest, notes=notes
    )
