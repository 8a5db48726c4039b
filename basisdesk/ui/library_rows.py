"""What the library's window shows, as text and plain rows. Pure, no Qt.

The report of a session is made of the document of its JSON file, as a study of tables: the same
figures as on its HTML page.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from basisdesk.ui.figures import NOTHING, number_text, sign_text, span_text
from basisdesk.ui.position_texts import REASONS
from basisdesk.ui.product_actions import SessionLine
from basisdesk.ui.risk_rows import CAUSES
from basisdesk.ui.shown_cents import whole_cents
from basisdesk.ui.times import date_text
from basisdesk.venues.instrument import venue_title

ALL = "all"
CLEAN = "clean"
COMPARED_MOST = 4  # sessions side by side
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual")
NAMES = {
    "basis": "Basis",
    "funding": "Funding",
    "fees": "Fees",
    "slippage": "Slippage",
    "borrow": "Borrow",
    "residual": "Unhedged delta",
}
TAG_SIGNS = ",;"
CENT_HALF = Decimal("0.005")  # what is less shows as nothing
SHARE_MAX = 10  # costs over what was earned; beyond it a share says nothing

Document = Mapping[str, Any]


# --- the list -------------------------------------------------------------------------------------


def begun_text(line: SessionLine, utc: bool) -> str:
    """When a session began; of a journal that cannot be read, when it was written last."""
    return date_text(line.begun_ns, utc)


def lasted_text(line: SessionLine) -> str:
    """How long it ran: "2 h 40 min"; "runs now" of the desk's own."""
    if line.running:
        return "runs now"
    return span_text((line.ended_ns - line.begun_ns) / 1e9) if line.session else NOTHING


def account_text(line: SessionLine) -> str:
    """The account, and whether it lies in the archive."""
    return f"{line.account}, archived" if line.archived else line.account


def mode_text(line: SessionLine) -> str:
    """SIMULATED or live: never to be taken for one another."""
    return "SIMULATED" if line.mode == "simulated" else line.mode


def pairs_text(line: SessionLine) -> str:
    """Pairs opened and closed in it: "2 / 1"."""
    return f"{line.pairs_opened} / {line.pairs_closed}" if line.session else NOTHING


def money_text(amount: str) -> str:
    """An exact amount to the cent with its sign; a dash where none is known."""
    value = money(amount)
    return NOTHING if value is None else sign_text(value, 2)


def money(amount: object) -> Decimal | None:
    """The amount of an exact text, None where there is none."""
    try:
        value = Decimal(str(amount)) if amount not in (None, "") else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def money_meaning(amount: str) -> str:
    """The colour of an amount."""
    value = money(amount)
    return "" if not value else "gain" if value > 0 else "loss"


def size_text(line: SessionLine) -> str:
    """Size of the tape in MB; a dash where there is none."""
    return number_text(line.mb, 1) if line.mb else NOTHING


def part_texts(line: SessionLine) -> list[str]:
    """Its tapes, one to choose: "Part 2, 28.4 MB"."""
    return [f"Part {at}, {number_text(mb, 1)} MB" for at, mb in enumerate(line.tapes_mb, 1)]


def tags_text(tags: Sequence[str]) -> str:
    """Tags in one line."""
    return ", ".join(tags)


def typed_tags(text: str) -> list[str]:
    """Tags as typed, parted by commas or semicolons."""
    for sign in TAG_SIGNS[1:]:
        text = text.replace(sign, TAG_SIGNS[0])
    return [tag for tag in (part.strip() for part in text.split(TAG_SIGNS[0])) if tag]


def remark_text(line: SessionLine) -> str:
    """What is wrong with its journal, then the person's note."""
    wrong = "" if line.status == CLEAN else f"Not clean: {line.status}"
    return " \u2013 ".join(part for part in (wrong, line.note) if part)


def remark_meaning(line: SessionLine) -> str:
    """A journal that is not clean is told in the colour of a warning."""
    return "" if line.status == CLEAN else "warn"


def accounts_of(lines: Sequence[SessionLine]) -> list[str]:
    """Accounts that have sessions, "main" first."""
    return sorted({line.account for line in lines}, key=lambda name: (name != "main", name))


def wanted(line: SessionLine, mode: str, account: str) -> bool:
    """Whether a session passes both filters; "all" passes everything."""
    return mode in (ALL, line.mode) and account in (ALL, line.account)


def count_text(lines: Sequence[SessionLine], shown: int) -> str:
    """How many sessions there are, and what they hold on disk: "12 of 40 sessions, 310 MB"."""
    if not lines:
        return "No sessions yet"
    count = f"{len(lines):,}" if shown == len(lines) else f"{shown:,} of {len(lines):,}"
    tapes = sum(line.mb for line in lines)
    return f"{count} session{'' if len(lines) == 1 else 's'}, {number_text(tapes, 1)} MB of tapes"


