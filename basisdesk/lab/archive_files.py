"""Binance's monthly and daily archives on disk: which files there are and what each should hold.

Reads names and folders only. A name says symbol, interval and month (or day); the kind comes from
the folder, because spot and perpetual candles of one month have the same name. Both the venue's own
layout (`spot/monthly/klines/BTCUSDT/1h`, `futures/um/monthly/fundingRate/BTCUSDT`) and flat ones
(`spot_klines/BTCUSDT`, or files of several symbols in one folder) are understood.
"""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from basisdesk.errors import UserError

ArchiveKind = Literal["spot", "perp", "mark", "premium", "index", "funding", "candles"]

FILES_MAX = 20_000  # of one folder and all below it
NAMES_SAID = 8

NS = 1_000_000_000
STEPS_S = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
}

_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9_]{2,40})-(?:(?P<what>\d{1,2}[smhdwMo]{1,2}|fundingRate)-)?"
    r"(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01]))?"
)
_FOLDERS: dict[str, ArchiveKind] = {
    "spotklines": "spot",
    "spot": "spot",
    "futuresklines": "perp",
    "perpklines": "perp",
    "futures": "perp",
    "perp": "perp",
    "um": "perp",
    "markpriceklines": "mark",
    "premiumindexklines": "premium",
    "indexpriceklines": "index",
    "fundingrate": "funding",
}


class ArchiveFile(NamedTuple):
    """One archive by its name and place.

    kind: "candles" where no folder says whose. interval: "" where the name says none.
    first_ns, end_ns: the span that the name promises, the end left out.
    """

    path: Path
    kind: ArchiveKind
    symbol: str
    interval: str
    first_ns: int
    end_ns: int

    @property
    def span(self) -> str:
        """The month or day of the name."""
        first = datetime.fromtimestamp(self.first_ns // NS, UTC)
        daily = self.end_ns - self.first_ns <= 86_400 * NS
        return f"{first:%Y-%m-%d}" if daily else f"{first:%Y-%m}"


def archives(folder: Path) -> list[ArchiveFile]:
    """All archives in a folder and below, in the order of their spans.

    Raises UserError where there is no such folder, it holds none, or a name is none of Binance's.
    """
    if not folder.is_dir():
        raise UserError(f"No folder {folder}. Name the one with the Binance archives.")
    inside = folder.resolve()
    files: list[ArchiveFile] = []
    others: list[Path] = []
    for path in _walk(folder):
        if _NAME.fullmatch(path.stem) is None:
            others.append(path.relative_to(folder))
        else:
            files.append(named(path, inside / path.relative_to(folder)))
        if len(files) + len(others) > FILES_MAX:
            raise UserError(f"{folder} holds over {FILES_MAX} files. Name a folder further down.")
    if others:
        raise UserError(_strangers(folder, others, len(files)))
    if not files:
        raise UserError(
            f"{folder} holds no archives: it needs files like BTCUSDT-1h-2024-01.zip (or .csv)."
        )
    return sorted(files, key=lambda f: (f.first_ns, f.end_ns, str(f.path)))


def _strangers(folder: Path, others: Sequence[Path], known: int) -> str:
    """What is said of a folder with files that are no archives: of the folder, not of one file."""
    if not known:
        return (
            f"{folder} holds no archives of Binance: none of its {len(others):,} .csv and .zip "
            f"files ({others[0]} the first) is named like BTCUSDT-1h-2024-01.zip. Name the folder "
            "of the archives, or read other files with --spot, --perp and --columns."
        )
    return (
        f"{folder} holds {known:,} archives of Binance and {len(others):,} other .csv or .zip "
        f"files, which have no name of a Binance archive ({others[0]} the first). Name a folder "
        "further down, or move the others away."
    )


def named(path: Path, place: Path | None = None) -> ArchiveFile:
    """What the name and the folders of one file promise. place: the same path, whole."""
    found = _NAME.fullmatch(path.stem)
    if found is None:
        raise UserError(
            f"{path} has no name of a Binance archive, like BTCUSDT-1h-2024-01.zip. Rename it, "
            "move it away, or read it with --spot, --perp and --columns."
        )
    what = found["what"] or ""
    kind = "funding" if what == "fundingRate" else _kind((place or path).parts[:-1])
    first_ns, end_ns = _span(path, found["year"], found["month"], found["day"])
    interval = "" if what == "fundingRate" else what
    if interval and interval not in STEPS_S:
        raise UserError(f"{path} has candles of {interval}; 1m to 1d can be read.")
    _symbol_agrees(path, found["symbol"])
    return ArchiveFile(path, kind, found["symbol"], interval, first_ns, end_ns)


def chosen(
    files: Iterable[ArchiveFile],
    kinds: Sequence[ArchiveKind],
    symbol: str = "",
    interval: str = "",
) -> list[ArchiveFile]:
    """Files of these kinds, this symbol and interval; "" stands for any."""
    return [
        file
        for file in files
        if file.kind in kinds
        and (not symbol or file.symbol == symbol)
        and (not interval or not file.interval or file.interval == interval)
    ]


def one_series(folder: Path, files: Sequence[ArchiveFile]) -> list[ArchiveFile]:
    """The files, where they are of one symbol, kind and interval. Raises UserError otherwise."""
    if not files:
        raise UserError(f"{folder} holds no archives of this kind.")
    ways = (
        ("symbols", sorted({f.symbol for f in files}), "Name one with --symbol."),
        ("kinds", sorted({f.kind for f in files}), "Name the folder of one."),
        ("intervals", sorted({f.interval for f in files} - {""}), "Name one with --interval."),
    )
    for what, found, remedy in ways:
        if len(found) > 1:
            said = ", ".join(found[:NAMES_SAID])
            raise UserError(f"{folder} holds several {what}: {said}. {remedy}")
    return list(files)


def _walk(folder: Path) -> Iterable[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(names):
            if name.lower().endswith((".zip", ".csv")) and not name.startswith("."):
                yield Path(place) / name


def _kind(folders: Sequence[str]) -> ArchiveKind:
    for name in reversed(folders):
        plain = name.lower().replace("_", "").replace("-", "")
        if plain in _FOLDERS:
            return _FOLDERS[plain]
    return "candles"


def _symbol_agrees(path: Path, symbol: str) -> None:
    """A folder that is named like a symbol holds that symbol and no other."""
    folder = path.parent.name
    if folder in STEPS_S:
        folder = path.parent.parent.name
    if _looks_like_symbol(folder) and folder != symbol:
        raise UserError(
            f"{path} is mislabelled: the name says {symbol}, the folder {folder}. "
            "Move it to the folder of its symbol."
        )


def _looks_like_symbol(folder: str) -> bool:
    quoted = folder.endswith(("USDT", "USDC", "BUSD", "FDUSD"))
    return quoted and folder.isupper() and folder.isalnum() and len(folder) > 4


def _span(path: Path, year: str, month: str, day: str | None) -> tuple[int, int]:
    try:
        first = datetime(int(year), int(month), int(day or 1), tzinfo=UTC)
    except ValueError as exc:
        raise UserError(f"{path} names a day that does not exist. Rename it.") from exc
    end = first + timedelta(days=1) if day else (first + timedelta(days=31)).replace(day=1)
    return int(first.timestamp()) * NS, int(end.timestamp()) * NS
