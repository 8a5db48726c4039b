"""A session's log as one HTML page: the result and its terms first, then the tables behind it.

The tables are those of the CSV files, whose columns others read and which keep their names; here
they stand under readable heads with units, those first that tell most, and no more than fit a page.
"""

import html
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from typing import Any

from basisdesk import __version__
from basisdesk.events import MONEY
from basisdesk.lab.report_heads import SHOWN, TERM_NAMES, UNITS, WHY
from basisdesk.venues.instrument import venue_title

COLUMNS_MAX = 10  # of a table that is not described here; its CSV has the rest
FIGURE_MAX = 24  # characters of a figure that is never broken
SHORT = 34  # characters of a cell that is never broken
CENT = Decimal("0.01")
ZERO = Decimal(0)
MINUS = "\N{MINUS SIGN}"

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_LEG = re.compile(r"([a-z]+):(spot|perp):(\S+)")

Table = Sequence[Sequence[str]]
Tables = Mapping[str, Table]

_PLACED = {"pairs", "plans", "attribution", "postings"}  # not in the order they come in
_PRICES = {"price", "mark"}

_STYLE = """
body{font:14px/1.5 Inter,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;margin:28px auto;
max-width:1320px;padding:0 20px;color:#1A212B;background:#F4F6F9;font-variant-numeric:tabular-nums}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:28px 0 8px}p{margin:4px 0}
.sub{color:#5A6675}.scroll{overflow-x:auto;background:#fff;border:1px solid #D8DEE6;
border-radius:6px}table{border-collapse:collapse;width:100%;font-size:13px}
th,td{padding:5px 10px;text-align:left;vertical-align:top}
th{color:#5A6675;font-weight:500;border-bottom:1px solid #D8DEE6;vertical-align:bottom}
tbody tr:nth-child(even) td{background:#F8FAFC}th.n,td.n{text-align:right}
td.n,td.s{white-space:nowrap}td.w{white-space:normal;overflow-wrap:anywhere}
tr.sum td{font-weight:600;border-top:1px solid #D8DEE6}
td span{visibility:hidden;font-style:normal}td.gain,.gain b{color:#0B7F68}
td.loss,.loss b{color:#C22F3E}
.cards{display:flex;gap:12px;flex-wrap:wrap;margin:16px 0 8px}
.card{background:#fff;border:1px solid #D8DEE6;border-radius:6px;padding:10px 16px}
.card b{display:block;font-size:18px;white-space:nowrap}.card.net b{font-size:26px;line-height:1.2}
.fault{color:#C22F3E;font-weight:600}
@page{size:A4 landscape;margin:10mm}
@media print{body{font-size:10px;margin:0;max-width:none;padding:0;background:#fff}
table{font-size:9px}th,td{padding:2px 5px}.scroll{overflow:visible;border-radius:0}
h2{margin:14px 0 4px;break-after:avoid}tr,.card{break-inside:avoid}thead{display:table-header-group}
.card{padding:5px 9px}.card b{font-size:13px}.card.net b{font-size:18px}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def html_page(document: Mapping[str, Any], tables: Tables) -> str:
    """One page without scripts or outside resources; every value escaped."""
    source = document["sessions"][-1]["source"] if document["sessions"] else "unknown"
    simulated = "SIMULATED market data. " if source == "demo" else ""
    sections = [_pairs(tables), _courses(tables)]
    sections += [_section(name, rows) for name, rows in tables.items() if name not in _PLACED]
    log = "".join(
        f"<p>{html.escape(_stamp(row['utc']))} {html.escape(row['text'])}</p>"
        for row in document["log"]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        f"<title>basisdesk session log</title><style>{_STYLE}</style></head><body>"
        "<h1>basisdesk session log</h1>"
        f'<p class="sub">{simulated}Paper trading only. basisdesk {html.escape(__version__)}, '
        f"ledger digest {html.escape(document['ledger_digest'][:16])}. Times are UTC, money is "
        "USDT: cents in the cards, exact in the tables. Every column is in the CSV files beside "
        "this page.</p>"
        f"{_cards(document, tables)}{''.join(sections)}<h2>Log</h2>{log}"
        f"{_section('postings', tables.get('postings', [[]]))}</body></html>"
    )


# --- the result -----------------------------------------------------------------------------------


def _cards(document: Mapping[str, Any], tables: Tables) -> str:
    """The net and its terms, then what the session was."""
    equity = document["equity"]
    start, end = _amount(equity["start"]), _amount(equity["end"])
    terms = _terms(tables)
    with localcontext(MONEY):
        net = end - start
        left = net - sum(terms.values(), ZERO)
    mark = "\u25b2 " if net > 0 else "\u25bc " if net < 0 else ""
    first = _card("Net, USDT", mark + cents(net), f"net {_colour(net)}")
    first += "".join(
        _card(f"{TERM_NAMES[name]}, USDT", cents(value), _colour(value))
        for name, value in terms.items()
    )
    facts = [
        ("Equity at start, USDT", f"{start:,.2f}"),
        ("Equity at end, USDT", f"{end:,.2f}"),
        ("Pairs", str(max(0, len(tables["pairs"]) - 1))),
        ("Fills", str(max(0, len(tables["fills"]) - 1))),
        ("Refused orders", str(max(0, len(tables["refusals"]) - 1))),
        ("Bad frames", _count(document["feeds"]["bad_frames"])),
    ]
    proof = (
        '<p class="fault">\u25a0 Left over '
        f"{html.escape(grouped(_plain(left)))} USDT: the terms do not sum to the net. That is a "
        "fault of the desk.</p>"
        if left
        else '<p class="sub">Net = the six terms, to the last digit; left over 0.00. Each card is '
        "rounded by itself.</p>"
    )
    second = "".join(_card(name, value, "") for name, value in facts)
    return f'<div class="cards">{first}</div>{proof}<div class="cards">{second}</div>'


def _terms(tables: Tables) -> dict[str, Decimal]:
    """What each term moved: of the session where the log is of one, else over all pairs."""
    if rows := [row for row in tables.get("attribution", ())[1:] if row[0] in TERM_NAMES]:
        told = {row[0]: _amount(row[1]) for row in rows}
        return {name: told.get(name, ZERO) for name in TERM_NAMES}
    pairs = _objects(tables["pairs"])
    with localcontext(MONEY):
        return {
            name: sum((_amount(row[f"{name}_usdt"]) for row in pairs), ZERO) for name in TERM_NAMES
        }


def _card(name: str, value: str, kind: str) -> str:
    classes = f"card {kind}".strip()
    return f'<div class="{classes}">{html.escape(name)}<b>{html.escape(value)}</b></div>'


def cents(value: Decimal) -> str:
    """An amount to the cent with sign and thousands; one that is no cent has no sign."""
    near = value.quantize(CENT, ROUND_HALF_EVEN)
    return f"{near:+,.2f}".replace("-", MINUS) if near else "0.00"


def _colour(value: Decimal) -> str:
    near = value.quantize(CENT, ROUND_HALF_EVEN)
    return "gain" if near > 0 else "loss" if near < 0 else ""


def _count(value: int | None) -> str:
    """A counter; a session of another day may not have kept it."""
    return "not kept" if value is None else f"{value:,}"


# --- the pairs ------------------------------------------------------------------------------------


def _pairs(tables: Tables) -> str:
    """What each pair earned and by which term, exact, and their sum."""
    rows = _objects(tables["pairs"])
    heads = ["Pair", "Net, USDT", *(f"{name}, USDT" for name in TERM_NAMES.values())]
    names = ["total_usdt", *(f"{term}_usdt" for term in TERM_NAMES)]
    body = [[_pair_name(row), *(row[name] for name in names)] for row in rows]
    with localcontext(MONEY):
        sums = [_plain(sum((_amount(row[name]) for row in rows), ZERO)) for name in names]
    note = "Each pair over its whole life; one that is open is valued as the next table says."
    more = [["All pairs", *sums]] if len(rows) > 1 else []
    return _drawn("Pairs: where the money went", heads, [*body, *more], note, len(more))


def _courses(tables: Tables) -> str:
    """How each pair was entered, planned and left."""
    plans = {row["pair"]: row for row in _objects(tables.get("plans", [[]]))}
    heads = ["Pair", "Qty, coins", "Entry basis, bp", "Exit basis, bp", "Plan", "Opened, UTC",
             "Opened by", "Closed, UTC", "Why closed"]  # fmt: skip
    body = []
    for row in _objects(tables["pairs"]):
        plan = plans.get(row["pair"], {})
        body.append([
            _pair_name(row),
            row["qty"],
            plan.get("entry_basis_bp", ""),
            plan.get("exit_basis_bp", ""),
            _plan_text(plan),
            _stamp(row["opened_utc"])[:19],
            row["opened_by"] or WHY.get(row["open_reason"], row["open_reason"]),
            _stamp(row["closed_utc"])[:19] or row["valued"],
            row["close_by"] or WHY.get(row["close_reason"], row["close_reason"]),
        ])  # fmt: skip
    note = (
        "Basis at the average fill prices, in the account's currency. The plan is the one that "
        "held last."
    )
    return _drawn("Pairs: entry, plan and exit", heads, body, note) if body else ""


def _pair_name(row: Mapping[str, str]) -> str:
    """Number and legs, short where both are of one venue and symbol: "#1 Bybit ADAUSDT, long"."""
    long, short = row["long"].split(":"), row["short"].split(":")
    if len(long) == len(short) == 3 and long[::2] == short[::2]:
        return f"#{row['pair']} {venue_title(long[0])} {long[2]}, {long[1]} / {short[1]}"
    return f"#{row['pair']} {_leg(row['long'])} / {_leg(row['short'])}"


def _plan_text(plan: Mapping[str, str]) -> str:
    said = [
        f"{what} {grouped(plan[name])} {unit}".rstrip()
        for name, what, unit in (
            ("target_bp", "target", "bp"),
            ("stop_bp", "stop", "bp"),
            ("net_target_usdt", "net", "USDT"),
            ("max_hold_h", "at most", "h"),
            ("funding_bp", "funding against", "bp / 8 h"),
        )
        if plan.get(name)
    ]
    said += ["sector signal"] if plan.get("sector") else []
    return ", ".join(said) or ("by hand only" if plan else "")


# --- any table ------------------------------------------------------------------------------------


def _section(name: str, table: Table) -> str:
    known = SHOWN.get(name)
    title, heads = known or (_head(name), {})
    if len(table) < 2:
        return f'<h2>{html.escape(title)}</h2><p class="sub">None.</p>'
    names = list(table[0])
    shown = [each for each in heads if each in names] or names[:COLUMNS_MAX]
    rows = [[row[names.index(each)] for each in shown] for row in table[1:]]
    if "rate" in shown:
        at = shown.index("rate")
        rows = [[*row[:at], _percent(row[at]), *row[at + 1 :]] for row in rows]
    if "instrument" in names:
        rows = _even(rows, shown, [row[names.index("instrument")] for row in table[1:]])
    rest = len(names) - len(shown)
    note = f"{rest} more in {name}.csv." if rest > 2 else ""
    return _drawn(title, [heads.get(each) or _head(each) for each in shown], rows, note)


def _drawn(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", sums: int = 0
) -> str:
    """A table with its title. sums: how many of its last rows are sums."""
    if not rows:
        return f'<h2>{html.escape(title)}</h2><p class="sub">None.</p>'
    columns = [
        _column(cells, money=name.startswith("Net,"))
        for name, cells in zip(heads, zip(*rows, strict=True), strict=True)
    ]
    head = "".join(
        f'<th class="n">{html.escape(name)}</th>' if right else f"<th>{html.escape(name)}</th>"
        for name, (right, _) in zip(heads, columns, strict=True)
    )
    body = ""
    for at, cells in enumerate(zip(*(cells for _, cells in columns), strict=True)):
        body += '<tr class="sum">' if at >= len(rows) - sums else "<tr>"
        body += "".join(cells) + "</tr>"
    below = f'<p class="sub">{html.escape(note)}</p>' if note else ""
    return (
        f'<h2>{html.escape(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{below}"
    )


def _column(cells: Sequence[str], *, money: bool = False) -> tuple[bool, list[str]]:
    """(whether it is of figures, its cells as HTML): figures stand with their points in line.

    money: gains and losses have their colours.
    """
    told = [cell for cell in cells if cell]
    if not told or not all(map(_NUMBER.fullmatch, told)):
        return False, [_words(cell) for cell in cells]
    most = max(_places(cell) for cell in cells)
    return True, [_figure(cell, most, _colour(_amount(cell)) if money else "") for cell in cells]


def _figure(cell: str, most: int, colour: str) -> str:
    """A figure, and unseen digits for the places that others of its column have."""
    said = grouped(cell)
    lacks = most - _places(cell)
    room = ("" if "." in said else ".") + "0" * lacks if cell and lacks else ""
    wide = "w" if len(said) > FIGURE_MAX else ""
    unseen = f"<span>{room}</span>" if room else ""
    classes = " ".join(filter(None, ("n", wide, colour)))
    return f'<td class="{classes}">{html.escape(said)}{unseen}</td>'


def _words(cell: str) -> str:
    said = _leg(_stamp(cell)) if len(cell) < 60 else cell
    said = grouped(said) if _NUMBER.fullmatch(said) else said
    kept = ' class="s"' if len(said) <= SHORT else ""
    return f"<td{kept}>{html.escape(said)}</td>"


def _even(
    rows: Sequence[Sequence[str]], shown: Sequence[str], whose: Sequence[str]
) -> list[list[str]]:
    """The rows, prices of one instrument with as many places as the finest of them."""
    even = [list(row) for row in rows]
    for at in (at for at, name in enumerate(shown) if name in _PRICES):
        most: dict[str, int] = {}
        for row, name in zip(even, whose, strict=True):
            most[name] = max(most.get(name, 0), _places(row[at]))
        for row, name in zip(even, whose, strict=True):
            if _NUMBER.fullmatch(row[at]):
                row[at] = f"{Decimal(row[at]):.{most[name]}f}"
    return even


def grouped(cell: str) -> str:
    """An exact figure with thousands and a real minus, digit for digit; other text as it is."""
    if not _NUMBER.fullmatch(cell):
        return cell
    whole, point, rest = cell.partition(".")
    sign = MINUS if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('+-')):,}{point}{rest}"


def _percent(cell: str) -> str:
    return _plain(Decimal(cell).scaleb(2)) if _NUMBER.fullmatch(cell) else cell


def _places(cell: str) -> int:
    return len(cell.partition(".")[2]) if _NUMBER.fullmatch(cell) else 0


def _head(name: str) -> str:
    """A column's name in words, its unit behind a comma: "first barrier, UTC"."""
    *words, last = name.split("_")
    if words and last in UNITS:
        return f"{' '.join(words).capitalize()}, {UNITS[last]}"
    return " ".join([*words, last]).capitalize()


def _stamp(cell: str) -> str:
    return cell.replace("T", " ").rstrip("Z") if _STAMP.fullmatch(cell) else cell


def _leg(key: str) -> str:
    found = _LEG.fullmatch(key)
    return f"{venue_title(found[1])} {found[2]} {found[3]}" if found else key


def _objects(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def _amount(cell: object) -> Decimal:
    try:
        value = Decimal(str(cell))
    except InvalidOperation:
        return ZERO
    return value if value.is_finite() else ZERO


def _plain(value: Decimal) -> str:
    said = f"{value:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said
