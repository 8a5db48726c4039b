"""What the lab's panels show, as text and plain rows. Pure, no Qt.

A table of a study is {"title", "columns": [{"name", "unit"}] or names, "rows", "note"}.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from basisdesk.ui.figures import MINUS, span_text
from basisdesk.ui.lab_view import ClaimRow, Job, RunRow

PLACES_MAX = 6
LARGE = 1e6  # no places behind the point from here on
YEARS = range(1_900, 2_101)  # a column of nothing else is one of years
ROWS_MAX = 500  # of one table in the window; its page has more
WORDY_CHARS = 56  # a cell of more is wrapped, not put into a row of figures
WORDY_ROWS_MAX = 60
SOFT, PIECE = "\u200b", 14  # where a long word may break, and after how many characters
UNKNOWN = "n/a"
HOLDS = "hash holds"  # of a plan, as who read the study found it
STATUS_MARKS = {  # a word and a mark: never a colour alone, never an arrow
    "reproduced": "\u25cf",
    "not reproduced": "\u25cb",
    "compatible, cannot tell": "\u25d2",
    "undecided": "\u25d0",
    "untested": "\u25cc",
    "no test": "\u2013",
}
STATUS_TONES = {
    "untested": "muted",
    "no test": "muted",
    "undecided": "warn",
    "compatible, cannot tell": "warn",
}
STATES = {
    "waiting": "waits",
    "running": "runs",
    "stopping": "is being stopped",
    "done": "is done",
    "failed": "failed",
    "stopped": "was stopped",
}

_NUMBER = re.compile(r"[+\-\u2212]?[\d,]*\.?\d+(e[+-]?\d+)?\s?%?")
_LONG = re.compile(r"\S{29,}")
_HYPHEN = re.compile(r"(?<![\w.])-(?=\d)")


class TableColumn(NamedTuple):
    """One column of a study's table: header with unit, whether figures stand in it, its texts."""

    header: str
    right: bool
    texts: tuple[str, ...]


class TableRow(NamedTuple):
    """One row: texts as shown, values as sorted."""

    place: int
    texts: tuple[str, ...]
    values: tuple[Any, ...]


class ShownTable(NamedTuple):
    """A study's table as the window shows it. wordy: a cell is too long for a row of figures."""

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    note: str
    wordy: bool


def shown_table(table: Mapping[str, Any]) -> ShownTable:
    """A table with all figures of a column in as many places as its finest one."""
    raw = list(table.get("rows") or ())
    heads = [_header(column) for column in table.get("columns") or ()]
    columns = [
        _column(head, [row[place] if place < len(row) else None for row in raw[:ROWS_MAX]])
        for place, head in enumerate(heads)
    ]
    rows = tuple(
        TableRow(
            place,
            tuple(column.texts[place] for column in columns),
            tuple(_value(cell) for cell in raw[place][: len(heads)]),
        )
        for place in range(min(len(raw), ROWS_MAX))
    )
    note = sentence(str(table.get("note") or ""))
    if len(raw) > ROWS_MAX:
        note = f"{note} The first {ROWS_MAX:,} of {len(raw):,} rows; the page has more.".strip()
    longest = max((len(text) for row in rows for text in row.texts), default=0)
    wordy = longest > WORDY_CHARS and len(rows) <= WORDY_ROWS_MAX
    return ShownTable(str(table.get("title", "")), tuple(columns), rows, note, wordy)


def _header(column: Any) -> str:
    if isinstance(column, str):
        return sentence(column)
    unit = str(column.get("unit") or "")
    return sentence(f"{column['name']}, {unit}" if unit else str(column["name"]))


def _column(header: str, cells: Sequence[Any]) -> TableColumn:
    texts = cell_texts(cells)
    right = bool(texts) and all(text in (UNKNOWN, "") or _NUMBER.fullmatch(text) for text in texts)
    known = any(text not in (UNKNOWN, "") for text in texts)
    return TableColumn(header, right and known, tuple(texts))


def cell_texts(cells: Sequence[Any]) -> list[str]:
    """Texts of one column: true minus, thousands, the places of its finest figure, n/a."""
    figures = [cell for cell in cells if _fraction(cell)]
    places = max((_places(figure) for figure in figures), default=0)
    group = "" if all(cell in YEARS for cell in cells if cell is not None) else ","
    return [_cell(cell, places, group) for cell in cells]


def _cell(cell: Any, places: int, group: str) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return UNKNOWN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and math.isfinite(cell):
        return f"{cell:,.{places}f}".replace("-", MINUS)
    if isinstance(cell, int):
        return f"{cell:{group}}".replace("-", MINUS)
    if isinstance(cell, list | tuple):
        return ", ".join(_cell(each, PLACES_MAX, ",") for each in cell)
    return sentence(str(cell))


