"""A study as one self-contained HTML page and as JSON.

A study is a plain dict that its maker fills: `study`, `title`, `version`, `made_by`, `data`,
`pre_registration`, `sentences`, `tables` and `charts`, and figures of its own beside them, which
only the JSON carries. The page needs no network and no script; every text is escaped.
"""

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab.svg import draw
from basisdesk.lab.words import EXACT, checked, plain

PAGE = "report.html"
DATA = "study.json"
ROWS_MAX = 2_000  # of one table on the page; the JSON has them all
DIGITS = 12  # of a figure in the JSON
PLACES_MAX = 6
FIGURES = 4  # significant ones of the largest in a column
SHORT = 24  # characters of a cell that is never broken
YEARS = range(1_900, 2_101)  # a column of nothing else is one of years
LARGE = 1e6  # no places behind the point from here on
MINUS = "\N{MINUS SIGN}"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(e[+-]?\d+)?%?")
_HYPHEN = re.compile(r"(?<![\w.])-(?=\d)")
_STYLE = """
:root{--ink:#1A212B;--dim:#5A6675;--page:#F4F6F9;--sheet:#fff;--rule:#D8DEE6;--even:#F8FAFC;
--gain:#0B7F68;--loss:#C22F3E;--c0:#1F6FD6;--c1:#C46A00;--c2:#7A4FBF;--c3:#0B7F68;--c4:#B03A7A;
--c5:#5A6675}
@media(prefers-color-scheme:dark){:root{--ink:#DCE3EC;--dim:#93A0B1;--page:#12161C;--sheet:#1A2029;
--rule:#2C3541;--even:#1E2530;--gain:#35C29F;--loss:#F0707C;--c0:#5DA2F5;--c1:#F0A94A;--c2:#B090EE;
--c3:#35C29F;--c4:#EE7DB4;--c5:#93A0B1}}
body{font:14px/1.5 Inter,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;margin:32px auto;
max-width:1120px;padding:0 20px;color:var(--ink);background:var(--page);
font-variant-numeric:tabular-nums}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:30px 0 8px}p{margin:4px 0}
.sub,.key{color:var(--dim)}.paper{border-left:4px solid var(--c1);padding:2px 12px;margin:12px 0}
ul.said{padding-left:20px}ul.said li{margin:5px 0}
.scroll{overflow-x:auto;background:var(--sheet);border:1px solid var(--rule);border-radius:6px}
table{border-collapse:collapse;width:100%}th,td{padding:5px 10px;text-align:left;
vertical-align:top}th{color:var(--dim);font-weight:500;border-bottom:1px solid var(--rule);
vertical-align:bottom}th.n,td.n{text-align:right}td.n,td.s{white-space:nowrap}
tr:nth-child(even) td{background:var(--even)}dl{display:grid;grid-template-columns:max-content 1fr;
gap:3px 16px}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:14px 0;background:var(--sheet);border:1px solid var(--rule);border-radius:6px;
padding:12px}figcaption{font-weight:600}figure>svg{width:100%;height:auto}
.key{font-size:12px}svg.line{width:28px;height:8px;margin-right:5px;vertical-align:middle}
.swatch{display:inline-block;width:12px;height:12px;margin:0 5px 0 8px}.swatch.gain{
background:var(--gain)}.swatch.loss{background:var(--loss)}
svg text{fill:var(--ink);font-size:11px}svg text.tick,svg text.axis{fill:var(--dim)}
.grid{stroke:var(--rule);stroke-width:1}.grid.zero{stroke:var(--dim)}
.l{fill:none;stroke-width:1.6}.band{fill-opacity:.16;stroke:none}.w{stroke:var(--ink);
stroke-width:1.2}rect.gain{fill:var(--gain)}rect.loss{fill:var(--loss)}rect.hole{fill:none}
.l.c0{stroke:var(--c0)}.l.c1{stroke:var(--c1)}.l.c2{stroke:var(--c2)}.l.c3{stroke:var(--c3)}
.l.c4{stroke:var(--c4)}.l.c5{stroke:var(--c5)}
.band.c0,.b.c0,.p.c0{fill:var(--c0)}.band.c1,.b.c1,.p.c1{fill:var(--c1)}
.band.c2,.b.c2,.p.c2{fill:var(--c2)}.band.c3,.b.c3,.p.c3{fill:var(--c3)}
.band.c4,.b.c4,.p.c4{fill:var(--c4)}.band.c5,.b.c5,.p.c5{fill:var(--c5)}
code{font:12px/1.4 "JetBrains Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
"""

Study = Mapping[str, Any]


