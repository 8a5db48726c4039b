"""Runs of the lab side by side: what was fixed beforehand, what was said, tables cell by cell.

The answer is a study again, so that page, window and command line show it as they show any other.
A difference of two figures carries no interval here: it says where to look, and proves nothing.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from basisdesk.errors import UserError
from basisdesk.lab.words import HASH_SHOWN, plain, registered

RUNS_MIN, RUNS_MAX = 2, 4
LETTERS = "ABCD"
KEYS_MAX = 4  # leading columns that may name a row together
DIGITS = 12  # of a difference
MINUS = "\N{MINUS SIGN}"
CAUTION = (
    "A difference of two runs has no interval here: it says where to look, and proves nothing."
)

Study = Mapping[str, Any]
Table = Mapping[str, Any]
Row = tuple[Any, ...]
Head = tuple[str, str, int]


class _Joined(NamedTuple):
    """Tables of one title: the letter of each run that has it, and the table itself."""

    title: str
    tables: list[tuple[str, Table]]
    keys: int  # leading columns that name a row


def compare_runs(runs: Sequence[tuple[str, Study]]) -> dict[str, Any]:
    """Two to four runs, each its name and study, as a study. Raises UserError for other counts."""
    if not RUNS_MIN <= len(runs) <= RUNS_MAX:
        raise UserError(f"Choose {RUNS_MIN} to {RUNS_MAX} runs to compare, not {len(runs)}.")
    sides = list(zip(LETTERS, (study for _, study in runs), strict=False))
    fixed = _fixed(sides)
    joined = [_table(each) for each in _common(sides)]
    return {
        "study": "compare",
        "title": "Runs side by side",
        "made_by": {"runs": [name for name, _ in runs]},
        "sentences": [
            *(f"{letter} is {name}." for letter, (name, _) in zip(LETTERS, runs, strict=False)),
            *_plans(sides, fixed),
            *_held(sides),
            _told(len(joined)),
            CAUTION,
        ],
        "tables": [fixed, _said(sides), *joined],
        "charts": [],
    }


# --- what was fixed beforehand --------------------------------------------------------------------


def _fixed(sides: Sequence[tuple[str, Study]]) -> dict[str, Any]:
    """What was fixed, on which data, with which options: a row for each thing that differs."""
    flat = [_flat(_plan(study)) for _, study in sides]
    names = list(dict.fromkeys(itertools.chain.from_iterable(flat)))
    rows = []
    for name in names:
        cells = [_word(each.get(name)) for each in flat]
        if name == "hash":
            cells = [cell[:HASH_SHOWN] for cell in cells]
        rows.append([name, *cells, "same" if len(set(cells)) == 1 else "differs"])
    apart = [row for row in rows if row[-1] == "differs"]
    same = len(rows) - len(apart)
    return {
        "title": "What differs of what was fixed beforehand",
        "columns": ["what", *(letter for letter, _ in sides)],
        "rows": [row[:-1] for row in apart],
        "note": f"Of plan, data and options; {same} other entries are the same in all.",
    }


def _plan(study: Study) -> dict[str, Any]:
    made = study.get("made_by")
    options = made.get("options", made) if isinstance(made, Mapping) else {}
    data = study.get("data") or ()
    return {
        "study": study.get("study"),
        **dict(study.get("pre_registration") or {}),
        "data": [data] if isinstance(data, Mapping) else list(data),
        "option": options,
    }


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested names as one line each: costs, spot taker."""
    if isinstance(value, Mapping):
        parts = [(str(key).replace("_", " "), each) for key, each in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        parts = [(str(place), each) for place, each in enumerate(value, 1)]
    else:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, each in parts:
        flat |= _flat(each, f"{name}, {key}" if name else key)
    return flat


def _word(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}".replace("-", MINUS)
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_word(each)}" for key, each in value.items())
    return str(value)


def _plans(sides: Sequence[tuple[str, Study]], fixed: Table) -> list[str]:
    kinds = {str(study.get("study")) for _, study in sides}
    if len(kinds) > 1:
        return [f"They are different studies ({', '.join(sorted(kinds))}): little can be compared."]
    hashes = [str((study.get("pre_registration") or {}).get("hash", "")) for _, study in sides]
    apart = [row[0] for row in fixed["rows"] if row[0] != "hash"]
    if all(hashes) and len(set(hashes)) == 1:
        said = f"All have the same plan (hash {hashes[0][:HASH_SHOWN]})"
        return [f"{said}; data or options differ." if apart else f"{said}, data and options."]
    if not apart:
        return ["No difference of plan, data or options is on record."]
    more = f" and {len(apart) - 6} more" if len(apart) > 6 else ""
    return [f"They differ in {'; '.join(apart[:6])}{more}."]