def title_of(line: SessionLine, utc: bool) -> str:
    """What a session is called where one line has to do."""
    return f"{begun_text(line, utc)} \u00b7 {account_text(line)} \u00b7 {mode_text(line)}"


def chosen_text(lines: Sequence[SessionLine]) -> str:
    """What several chosen sessions earned together: "3 chosen: net +1.20, fees \u22123.00 USDT"."""
    nets = [value for line in lines if (value := money(line.net)) is not None]
    fees = [value for line in lines if (value := money(line.fees)) is not None]
    if len(lines) < 2:
        return ""
    return (
        f"{len(lines)} chosen: net {sign_text(sum(nets, Decimal()), 2)}, "
        f"fees {sign_text(sum(fees, Decimal()), 2)} USDT"
    )


# --- the report -----------------------------------------------------------------------------------


def report_study(document: Document) -> dict[str, Any]:
    """A session's document as sentences and tables."""
    return {
        "study": "session",
        "title": _title(document),
        "version": str(document.get("ran_version", "")) or "n/a",
        "sentences": _sentences(document),
        "tables": [
            _attribution(document),
            _trades(document),
            _refusals(document),
            _rejections(document),
            _settlements(document),
            _fills(document),
            _feeds(document),
        ],
        "charts": [],
    }


def _title(document: Document) -> str:
    mode = str(document.get("mode", ""))
    shown = "SIMULATED market" if mode == "simulated" else f"{mode} market, paper"
    archived = ", archived" if document.get("archive") else ""
    whose = f"{document.get('account', '')}{archived}"
    return f"Session {document.get('session', '')} \u00b7 {whose} \u00b7 {shown}"


def _sentences(document: Document) -> list[str]:
    equity = document.get("equity") or {}
    start, end, net = (money(equity.get(name)) for name in ("start", "end", "net"))
    pairs = _rows(document, "pairs")
    closed = sum(bool(row.get("closed_utc")) for row in pairs)
    said = [f"From {_utc(document.get('begun_utc'))} to {_utc(document.get('ended_utc'))} UTC."]
    if start is not None and end is not None and net is not None:
        said.append(
            f"Equity {number_text(start, 2)} \u2192 {number_text(end, 2)} USDT: net "
            f"{sign_text(net, 2)} USDT, after all costs."
        )
    still = len(pairs) - closed
    held = f", {still} held at its end" if still else ""
    said.append(
        f"{_counted(len(pairs), 'pair')} traded or held, {closed} closed{held}; "
        f"{_counted(len(_rows(document, 'refusals')), 'refusal')}, "
        f"{_counted(len(_rows(document, 'funding')), 'settlement')} of funding."
    )
    terms = _terms(document)
    costs = terms["fees"] + terms["slippage"] + terms["borrow"]
    gross = sum(terms.values(), Decimal()) - costs
    if gross > 0 and abs(costs) <= gross * SHARE_MAX:
        share = number_text(abs(costs) / gross * 100, 0)
        said.append(f"Fees, slippage and borrow took {share} % of what was earned before them.")
    elif gross >= CENT_HALF:
        said.append(
            f"Earned before costs: {number_text(gross, 2)} USDT; fees, slippage and borrow took "
            f"{number_text(abs(costs), 2)} USDT."
        )
    elif costs:
        said.append(
            f"Nothing was earned before costs ({sign_text(gross, 2)} USDT); costs were "
            f"{sign_text(costs, 2)} USDT."
        )
    if grades := Counter(str(row.get("grade", "")) for row in _rows(document, "fills")):
        parts = ", ".join(f"{grade or '?'} {grades[grade]}" for grade in sorted(grades))
        said.append(f"Realism of its fills by grade, A the best: {parts}.")
    return said


def _attribution(document: Document) -> dict[str, Any]:
    terms = _terms(document)
    total = sum(terms.values(), Decimal())
    cents = whole_cents(terms, total)
    rows: list[list[Any]] = [[NAMES[term], float(cents[term])] for term in TERMS]
    rows.append(["Sum: net of the session", float(sum(cents.values(), Decimal()))])
    net = money((document.get("equity") or {}).get("net"))
    if net is not None:
        left = net - total  # as the desk says it: what no term explains, 0.00 or a fault of ours
        rows.append(["Left over", round(float(left), 8) + 0.0])
    return _table(
        "Attribution of the session",
        ["term", _unit("amount", "USDT")],
        rows,
        "What moved in this session alone. The terms sum to the change in equity; cents are shown, "
        "exact amounts are on the page.",
    )


