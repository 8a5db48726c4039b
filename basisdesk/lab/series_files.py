"""CSV and Parquet files of anybody as one pair: one file with both legs, or one for each.

Columns are named by `--columns` (lab/mapper.py). With bid and ask columns the pair is "quotes",
with prices alone it is "bars" with an assumed spread.
"""

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.funding_files import intervals_h, one_funding
from basisdesk.lab.mapper import Table, parse_pairs, read_table
from basisdesk.lab.series import Coverage, Floats, Ints, PairSeries, Settlements
from basisdesk.lab.series_bars import BASIS_ABS_MAX, NO_SETTLEMENTS, Label, Leg, pair_of
from basisdesk.lab.table_files import header
from basisdesk.lab.venue_terms import base_of, half_spreads_bp, terms_of
from basisdesk.lab.words import CAUTION

NS = 1_000_000_000
SETTLE_APART_NS = 3_540 * NS  # settlements are an hour apart at least, less a minute

TIMES = ("time", "timestamp", "ts", "open_time", "date", "datetime")
CLOSES = ("close", "price", "c")
LEGS = {  # of a file with both legs: names that say themselves which column is meant
    "spot": ("spot", "spot_close", "close_spot", "spot_price"),
    "perp": ("perp", "perp_close", "close_perp", "perp_price", "perpetual"),
    "spot_bid": ("spot_bid", "bid_spot"),
    "spot_ask": ("spot_ask", "ask_spot"),
    "perp_bid": ("perp_bid", "bid_perp"),
    "perp_ask": ("perp_ask", "ask_perp"),
}
COLUMNS_SAID = 12
NEARER = 2.0  # so many times nearer to its mark the spot leg must be, to be taken for the perpetual
ROWS_MIN = 30  # before that is said, and settlements before their signs say anything
AGAINST = -0.3  # correlation of settled rates with the basis before them; it should be above 0
ROLES = (
    "time",
    *("spot", "spot_bid", "spot_ask", "spot_time"),
    *("perp", "perp_bid", "perp_ask", "perp_time"),
    *("price", "bid", "ask"),
    *("mark", "mark_high", "mark_low", "rate", "interval_h"),
)
EXTRA = ("mark", "mark_high", "mark_low", "rate", "interval_h")

Stamps = Literal["close", "open"]


class FileOptions(NamedTuple):
    """Files of one pair. both: one file with both legs, else spot and perp.

    columns, where: as on the command line. stamps: whether times are when a bar closed (or a quote
    was seen), or when it opened. symbol, venue: what to call it and whose terms hold, "" unknown.
    half_bp: half-spreads of (spot, perp) for prices without bid and ask, None for the usual.
    """

    both: Path | None = None
    spot: Path | None = None
    perp: Path | None = None
    funding: Path | None = None
    columns: str = ""
    where: str = ""
    stamps: Stamps = "close"
    symbol: str = ""
    venue: str = ""
    half_bp: tuple[float, float] | None = None


class _Side(NamedTuple):
    """One leg as read: its prices by "close" or by "bid" and "ask", its times and its table."""

    name: str
    t_ns: Ints
    prices: dict[str, Floats]
    table: Table


def file_series(options: FileOptions) -> PairSeries:
    """The pair of these files. Raises UserError naming file and line."""
    roles = parse_pairs(options.columns, "--columns")
    for role in roles:
        if role not in ROLES:
            raise UserError(f"--columns: {role} is no role. Roles are {', '.join(ROLES)}.")
    spot, perp = _sides(options, roles)
    quoted = ["bid" in side.prices for side in (spot, perp)]
    if quoted[0] != quoted[1]:
        raise UserError(
            "One leg has bid and ask, the other only a price. Map bid and ask of both, or a price "
            "of both, with --columns."
        )
    settled, covered = _settled(options, perp.table)
    hours = float(np.median(settled.interval_h)) if len(settled.t_ns) else 8.0
    name = options.symbol or (options.both or options.perp or Path("pair")).stem
    base = base_of(options.symbol or name)
    venue = options.venue or "file"
    keys = f"{venue}:spot:{name}", f"{venue}:perp:{name}"
    label = Label(name, *keys, terms_of(options.venue, base, hours))
    marked = "mark" in perp.table.columns
    if all(quoted):
        return _sided(_quotes(label, spot, perp, settled, covered), marked=marked)
    half_bp = options.half_bp or half_spreads_bp(base)
    shift = _bar_ns(spot) if options.stamps == "open" else 0
    legs = _bar_leg(spot, shift, options.stamps), _bar_leg(perp, shift, options.stamps)
    mark = _mark(perp, shift)
    return _sided(pair_of(label, legs, mark, (settled, covered), half_bp), marked=marked)


