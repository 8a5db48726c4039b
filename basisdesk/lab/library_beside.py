"""Two to four past sessions side by side: what they earned, by which term, under what conditions.

Takes the documents of `library_report`; money is read as Decimal from their exact texts and becomes
a float only where it is put into a table.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from basisdesk.errors import UserError
from basisdesk.lab.compare_sessions import decoded, flat
from basisdesk.lab.library import TERMS
from basisdesk.lab.report_heads import TERM_NAMES

SIDES = ("A", "B", "C", "D")
MOST = len(SIDES)
LEAST = 2
PLACES = 4

Document = Mapping[str, Any]
Cells = Sequence[float | int | None]


def beside(documents: Sequence[Document]) -> dict[str, Any]:
    """Sessions side by side, as a study. Raises UserError for another count than two to four."""
    if not LEAST <= len(documents) <= MOST:
        raise UserError(f"Choose {LEAST} to {MOST} sessions to compare, not {len(documents)}.")
    sides = SIDES[: len(documents)]
    return {
        "study": "sessions",
        "title": "Sessions side by side",
        "made_by": {"sessions": [str(each.get("session", "")) for each in documents]},
        "sentences": [
            *(_said(side, each) for side, each in zip(sides, documents, strict=True)),
            "Their markets differ: which was skill and which was luck, no figure here says.",
        ],
        "tables": [
            _table("Figures", _figures(documents), sides),
            _table(
                "Attribution of each session",
                [
                    *(
                        (TERM_NAMES.get(term, term.capitalize()), "USDT", _terms(documents, term))
                        for term in TERMS
                    ),
                    ("Left over", "USDT", _left_over(documents)),
                ],
                sides,
                "What moved in the session alone; the terms sum to its total. Left over is what no "
                "term explains: 0, or the desk has a fault.",
            ),
            _table("Refusals by limit", _refusals(documents), sides),
            _settings(documents, sides),
        ],
        "charts": [],
    }


def _said(side: str, document: Document) -> str:
    source = "SIMULATED" if document.get("mode") == "simulated" else str(document.get("mode", ""))
    net = _money(document.get("equity", {}).get("net"))
    earned = "" if net is None else f", net {net:+,.2f} USDT".replace("-", "\N{MINUS SIGN}")
    return (
        f"{side} is {document.get('session', '')}: account {document.get('account', '')}, "
        f"{source}, begun {str(document.get('begun_utc', ''))[:19].replace('T', ' ')} UTC{earned}."
    )


def _figures(documents: Sequence[Document]) -> list[tuple[str, str, Cells]]:
    def equity(name: str) -> Cells:
        return [_float(_money(each.get("equity", {}).get(name))) for each in documents]

    def feeds(name: str) -> Cells:
        counts = [each.get("feeds", {}).get(name) for each in documents]
        return [count if isinstance(count, int) else None for count in counts]

    def count(name: str) -> Cells:
        return [len(each.get(name) or ()) for each in documents]

    closed = [
        sum(bool(row.get("closed_utc")) for row in each.get("pairs") or ()) for each in documents
    ]
    return [
        ("Equity at start", "USDT", equity("start")),
        ("Equity at end", "USDT", equity("end")),
        ("Net", "USDT", equity("net")),
        ("Pairs held or traded", "", count("pairs")),
        ("of them closed", "", closed),
        ("Fills", "", count("fills")),
        ("Settlements of funding", "", count("funding")),
        ("Refusals", "", count("refusals")),
        ("Rejected legs", "", count("rejections")),
        ("Frames", "", feeds("frames")),
        ("Bad frames", "", feeds("bad_frames")),
        ("Gaps", "", feeds("gaps")),
    ]


def _terms(documents: Sequence[Document], term: str) -> Cells:
    found = []
    for each in documents:
        rows = {row.get("term"): row.get("usdt") for row in each.get("attribution") or ()}
        found.append(_float(_money(rows.get(term))))
    return found


def _left_over(documents: Sequence[Document]) -> Cells:
    """What each session earned and no term explains; None where either is not known."""
    found = []
    for each in documents:
        rows = {row.get("term"): row.get("usdt") for row in each.get("attribution") or ()}
        net = _money(each.get("equity", {}).get("net"))
        terms = [_money(rows.get(term)) for term in TERM_NAMES]
        known = net is not None and all(term is not None for term in terms)
        left = (net or Decimal()) - sum((term or Decimal() for term in terms), Decimal())
        found.append(_float(left) if known else None)
    return found


def _refusals(documents: Sequence[Document]) -> list[tuple[str, str, Cells]]:
    counted = [
        Counter(str(row.get("limit", "")) or "other" for row in each.get("refusals") or ())
        for each in documents
    ]
    limits = sorted({limit for each in counted for limit in each})
    return [(limit, "", [each[limit] for each in counted]) for limit in limits]


def _settings(documents: Sequence[Document], sides: Sequence[str]) -> dict[str, Any]:
    """Conditions that are not the same in all: mode, version, settings by their dotted names."""
    kept = []
    for each in documents:
        found = {"mode": each.get("mode", ""), "version": each.get("ran_version", "")}
        kept.append(found | flat(decoded(each.get("settings"))))
    names = list(dict.fromkeys(name for each in kept for name in each))
    rows = [
        [name, *(str(each.get(name, "n/a")) for each in kept)]
        for name in names
        if len({str(each.get(name)) for each in kept}) > 1
    ]
    return {
        "title": "Conditions that differ",
        "columns": ["condition", *sides],
        "rows": rows,
        "note": "Mode, version, and every setting that was not the same in all of them.",
    }


def _table(
    title: str, lines: Sequence[tuple[str, str, Cells]], sides: Sequence[str], note: str = ""
) -> dict[str, Any]:
    two = len(sides) == LEAST
    apart = ["B \N{MINUS SIGN} A"] if two else []
    rows = [[name, unit, *cells, *([_apart(cells)] if two else [])] for name, unit, cells in lines]
    return {"title": title, "columns": ["what", "unit", *sides, *apart], "rows": rows, "note": note}


def _apart(cells: Cells) -> float | int | None:
    a, b = cells
    return None if a is None or b is None else round(b - a, PLACES)


def _money(value: Any) -> Decimal | None:
    try:
        return None if value in (None, "") else Decimal(str(value))
    except InvalidOperation:
        return None


def _float(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), PLACES)
