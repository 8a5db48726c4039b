"""Two saved session logs side by side: money, attribution, refusals and the ledgers' digests.

Money is read as Decimal from the texts of `session.json` and summed exactly; a figure becomes a
float only where it is put into a table.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.errors import UserError
from basisdesk.lab.report_heads import TERM_NAMES

FILE = "session.json"
BYTES_MAX = 256 * 1024 * 1024
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")
DIGEST_SHOWN = 16
COLUMNS = [{"name": "what", "unit": ""}, {"name": "unit", "unit": ""}]
MINUS = "\N{MINUS SIGN}"

Session = Mapping[str, Any]
Figures = dict[tuple[str, str], Decimal | None]


def read_session(path: Path) -> dict[str, Any]:
    """A saved session log: the folder it was saved into, or its session.json.

    Raises UserError naming the file where it is none.
    """
    file = path / FILE if path.is_dir() else path
    try:
        if file.stat().st_size > BYTES_MAX:
            raise UserError(f"{file} is larger than a session log can be ({BYTES_MAX:,} bytes).")
        read = msgspec.json.decode(file.read_bytes())
    except OSError as exc:
        raise UserError(f"Cannot read {file}: {exc.strerror}. Name a saved session log.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UserError(f"{file} is damaged ({exc}). Save the log again.") from exc
    if not isinstance(read, dict) or "basisdesk_session" not in read:
        raise UserError(f"{file} is no session log. Session > Save log makes one.")
    return read


def compare_sessions(sessions: Sequence[tuple[str, Session]]) -> dict[str, Any]:
    """Two sessions, each its name and document, as a study. Raises UserError for other counts."""
    if len(sessions) != 2:
        raise UserError(f"Choose two session logs to compare, not {len(sessions)}.")
    (name_a, a), (name_b, b) = sessions
    figures = _figures(name_a, a), _figures(name_b, b)
    return {
        "study": "sessions",
        "title": "Sessions side by side",
        "made_by": {"sessions": [name_a, name_b]},
        "sentences": [
            f"A is {name_a}{_of(a)}.",
            f"B is {name_b}{_of(b)}.",
            _ledgers(str(a.get("ledger_digest", "")), str(b.get("ledger_digest", ""))),
            _gains(*figures),
            "Two sessions are two sessions: which was luck, no figure here can say.",
        ],
        "tables": [
            _sides("Sessions", *figures),
            _sides("Attribution of all pairs", *(_attribution(each) for each in (a, b))),
            _sides("Refusals by limit", *(_by_limit(each) for each in (a, b))),
            _sides("Pairs by legs", *(_by_legs(each) for each in (a, b))),
            _settings(a, b),
        ],
        "charts": [],
    }


def _of(session: Session) -> str:
    begun = session.get("sessions") or [{}]
    source = {"demo": "SIMULATED"}.get(str(begun[-1].get("source", "")), "live")
    return f": {source}, begun {begun[0].get('utc', 'n/a')} UTC" if begun[0] else ""


def _ledgers(a: str, b: str) -> str:
    if a and a == b:
        return f"The ledgers are the same to the last posting (digest {a[:DIGEST_SHOWN]})."
    return (
        f"The ledgers differ: digests {a[:DIGEST_SHOWN] or 'n/a'} and {b[:DIGEST_SHOWN] or 'n/a'}."
    )


def _gains(a: Figures, b: Figures) -> str:
    gained = ("Gained", "USDT")
    one, other = a[gained], b[gained]
    if one is None or other is None:
        return "The equity of one is not known."
    pairs = ("Pairs", "")
    return (
        f"A gained {_signed(one)} USDT over {a[pairs]} pairs, B {_signed(other)} over {b[pairs]}: "
        f"B {MINUS} A is {_signed(other - one)} USDT."
    )


def _signed(value: Decimal) -> str:
    return f"{value:+,.2f}".replace("-", MINUS)


# --- figures --------------------------------------------------------------------------------------


def _figures(name: str, session: Session) -> Figures:
    equity = session.get("equity") or {}
    start, end = _money(equity.get("start"), name), _money(equity.get("end"), name)
    pairs = _rows(session, "pairs")
    feeds = session.get("feeds") or {}
    return {
        ("Equity at start", "USDT"): start,
        ("Equity at end", "USDT"): end,
        ("Gained", "USDT"): None if start is None or end is None else end - start,
        ("Pairs", ""): Decimal(len(pairs)),
        ("Pairs closed", ""): Decimal(sum(1 for row in pairs if row.get("closed_utc"))),
        ("Fills", ""): Decimal(len(_rows(session, "fills"))),
        ("Settlements", ""): Decimal(len(_rows(session, "funding"))),
        ("Refusals", ""): Decimal(len(_rows(session, "refusals"))),
        ("Rejected legs", ""): Decimal(len(_rows(session, "rejections"))),
        ("Bad frames", ""): _money(feeds.get("bad_frames"), name),
        ("Gaps", ""): _money(feeds.get("gaps"), name),
    }


def _attribution(session: Session) -> Figures:
    """Sums over all pairs, and how much of what came before costs the fees took."""
    sums = {
        term: sum((_amount(row.get(f"{term}_usdt")) for row in _rows(session, "pairs")), Decimal())
        for term in TERMS
    }
    found: Figures = {
        (TERM_NAMES.get(term, term.capitalize()), "USDT"): value for term, value in sums.items()
    }
    found["Left over", "USDT"] = sums["total"] - sum((sums[name] for name in TERM_NAMES), Decimal())
    gross = sums["total"] - sums["fees"] - sums["slippage"]
    share = abs(sums["fees"]) / gross * 100 if gross > 0 else None
    found["Fees, share of the result before fees and slippage", "%"] = share
    return found


def _by_limit(session: Session) -> Figures:
    counted = Counter(str(row.get("limit", "")) for row in _rows(session, "refusals"))
    return {(limit or "other", ""): Decimal(count) for limit, count in counted.most_common()}


def _by_legs(session: Session) -> Figures:
    found: Figures = {}
    for row in _rows(session, "pairs"):
        legs = f"{row.get('long', '')} / {row.get('short', '')}"
        count, net = (f"{legs}, pairs", ""), (f"{legs}, net", "USDT")
        found[count] = (found.get(count) or Decimal()) + 1
        found[net] = (found.get(net) or Decimal()) + _amount(row.get("total_usdt"))
    return found


def _sides(title: str, a: Figures, b: Figures) -> dict[str, Any]:
    keys = list(dict.fromkeys([*a, *b]))
    rows = [[*key, *_cells(a.get(key), b.get(key))] for key in keys]
    return {
        "title": title,
        "columns": [*COLUMNS, *({"name": s, "unit": ""} for s in ("A", "B", f"B {MINUS} A"))],
        "rows": rows,
        "note": "",
    }


def _cells(a: Decimal | None, b: Decimal | None) -> list[float | None]:
    apart = None if a is None or b is None else b - a
    return [None if each is None else round(float(each), 8) for each in (a, b, apart)]


def _settings(a: Session, b: Session) -> dict[str, Any]:
    """Settings that differ, by their dotted names."""
    both = [flat(decoded(session.get("settings"))) for session in (a, b)]
    names = [key for key in {**both[0], **both[1]} if both[0].get(key) != both[1].get(key)]
    return {
        "title": "Settings that differ",
        "columns": ["setting", "A", "B"],
        "rows": [[name, *(str(each.get(name, "n/a")) for each in both)] for name in names],
        "note": "Of the last session in each log.",
    }


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    if not isinstance(value, Mapping):
        return {name: value} if name else {}
    found: dict[str, Any] = {}
    for key, each in value.items():
        found |= flat(each, f"{name}.{key}" if name else str(key))
    return found


def decoded(settings: Any) -> Any:
    """Settings kept as JSON text; nothing where it is damaged."""
    if not isinstance(settings, str):
        return settings
    try:
        return msgspec.json.decode(settings)
    except (msgspec.DecodeError, RecursionError):
        return {}


def _rows(session: Session, name: str) -> list[Mapping[str, Any]]:
    rows = session.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _amount(text: Any) -> Decimal:
    return _money(text, "a session log") or Decimal()


def _money(value: Any, name: str) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as exc:
        raise UserError(f"{name}: {value!r} is no amount. Save the log again.") from exc
    return found if found.is_finite() else None