# --- which leg is which ---------------------------------------------------------------------------


def _sided(series: PairSeries, *, marked: bool) -> PairSeries:
    """The pair, where nothing speaks for its legs being swapped. marked: the files have a mark.

    A mark lies nearer to its perpetual than to spot, and rates that settle go with the basis. Where
    the files have neither it is noted that nothing could tell. Raises UserError.
    """
    spot = (series.spot_bid + series.spot_ask) / 2.0
    perp = (series.perp_bid + series.perp_ask) / 2.0
    if marked and len(series.t_ns) >= ROWS_MIN:
        near = float(np.nanmedian(np.abs(series.mark / perp - 1.0)))
        if near > NEARER * float(np.nanmedian(np.abs(series.mark / spot - 1.0))):
            raise UserError(
                f"{series.name}: spot and perpetual seem to be swapped: the mark price lies nearer "
                "to what is called spot. Exchange the two."
            )
        return series
    at = np.searchsorted(series.t_ns, series.settled.t_ns) - 1
    known = at >= 0
    basis, rate = (perp / spot - 1.0)[at[known]], series.settled.rate[known]
    if len(rate) >= ROWS_MIN and rate.std() > 0.0 and basis.std() > 0.0:
        if float(np.corrcoef(basis, rate)[0, 1]) >= AGAINST:
            return series
        note = (
            f"{CAUTION}{series.name}: funding was high where the perpetual was cheap. Spot and "
            "perpetual may be swapped; look before you believe anything below."
        )
    else:
        note = "neither mark nor settlements tell whether spot and perpetual are swapped"
    coverage = series.coverage
    return series._replace(coverage=coverage._replace(notes=(*coverage.notes, note)))


# --- legs -----------------------------------------------------------------------------------------


def _sides(options: FileOptions, roles: Mapping[str, str]) -> tuple[_Side, _Side]:
    where = parse_pairs(options.where, "--where")
    if options.both is not None:
        names = {r: c for r, c in roles.items() if r not in ("spot_time", "perp_time")}
        names.setdefault("time", _usual(options.both, TIMES, "time"))
        head = header(options.both)
        names |= _named_legs(head, names)
        table = read_table(options.both, names, where)
        table = _noted(table, head, {*names.values(), *where})
        return _side("spot", table), _side("perp", table)
    if options.spot is None or options.perp is None:
        raise UserError("A pair needs --spot FILE and --perp FILE, or --file FILE with both.")
    return (
        _of_leg("spot", options.spot, roles, where),
        _of_leg("perp", options.perp, roles, where),
    )


def _of_leg(leg: str, path: Path, roles: Mapping[str, str], where: Mapping[str, str]) -> _Side:
    """One leg out of a file of its own: `spot=` or `price=` names its column."""
    must = {}
    for column, value in where.items():
        side, dot, name = column.partition(".")
        if dot and side in ("spot", "perp"):
            if side == leg:
                must[name] = value
        else:
            must[column] = value
    mine = {}
    for role, generic in (("", "price"), ("_bid", "bid"), ("_ask", "ask")):
        named = roles.get(f"{leg}{role}") or roles.get(generic)
        if named:
            mine[f"{leg}{role}"] = named
    if not mine:
        mine[leg] = _usual(path, CLOSES, leg)
    mine["time"] = roles.get(f"{leg}_time") or roles.get("time") or _usual(path, TIMES, "time")
    if leg == "perp":
        mine |= {role: roles[role] for role in EXTRA if role in roles}
    table = read_table(path, mine, must)
    return _side(leg, _noted(table, header(path), {*mine.values(), *must}))