def _fraction(cell: Any) -> bool:
    return isinstance(cell, float) and math.isfinite(cell)


def _places(figure: float) -> int:
    if figure == round(figure) or abs(figure) >= LARGE:
        return 0
    return min(PLACES_MAX, len(f"{figure:.{PLACES_MAX}f}".rstrip("0").partition(".")[2]))


def _value(cell: Any) -> Any:
    """What a row is sorted by: figures by their value, all else by its text."""
    if cell is None or isinstance(cell, int | float):
        return math.nan if cell is None else float(cell)
    return str(cell)


def sentence(text: str) -> str:
    """A sentence of a study with a true minus before its figures."""
    return _HYPHEN.sub(MINUS, text)


def breakable(text: str) -> str:
    """A text whose long words (paths, hashes) may break, so that they ask for no room."""
    return _LONG.sub(lambda word: SOFT.join(re.findall(f".{{1,{PIECE}}}", word[0])), text)


# --- runs, jobs and claims ------------------------------------------------------------------------


def run_title(run: RunRow) -> str:
    """What a run is called where one line has to do."""
    return f"{run.utc} UTC \u00b7 {study_name(run.study)}"


def study_name(study: str) -> str:
    """The name of a study as a person reads it."""
    return study.replace("_", " ").replace("-", " ")


def job_text(job: Job) -> str:
    """How far a job is, in one line."""
    if job.state == "running" and job.total > 0:
        left = f", {span_text(job.left_s)} left" if math.isfinite(job.left_s) else ""
        return f"{job.done:,} of {job.total:,} {job.what}{left}"
    if job.state == "running":
        return f"{job.what or 'Starting'}\u2026"
    return f"{study_name(job.study).capitalize()} {STATES[job.state]}."


def job_share(job: Job) -> float | None:
    """How much is done, 0 to 1; None while that is not known."""
    if job.state != "running" or job.total <= 0:
        return None
    return min(max(job.done / job.total, 0.0), 1.0)


def job_end(job: Job) -> tuple[str, str]:
    """What a job that ended came to, and the tone of it."""
    if job.state == "failed":
        return job.said or "It failed without a word.", "loss"
    if job.state == "stopped":
        name = study_name(job.study).capitalize()
        return job.said or f"{name} was stopped; it kept no run.", "muted"
    return f"{study_name(job.study).capitalize()} is done.", "text"


def waiting_text(jobs: Sequence[Job]) -> str:
    """How many jobs wait: "2 more wait: sweep, rotation."; "" for none."""
    waiting = [job for job in jobs if job.state == "waiting"]
    if not waiting:
        return ""
    names = ", ".join(study_name(job.study) for job in waiting)
    return f"{len(waiting)} more wait{'s' if len(waiting) == 1 else ''}: {names}."


def status_text(claim: ClaimRow) -> str:
    """The status of a claim with its mark: "\u25cf reproduced"."""
    return f"{STATUS_MARKS.get(claim.status, '')} {claim.status}".strip()


def status_tone(claim: ClaimRow) -> str:
    """The colour of a status: reproduced is no gain and not reproduced no loss."""
    return STATUS_TONES.get(claim.status, "text")


def claims_text(claims: Sequence[ClaimRow]) -> str:
    """How many claims stand where: "24 claims: 4 reproduced; 6 not reproduced; ..."."""
    if not claims:
        return "No claims read yet."
    parts = [
        f"{count} {status}"
        for status in STATUS_MARKS
        if (count := sum(claim.status == status for claim in claims))
    ]
    return f"{len(claims)} claims: {'; '.join(parts)}."


def study_facts(study: Mapping[str, Any]) -> str:
    """One line under a study's title: version, plan and its hash, data."""
    plan = study.get("pre_registration") or {}
    parts = []
    made = (study.get("made_by") or {}).get("basisdesk", study.get("version"))
    if isinstance(made, str):
        parts.append(f"basisdesk {made}")
    if plan.get("hash"):
        known = HOLDS in plan
        held = f" (hash {'holds' if plan[HOLDS] else 'does not hold'})" if known else ""
        parts.append(f"plan {str(plan['hash'])[:12]}{held}")
    if plan.get("trials"):
        parts.append(f"{plan['trials']:,} trials fixed beforehand")
    data = study.get("data") or ()
    if count := 1 if isinstance(data, Mapping) else len(data):
        parts.append(f"{count} series" if count > 1 else "1 series")
    return " \u00b7 ".join(parts)
