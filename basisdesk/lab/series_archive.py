"""A folder of Binance's archives as one pair in bars."""

from collections.abc import Sequence
from pathlib import Path

from basisdesk.errors import UserError
from basisdesk.lab.archive import candles_of, funding_of
from basisdesk.lab.archive_files import NAMES_SAID, ArchiveFile, ArchiveKind, archives, chosen
from basisdesk.lab.series import Coverage, PairSeries, Settlements
from basisdesk.lab.series_bars import NO_SETTLEMENTS, Label, Leg, pair_of
from basisdesk.lab.venue_terms import base_of, half_spreads_bp, terms_of


def archive_series(
    folder: Path,
    symbol: str = "",
    interval: str = "",
    half_bp: tuple[float, float] | None = None,
) -> PairSeries:
    """Spot and perpetual of a symbol, with the mark and the settlements that the folder has.

    symbol, interval: "" where the folder holds but one. half_bp: half-spreads of (spot, perp).
    t_ns of a bar is the end of its interval: what is decided on a close comes after it, so it
    misses the settlement of that moment on the way in and has it on the way out. Raises UserError.
    """
    files = archives(folder)
    symbol = symbol or _only(folder, "symbol", {f.symbol for f in files if f.kind == "spot"})
    mine = chosen(files, ("spot", "perp", "mark", "funding", "candles"), symbol)
    spans = {f.interval for f in mine if f.kind in ("spot", "perp")}
    interval = interval or _only(folder, "interval", spans)
    spot = _leg(folder, files, "spot", symbol, interval)
    perp = _leg(folder, files, "perp", symbol, interval)
    marks = chosen(files, ("mark",), symbol, interval)
    mark = _bars("mark", marks, ("close", "high", "low")) if marks else None
    base = base_of(symbol)
    settled = _settled(chosen(files, ("funding",), symbol))
    label = Label(
        f"Binance {symbol} {interval}".rstrip(),
        f"binance:spot:{symbol}",
        f"binance:perp:{symbol}",
        terms_of("binance", base),
    )
    return pair_of(label, (spot, perp), mark, settled, half_bp or half_spreads_bp(base))


def symbols_in(folder: Path) -> list[str]:
    """Symbols of which the folder has both spot and perpetual candles."""
    files = archives(folder)
    spot = {f.symbol for f in files if f.kind == "spot"}
    return sorted(spot & {f.symbol for f in files if f.kind == "perp"})


def _settled(files: Sequence[ArchiveFile]) -> tuple[Settlements, Coverage | None]:
    return funding_of(files) if files else (NO_SETTLEMENTS, None)


def _leg(
    folder: Path, files: Sequence[ArchiveFile], kind: ArchiveKind, symbol: str, interval: str
) -> Leg:
    mine = chosen(files, (kind,), symbol, interval)
    if not mine:
        raise UserError(_nothing(folder, files, kind, f"{symbol} {interval}".strip()))
    high_low = ("high", "low") if kind == "perp" else ()
    return _bars(kind, mine, ("close", "trades", *high_low))


def _bars(name: str, files: Sequence[ArchiveFile], wanted: Sequence[str]) -> Leg:
    found = candles_of(files, wanted)
    return Leg(name, found.open_ns + found.step_ns, found.columns, found.coverage)


def _only(folder: Path, what: str, found: set[str]) -> str:
    said = found - {""}
    if len(said) > 1:
        names = ", ".join(sorted(said)[:NAMES_SAID])
        raise UserError(f"{folder} has more than one {what}: {names}. Choose with --{what}.")
    return said.pop() if said else ""


def _nothing(folder: Path, files: Sequence[ArchiveFile], kind: ArchiveKind, asked: str) -> str:
    have = sorted({f"{f.kind} {f.symbol} {f.interval}".rstrip() for f in files})
    more = f" and {len(have) - NAMES_SAID} more" if len(have) > NAMES_SAID else ""
    loose = any(f.kind == "candles" for f in files)
    place = " Put spot and perpetual files in folders named spot and futures." if loose else ""
    whose = "spot" if kind == "spot" else "perpetual"
    return (
        f"{folder} has no {whose} candles of {asked}; it has {', '.join(have[:NAMES_SAID])}{more}."
        f"{place or ' Choose with --symbol and --interval.'}"
    )