def _trades(document: Document) -> dict[str, Any]:
    rows = [
        [
            _whole(row.get("pair")),
            f"{_leg(row.get('long'))} / {_leg(row.get('short'))}",
            _number(row.get("qty")),
            _cent(row.get("total_usdt")),
            _utc(row.get("opened_utc")),
            CAUSES.get(str(row.get("open_reason")), str(row.get("open_reason") or "")),
            _utc(row.get("closed_utc")) if row.get("closed_utc") else str(row.get("valued", "")),
            _why(row.get("close_reason")),
            *(_cent(row.get(f"{term}_usdt")) for term in TERMS),
        ]
        for row in _rows(document, "pairs")
    ]
    heads = ["pair", "long / short", _unit("qty", "coins"), _unit("net", "USDT"), "opened UTC",
             "why", "closed UTC", "why closed"]  # fmt: skip
    money_heads = [_unit(NAMES[term], "USDT") for term in TERMS]
    note = "Each pair over its whole life, also where it began in an earlier session."
    return _table("Trades", [*heads, *money_heads], rows, note)


def _refusals(document: Document) -> dict[str, Any]:
    rows = [
        [_utc(row.get("time_utc")), str(row.get("limit", "")), str(row.get("text", ""))]
        for row in _rows(document, "refusals")
    ]
    return _table("Refusals", ["UTC", "limit", "what the desk said"], rows)


def _rejections(document: Document) -> dict[str, Any]:
    rows = [
        [_utc(row.get("time_utc")), _whole(row.get("pair")), str(row.get("leg", "")),
         str(row.get("limit", "")), str(row.get("text", ""))]
        for row in _rows(document, "rejections")
    ]  # fmt: skip
    return _table("Rejected legs", ["UTC", "pair", "leg", "limit", "what the venue said"], rows)


def _settlements(document: Document) -> dict[str, Any]:
    rows = []
    for row in _rows(document, "funding"):
        rate = money(row.get("rate"))
        rows.append([
            _utc(row.get("settled_utc")),
            _whole(row.get("pair")),
            _leg(row.get("instrument")),
            None if rate is None else round(float(rate * 100), 6),
            _number(row.get("mark")),
            _number(row.get("qty")),
            _cent(row.get("amount_usdt"), 4),
            "late" if row.get("late") else "",
        ])  # fmt: skip
    heads = ["settled UTC", "pair", "leg", _unit("rate", "%"), "mark", _unit("qty", "coins"),
             _unit("amount", "USDT"), "heard"]  # fmt: skip
    return _table("Settlements of funding", heads, rows, "An amount above zero was received.")


def _fills(document: Document) -> dict[str, Any]:
    rows = [
        [
            _utc(row.get("time_utc")), _whole(row.get("pair")), _leg(row.get("instrument")),
            str(row.get("side", "")), _number(row.get("qty")), _number(row.get("price")),
            _number(row.get("fee")), str(row.get("fee_currency", "")),
            str(row.get("liquidity", "")), str(row.get("grade", "")),
        ]
        for row in _rows(document, "fills")
    ]  # fmt: skip
    heads = ["UTC", "pair", "instrument", "side", "qty", "price", "fee", "in", "as", "grade"]
    return _table("Fills", heads, rows)


def _feeds(document: Document) -> dict[str, Any]:
    feeds = document.get("feeds") or {}
    known = [(name, feeds.get(key)) for name, key in FEED_LINES]
    rows: list[list[Any]] = [[name, count] for name, count in known if count is not None]
    reasons = feeds.get("bad_by_reason") or {}
    rows += [[f"bad: {reason}", count] for reason, count in sorted(reasons.items())]
    said = "" if rows else "Counters of the feeds were not kept for this session."
    return _table("Feeds", ["counter", "count"], rows, said)


FEED_LINES = (("Frames", "frames"), ("Bad frames", "bad_frames"), ("Gaps", "gaps"))


# --- small ones -----------------------------------------------------------------------------------


def _terms(document: Document) -> dict[str, Decimal]:
    rows = {str(row.get("term")): row.get("usdt") for row in _rows(document, "attribution")}
    return {term: money(rows.get(term)) or Decimal() for term in TERMS}


def _table(title: str, columns: list[Any], rows: list[list[Any]], note: str = "") -> dict[str, Any]:
    return {"title": title, "columns": columns, "rows": rows, "note": note}


def _unit(name: str, unit: str) -> dict[str, str]:
    return {"name": name, "unit": unit}


def _rows(document: Document, name: str) -> list[Mapping[str, Any]]:
    rows = document.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _utc(text: object) -> str:
    """A stamp of the document to the second, without the T and the Z."""
    return str(text or "")[:19].replace("T", " ") or NOTHING


def _leg(key: object) -> str:
    """Venue, market and symbol of an instrument's key, apart."""
    venue, *rest = str(key or "").split(":")
    return " ".join((venue_title(venue), *rest))


def _why(reason: object) -> str:
    """Why a pair was closed, as the desk says it."""
    return REASONS.get(str(reason), str(reason or NOTHING))


def _whole(text: object) -> int | str:
    return int(str(text)) if str(text).isdigit() else str(text or "")


def _number(text: object) -> float | None:
    value = money(text)
    return None if value is None else float(value)


def _cent(text: object, places: int = 2) -> float | None:
    value = money(text)
    return None if value is None else round(float(value), places) + 0.0


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