def write_study(study: Study, folder: Path) -> list[Path]:
    """Write the JSON and the page of a study into a folder. Raises UserError with one sentence.

    The JSON comes first and whole: no fault of a page, and no full disk under it, costs the study.
    A folder that holds a study already is refused: nothing is written over.
    """
    body = msgspec.json.format(msgspec.json.encode(kept_form(study)), indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any((folder / name).exists() for name in (PAGE, DATA)):
            raise UserError(f"{folder} holds a study already. Choose another folder.")
        part = folder / f"{DATA}.part"
        part.write_bytes(body)
        part.replace(folder / DATA)
        (folder / PAGE).write_text(study_page(study), "utf-8")
    except OSError as exc:
        raise UserError(f"Cannot write the study to {folder}: {exc.strerror}.") from exc
    return [folder / PAGE, folder / DATA]


def kept_form(study: Study) -> dict[str, Any]:
    """A study as its JSON holds it: what was fixed beforehand is not rounded, so its hash holds."""
    out: dict[str, Any] = plain(study, DIGITS)
    if isinstance(study.get("pre_registration"), Mapping):
        out["pre_registration"] = plain(study["pre_registration"], EXACT)
    return out


def study_page(study: Study) -> str:
    """One page: what was found, how it was fixed beforehand, on which data, tables and charts."""
    title = html.escape(str(study.get("title", study["study"])))
    parts = [
        _head(title),
        f"<h1>{title}</h1>",
        f'<p class="sub">basisdesk {html.escape(__version__)}, study '
        f"{html.escape(str(study['study']))}. Times are UTC.</p>",
        '<p class="paper">Paper only: no order was ever placed. What the past would have paid says '
        "little about what is to come.</p>",
        _sentences(study.get("sentences", ())),
        _facts("Fixed beforehand", checked(study.get("pre_registration", {}))),
        *(_drawn(_table, "table", table) for table in study.get("tables", ())),
        *(_drawn(draw, "chart", chart) for chart in study.get("charts", ())),
        _data(study.get("data", ())),
        _facts("Made by", study.get("made_by", {})),
        "</body></html>",
    ]
    return "".join(parts)


def _drawn(make: Callable[[Mapping[str, Any]], str], kind: str, part: Mapping[str, Any]) -> str:
    try:
        return make(part)
    except Exception as exc:  # noqa: BLE001 - one part's fault is told in its place: the rest stands
        title = html.escape(str(part.get("title", kind)) if isinstance(part, Mapping) else kind)
        fault = html.escape(f"{type(exc).__name__}: {exc}")
        return (
            f'<h2>{title}</h2><p class="sub">This {kind} could not be drawn ({fault}); its figures '
            f"stand in {DATA}.</p>"
        )


def _head(title: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    )


def _sentences(sentences: Sequence[str]) -> str:
    minus = [_HYPHEN.sub(MINUS, each) for each in sentences]
    rows = "".join(f"<li>{html.escape(each)}</li>" for each in minus)
    return f'<h2>What was found</h2><ul class="said">{rows}</ul>' if rows else ""


def _facts(title: str, facts: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<dt>{html.escape(str(name).replace('_', ' '))}</dt><dd>{_fact(value)}</dd>"
        for name, value in facts.items()
    )
    return f"<h2>{html.escape(title)}</h2><dl>{rows}</dl>" if rows else ""


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{k} = {_plain(v)}" for k, v in value.items())
        return html.escape(inner) or "none"
    if isinstance(value, list | tuple):
        return html.escape(", ".join(_plain(each) for each in value)) or "none"
    return html.escape(_plain(value))


def _plain(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(each) for each in value) + "]"
    return str(value)


def _table(table: Mapping[str, Any]) -> str:
    rows = _cells(table["rows"])
    numeric = [
        bool(rows) and all(_looks_number(row[i]) for row in rows)
        for i in range(len(table["columns"]))
    ]
    head = "".join(
        f'<th class="n">{_column(column)}</th>' if right else f"<th>{_column(column)}</th>"
        for column, right in zip(table["columns"], numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{_class(cell, right=right)}">{html.escape(cell)}</td>'
            for cell, right in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in rows[:ROWS_MAX]
    )
    note = table.get("note", "")
    if len(rows) > ROWS_MAX:
        note = f"{note} The first {ROWS_MAX:,} of {len(rows):,} rows; {DATA} has them all.".strip()
    below = f'<p class="sub">{html.escape(note)}</p>' if note else ""
    none = "" if rows else '<p class="sub">None.</p>'
    return (
        f"<h2>{html.escape(table['title'])}</h2>{none}"
        f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>{below}'
    )


def _class(cell: str, *, right: bool) -> str:
    """n: a figure; s: so short that it is never broken; t: any other text."""
    return "n" if right else "s" if len(cell) <= SHORT else "t"


def _cells(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Texts of all cells; the figures of a column have as many places as its finest one."""
    columns = [_texts(column) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _texts(column: Sequence[Any]) -> list[str]:
    figures = [cell for cell in column if isinstance(cell, float) and math.isfinite(cell)]
    largest = max((abs(figure) for figure in figures), default=0.0)
    room = FIGURES - 1 - (math.floor(math.log10(largest)) if largest > 0.0 else 0)
    places = min(max((_places(figure) for figure in figures), default=0), max(room, 0))
    group = "" if all(cell in YEARS for cell in column) else ","
    return [
        f"{cell:,.{places}f}".replace("-", MINUS)
        if isinstance(cell, float) and math.isfinite(cell)
        else f"{cell:{group}}".replace("-", MINUS)
        if isinstance(cell, int) and not isinstance(cell, bool)
        else _plain(cell)
        for cell in column
    ]


def _places(figure: float) -> int:
    if figure == round(figure) or abs(figure) >= LARGE:
        return 0
    return min(PLACES_MAX, len(f"{figure:.{PLACES_MAX}f}".rstrip("0").partition(".")[2]))


def _column(column: Mapping[str, Any] | str) -> str:
    if isinstance(column, str):
        return html.escape(column)
    unit = column.get("unit", "")
    said = f"{column['name']}, {unit}" if unit else str(column["name"])
    return html.escape(said)


def _looks_number(cell: str) -> bool:
    return cell in ("n/a", "") or bool(_NUMBER.fullmatch(cell.replace(MINUS, "-")))


def _data(data: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    each = [data] if isinstance(data, Mapping) else list(data)
    return "".join(
        _facts("Data" if i == 0 else f"Data, {i + 1}", one) for i, one in enumerate(each)
    )
