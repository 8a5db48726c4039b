"""Files of settled funding: of one symbol or of hundreds, from Binance's archives or from anybody.

Three forms are read. Binance's own archives (`lab/archive.py`), which say each interval. A CSV per
symbol, or one for all, with columns timestamp, symbol, funding_rate. A table, CSV or Parquet, with
timestamp, venue, coin, funding_rate. Where no column gives the interval it is the time since the
settlement before, and a hole is told from a longer interval by its neighbours.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.archive import RATE_ABS_MAX, funding_of
from basisdesk.lab.archive_files import archives, chosen
from basisdesk.lab.mapper import read_grouped
from basisdesk.lab.series import Coverage, Floats, Ints, Settlements
from basisdesk.lab.table_files import header

NS = 1_000_000_000
HOUR_NS = 3_600 * NS
MINUTE_NS = 60 * NS
INTERVALS_H = (1.0, 2.0, 4.0, 8.0)
FULL_H = 8.0
FILES_MAX = 5_000

TIMES = ("timestamp", "time", "ts", "calc_time", "fundingTime", "funding_time", "settled_ms")
RATES = ("funding_rate", "rate", "fundingRate", "last_funding_rate")
HOURS = ("interval_h", "funding_interval_hours", "interval")
GROUPS = (("venue", "exchange"), ("symbol", "coin", "instrument"))


class Funding(NamedTuple):
    """Settlements of one perpetual and what of its span they cover.

    coverage.missing: settlements that should be there by the intervals beside the hole.
    """

    name: str
    settled: Settlements
    coverage: Coverage


def read_funding(path: Path, symbol: str = "") -> dict[str, Funding]:
    """Settled funding by name, from a file or a folder of files. symbol: only this one.

    Names are symbols as the files have them, "venue:COIN" where a file knows the venue. Raises
    UserError naming file and line.
    """
    found: dict[str, Funding] = {}
    for file in _files(path):
        for name, each in _of(file, symbol).items():
            if name in found:
                raise UserError(
                    f"{file} and {found[name].coverage.files[-1]} both have {name}. "
                    "Put the files of one symbol into a folder of their own."
                )
            found[name] = each
    if not found:
        raise UserError(f"{path} has no settlements{f' of {symbol}' if symbol else ''}.")
    return dict(sorted(found.items()))


def one_funding(path: Path, symbol: str = "", venue: str = "") -> Funding:
    """Settled funding of one perpetual. Raises UserError where the files hold several."""
    found = read_funding(path, symbol)
    if venue:
        found = {n: f for n, f in found.items() if n.partition(":")[0] == venue} or found
    if len(found) > 1:
        said = ", ".join(list(found)[:8])
        raise UserError(
            f"{path} has funding of {len(found)}: {said}. Choose with --symbol and --venue."
        )
    return next(iter(found.values()))


def intervals_h(t_ns: Ints) -> tuple[Floats, int]:
    """(hours of the interval that each settlement ended, settlements missing) from stamps alone.

    The time since the one before, to the whole hour. Where that is longer than on either side it
    is a hole; where it lies between them, or a neighbour goes on with it, the venue changed its
    interval. The first takes the interval of the second; a lone one counts as 8 hours.
    """
    if len(t_ns) < 2:
        return np.full(len(t_ns), FULL_H), 0
    since = np.maximum(np.rint(np.diff(t_ns) / HOUR_NS), 1.0)
    hours, missing = since.copy(), 0
    for i, gap in enumerate(since.tolist()):
        before = float(hours[i - 1]) if i else 0.0
        after = float(since[i + 1]) if i + 1 < len(since) else 0.0
        beside = [each for each in (before, after) if each in INTERVALS_H]
        if beside and gap > max(beside):
            hours[i] = min(beside)
            missing += max(round(gap / hours[i]) - 1, 0)
    return np.concatenate([hours[:1], hours]), missing


# --- files ----------------------------------------------------------------------------------------


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    zips = any(path.rglob("*.zip"))
    if zips or any(path.rglob("*-fundingRate-*.csv")):
        return [path]  # Binance's archives: read as one
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in (".csv", ".parquet", ".pq"))
    if not files or len(files) > FILES_MAX:
        raise UserError(f"{path} holds {len(files)} tables; 1 to {FILES_MAX} can be read.")
    return files


def _of(path: Path, symbol: str) -> dict[str, Funding]:
    if path.is_dir() or path.suffix.lower() == ".zip" or "-fundingRate-" in path.name:
        return _archived(path, symbol)
    return _tabled(path, symbol)


def _archived(path: Path, symbol: str) -> dict[str, Funding]:
    files = archives(path if path.is_dir() else path.parent)
    if not path.is_dir():
        files = [file for file in files if file.path.name == path.name]
    fit = chosen(files, ("funding",), symbol)
    found = {}
    for name in sorted({file.symbol for file in fit}):
        found[name] = Funding(name, *funding_of([f for f in fit if f.symbol == name]))
    return found


def _tabled(path: Path, symbol: str) -> dict[str, Funding]:
    names = header(path)
    roles = {"time": _column(path, names, TIMES), "rate": _column(path, names, RATES)}
    hours = next((name for name in HOURS if name in names), "")
    if hours:
        roles["interval_h"] = hours
    groups = [next((n for n in ways if n in names), "") for ways in GROUPS]
    tables = read_grouped(path, roles, [name for name in groups if name])
    found = {}
    for key, table in tables.items():
        name = ":".join(key) or path.stem
        _mislabelled(path, key, table.lines)
        if symbol in ("", name, name.rpartition(":")[2]):
            rates = _rates(path, table.columns["rate"], table.lines)
            given = table.columns.get("interval_h")
            found[name] = _funding(name, path, (table.t_ns, rates, given), table.doubles)
    return found


def _column(path: Path, names: tuple[str, ...], ways: tuple[str, ...]) -> str:
    for way in ways:
        if way in names:
            return way
    raise UserError(
        f"{path} line 1: no column {ways[0]} among {', '.join(names[:12]) or 'none'}. A funding "
        "file has timestamp, symbol and funding_rate."
    )


def _mislabelled(path: Path, key: tuple[str, ...], lines: Ints) -> None:
    """A file that is named like a symbol holds that symbol."""
    stem = path.stem
    looks = stem.isupper() and stem.isalnum() and stem.endswith(("USDT", "USDC"))
    if looks and key and key[-1] != stem:
        raise UserError(
            f"{path} line {lines[0]} is mislabelled: it is of {key[-1]}, the name says {stem}. "
            "Give the file the name of its symbol."
        )


def _rates(path: Path, rates: Floats, lines: Ints) -> Floats:
    bad = ~(np.abs(rates) <= RATE_ABS_MAX)
    if bad.any():
        at = int(np.argmax(bad))
        raise UserError(
            f"{path} line {lines[at]}: {rates[at]:g} is no rate; a fraction per interval within "
            f"{RATE_ABS_MAX:g} can be. Is it in percent?"
        )
    return rates


def _funding(
    name: str, path: Path, cells: tuple[Ints, Floats, Floats | None], doubles: int
) -> Funding:
    stamps, rates, given = cells
    t_ns = (stamps + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS
    hours, missing = intervals_h(t_ns)
    note = "intervals are the time between settlements"
    if given is not None:
        known = np.isfinite(given) & (given > 0.0)
        hours, note = np.where(known, given, hours), "intervals are the file's own"
    settled = Settlements(t_ns, rates, np.full(len(t_ns), np.nan), hours)
    left_out = {"exact duplicates": doubles} if doubles else {}
    longest = float(np.diff(t_ns).max(initial=0)) / NS
    coverage = Coverage(len(t_ns), left_out, missing, longest, (str(path),), (note,))
    return Funding(name, settled, coverage)