def _held(sides: Sequence[tuple[str, Study]]) -> list[str]:
    """Whether each plan is still the one its hash was made of."""
    blocks = [(letter, study.get("pre_registration") or {}) for letter, study in sides]
    hashed = [(letter, block) for letter, block in blocks if block.get("hash")]
    broken = [letter for letter, block in hashed if not registered(block)]
    if broken:
        return [
            f"The hash of {' and '.join(broken)} does not hold: the plan was changed afterwards, "
            "or a version wrote it that rounded it."
        ]
    return ["The hash of each plan holds."] if hashed else []


def _told(count: int) -> str:
    if not count:
        return "No table stands in more than one of them."
    return f"{count} table{'s' if count > 1 else ''} of the same title stand side by side below."


def _said(sides: Sequence[tuple[str, Study]]) -> dict[str, Any]:
    columns = [list(map(str, study.get("sentences") or ())) for _, study in sides]
    return {
        "title": "What each said",
        "columns": [letter for letter, _ in sides],
        "rows": [list(row) for row in itertools.zip_longest(*columns, fillvalue="")],
        "note": "",
    }


# --- tables of one title --------------------------------------------------------------------------


def _common(sides: Sequence[tuple[str, Study]]) -> list[_Joined]:
    by_title: dict[str, list[tuple[str, Table]]] = {}
    for letter, study in sides:
        seen: set[str] = set()
        for table in study.get("tables") or ():
            title = str(table["title"])
            if title not in seen:
                by_title.setdefault(title, []).append((letter, table))
                seen.add(title)
    found = [(title, tables) for title, tables in by_title.items() if len(tables) > 1]
    return [_Joined(title, tables, _keys(tables)) for title, tables in found]


def _keys(tables: Sequence[tuple[str, Table]]) -> int:
    """The fewest leading columns, of the same name in all, that tell the rows of each apart."""
    names = [list(map(_name, table["columns"])) for _, table in tables]
    same = 0
    for column in zip(*names, strict=False):
        if len(set(column)) > 1:
            break
        same += 1
    for count in range(1, min(same, KEYS_MAX) + 1):
        heads = [[tuple(row[:count]) for row in table["rows"]] for _, table in tables]
        if all(len(set(map(str, each))) == len(each) for each in heads):
            return count
    return 1


def _heads(table: Table) -> list[Head]:
    """Name and unit of each column, and how many of these came before: "from" stands twice."""
    heads: list[Head] = []
    for name, unit in map(_name, table["columns"]):
        heads.append((name, unit, sum(head[:2] == (name, unit) for head in heads)))
    return heads


def _name(column: Any) -> tuple[str, str]:
    if isinstance(column, str):
        return column, ""
    return str(column["name"]), str(column.get("unit", ""))


def _table(joined: _Joined) -> dict[str, Any]:
    """One table: the columns that name a row, then each common column of all, then differences."""
    first = joined.tables[0][1]
    indexed = [(letter, table, _indexed(table, joined.keys)) for letter, table in joined.tables]
    order = list(dict.fromkeys(key for _, _, rows in indexed for key in rows))
    heads = [_name(column) for column in first["columns"][: joined.keys]]
    columns: list[dict[str, str]] = [{"name": name, "unit": unit} for name, unit in heads]
    cells: list[list[Any]] = [[key[place] for key in order] for place in range(joined.keys)]
    for head in _heads(first)[joined.keys :]:
        name, unit, _ = head
        of_runs = [(letter, _column(table, rows, head, order)) for letter, table, rows in indexed]
        there = [(letter, values) for letter, values in of_runs if values is not None]
        if len(there) < len(of_runs):
            continue
        columns += [{"name": f"{name} {letter}", "unit": unit} for letter, _ in there]
        cells += [values for _, values in there]
        base, values = there[0]
        for letter, others in there[1:]:
            apart = _apart(values, others)
            if apart is not None:
                columns.append({"name": f"{name} {letter} {MINUS} {base}", "unit": unit})
                cells.append(apart)
    return {
        "title": joined.title,
        "columns": columns,
        "rows": plain([list(row) for row in zip(*cells, strict=True)], DIGITS),
        "note": str(first.get("note", "")),
    }


def _indexed(table: Table, keys: int) -> dict[Row, Sequence[Any]]:
    """Rows by what names them; a name that comes again counts on."""
    rows: dict[Row, Sequence[Any]] = {}
    for row in table["rows"]:
        key, again = tuple(row[:keys]), 1
        while key in rows:
            again += 1
            key = (*tuple(row[: keys - 1]), f"{row[keys - 1]} ({again})")
        rows[key] = row
    return rows


def _column(
    table: Table, rows: Mapping[Row, Sequence[Any]], head: Head, order: Sequence[Row]
) -> list[Any] | None:
    heads = _heads(table)
    if head not in heads:
        return None
    place = heads.index(head)
    return [rows[key][place] if key in rows else None for key in order]


def _apart(values: Sequence[Any], others: Sequence[Any]) -> list[float | None] | None:
    """What the others have more, where both are figures; None where no row has two figures."""
    pairs = zip(values, others, strict=True)
    found = [b - a if _figure(a) and _figure(b) else None for a, b in pairs]
    return found if any(each is not None for each in found) else None


def _figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