def _named_legs(head: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Columns of a file with both legs whose names say which leg they are, where none was mapped.

    Bid and ask before a price, and the same kind for both legs; nothing where one leg lacks it.
    """
    if any(role in names for role in LEGS):
        return {}
    found = {role: next((way for way in ways if way in head), "") for role, ways in LEGS.items()}
    quoted = {role: name for role, name in found.items() if role not in ("spot", "perp")}
    if all(quoted.values()):
        return quoted
    return {role: found[role] for role in ("spot", "perp") if found[role]}


def _noted(table: Table, head: Sequence[str], used: Set[str]) -> Table:
    """The table with a note of the columns that nothing was read of."""
    unused = [name for name in head if name and name not in used]
    if not unused:
        return table
    more = f" and {len(unused) - COLUMNS_SAID} more" if len(unused) > COLUMNS_SAID else ""
    said = f"columns not read: {', '.join(unused[:COLUMNS_SAID])}{more}"
    return table._replace(notes=(*table.notes, said))


def _usual(path: Path, ways: tuple[str, ...], role: str) -> str:
    names = header(path)
    for way in ways:
        if way in names:
            return way
    raise UserError(
        f"{path} has no column {ways[0]}; it has {', '.join(names[:12]) or 'none'}. Say which "
        f"with --columns {role}=NAME."
    )


def _side(leg: str, table: Table) -> _Side:
    bid, ask = table.columns.get(f"{leg}_bid"), table.columns.get(f"{leg}_ask")
    close = table.columns.get(leg)
    if bid is not None and ask is not None:
        prices = {"bid": bid, "ask": ask}
    elif close is not None:
        prices = {"close": close}
    else:
        raise UserError(
            f"{table.path} has no price of the {leg} leg; it has "
            f"{', '.join(header(table.path)[:COLUMNS_SAID])}. Map it with --columns {leg}=NAME, or "
            f"{leg}_bid=NAME,{leg}_ask=NAME."
        )
    for name, cells in prices.items():
        if (cells <= 0.0).any():
            line = table.lines[int(np.argmax(cells <= 0.0))]
            raise UserError(f"{table.path} line {line}: the {leg} {name} is not above zero.")
    if "bid" in prices and (prices["bid"] > prices["ask"]).any():
        line = table.lines[int(np.argmax(prices["bid"] > prices["ask"]))]
        raise UserError(f"{table.path} line {line}: the {leg} bid is above its ask.")
    return _Side(leg, table.t_ns, prices, table)


def _known(side: _Side) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(np.isfinite(np.column_stack(list(side.prices.values()))).all(axis=1))


def _counted(side: _Side, known: int) -> Coverage:
    left_out = {}
    if side.table.doubles:
        left_out["exact duplicates"] = side.table.doubles
    if empty := len(side.t_ns) - known:
        left_out["no price"] = empty
    return Coverage(known, left_out, 0, 0.0, (str(side.table.path),), side.table.notes)


# --- bars -----------------------------------------------------------------------------------------


def _bar_ns(side: _Side) -> int:
    if len(side.t_ns) < 2:
        raise UserError(f"{side.table.path} has one row; how long a bar is cannot be told.")
    return int(np.diff(side.t_ns).min())


def _bar_leg(side: _Side, shift_ns: int, stamps: Stamps) -> Leg:
    known = _known(side)
    columns = {name: cells[known] for name, cells in side.prices.items()}
    coverage = _counted(side, int(known.sum()))
    said = f"times are when a bar {'opened' if stamps == 'open' else 'closed'}"
    coverage = coverage._replace(notes=(*coverage.notes, said))
    return Leg(side.name, side.t_ns[known] + shift_ns, columns, coverage)


def _mark(perp: _Side, shift_ns: int) -> Leg | None:
    cells = perp.table.columns.get("mark")
    if cells is None:
        return None
    known = np.isfinite(cells)
    columns = {"close": cells[known]}
    coverage = Coverage(int(known.sum()), {}, 0, 0.0, ())
    return Leg("mark", perp.t_ns[known] + shift_ns, columns, coverage)


# --- quotes ---------------------------------------------------------------------------------------


def _quotes(
    label: Label, spot: _Side, perp: _Side, settled: Settlements, covered: Coverage | None
) -> PairSeries:
    """Every moment of either leg, with the last quote of both."""
    t_ns = np.union1d(spot.t_ns[_known(spot)], perp.t_ns[_known(perp)])
    held = {leg.name: _held(leg, t_ns) for leg in (spot, perp)}
    both = (held["spot"] >= 0) & (held["perp"] >= 0)
    if not both.any():
        raise UserError(f"{spot.table.path} and {perp.table.path} have no time in common.")
    t_ns = t_ns[both]
    cells: dict[str, Any] = {
        f"{leg.name}_{name}": column[_known(leg)][held[leg.name][both]]
        for leg in (spot, perp)
        for name, column in leg.prices.items()
    }
    mid = (cells["perp_bid"] + cells["perp_ask"]) / 2.0
    apart = float(np.median(mid / ((cells["spot_bid"] + cells["spot_ask"]) / 2.0))) - 1.0
    if not abs(apart) < BASIS_ABS_MAX:
        raise UserError(
            f"{spot.table.path} and {perp.table.path} are no pair: their prices lie {apart:+.0%} "
            "apart. Give files of the same coin."
        )
    marks = perp.table.columns.get("mark")
    mark = mid if marks is None else marks[_known(perp)][held["perp"][both]]
    parts = [_counted(leg, int(_known(leg).sum())) for leg in (spot, perp)]
    left_out = {
        f"{leg.name}: {why}": n
        for leg, c in zip((spot, perp), parts, strict=True)
        for why, n in c.left_out.items()
    }
    notes = tuple(dict.fromkeys(note for c in parts for note in c.notes))
    files = dict.fromkeys(f for c in (*parts, covered) if c is not None for f in c.files)
    longest = float(np.diff(t_ns).max(initial=0)) / NS
    coverage = Coverage(len(t_ns), left_out, 0, longest, tuple(files), notes)
    return PairSeries(
        name=label.name,
        spot=label.spot,
        perp=label.perp,
        kind="quotes",
        step_s=0.0,
        t_ns=t_ns,
        mark=np.where(np.isnan(mark), mid, mark),
        settled=settled,
        terms=label.terms,
        coverage=coverage,
        **cells,
    )


def _held(side: _Side, t_ns: Ints) -> Ints:
    """Number of the newest known row of a leg at each time, -1 before the first."""
    return np.asarray(np.searchsorted(side.t_ns[_known(side)], t_ns, side="right") - 1)


# --- funding --------------------------------------------------------------------------------------


def _settled(options: FileOptions, perp: Table) -> tuple[Settlements, Coverage | None]:
    if options.funding is not None:
        found = one_funding(options.funding, options.symbol, options.venue)
        return found.settled, found.coverage
    rates = perp.columns.get("rate")
    if rates is None:
        return NO_SETTLEMENTS, None
    known = np.isfinite(rates)
    t_ns = perp.t_ns[known]
    if len(t_ns) > 1 and int(np.diff(t_ns).min()) < SETTLE_APART_NS:
        at = int(np.argmax(np.diff(t_ns) < SETTLE_APART_NS)) + 1
        raise UserError(
            f"{perp.path} line {perp.lines[known][at]}: a rate less than an hour after the last. "
            "The rate column must be empty but where it settled; or give --funding FILE."
        )
    hours, missing = intervals_h(t_ns)
    given = perp.columns.get("interval_h")
    if given is not None:
        hours = np.where(np.isfinite(given[known]), given[known], hours)
    settled = Settlements(t_ns, rates[known], np.full(len(t_ns), np.nan), hours)
    return settled, Coverage(len(t_ns), {}, missing, 0.0, (str(perp.path),))
