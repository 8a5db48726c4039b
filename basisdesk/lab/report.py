"""A session on paper: CSV files, one JSON file and one self-contained HTML page.

Everything is read from the journal's entries; the engine is asked only for the value of pairs that
are still open. Text from outside is escaped for HTML and defused for spreadsheets.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from basisdesk import __version__
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.errors import UserError
from basisdesk.events import (
    FundingSettled,
    LegRejected,
    Outcome,
    PairOpened,
    PlanChanged,
    Refused,
    SessionStarted,
)
from basisdesk.lab.decisions import decisions_beside
from basisdesk.lab.replay import by_pair, fills_of, fresh_engine, pair_row, text
from basisdesk.lab.report_page import html_page
from basisdesk.lab.signals import signals_beside, signals_table
from basisdesk.lab.stamp import utc_text
from basisdesk.ledger.check import journal_entries
from basisdesk.ledger.posting import Transaction
from basisdesk.ledger.valuation import Worth
from basisdesk.trading.sentences import describe
from basisdesk.venues.instrument import split_key

SCHEMA_VERSION = 1
Entry = tuple[int, Outcome, Sequence[Transaction]]

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")


def safe_cell(value: object) -> str:
    """A CSV cell no spreadsheet takes for a formula; plain numbers stay numbers."""
    cell = "" if value is None else str(value)
    start = cell.lstrip()[:1] or cell[:1]
    if (start in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r", "\n", "\0")) and not (
        _NUMBER.fullmatch(cell)
    ):
        return "'" + cell
    return cell


class SaveJob(msgspec.Struct, frozen=True):
    """Everything a thread needs to save a running desk's log: nothing it shares is touched.

    mids: what open pairs are valued at. feeds: counters of the market, for the JSON file. signals:
    parts of the forecast's signal journal, oldest first.
    """

    journal: Path
    folder: Path
    settings: Settings
    mids: dict[str, Worth]
    feeds: dict[str, Any]
    signals: tuple[Path, ...] = ()


def save_session(job: SaveJob) -> list[Path]:
    """Write the log of a desk from its journal, in any thread. Raises UserError."""
    entries = journal_entries(job.journal)
    engine = fresh_engine(job.settings, None)
    engine.restore(entries)
    engine.value_at(job.mids)
    more = {"signals": signals_table(job.signals)} if job.signals else {}
    more |= decisions_beside(job.journal.parent)
    return write_report(job.folder, entries, engine, job.feeds, more)


def tables_beside(journal: Path) -> dict[str, list[list[str]]]:
    """What lies beside a journal in its profile: signals, and what the autopilot decided.

    A table is there where its file is. Raises UserError where one cannot be read.
    """
    signals = signals_beside(journal.parent)
    found = {"signals": signals} if len(signals) > 1 else {}
    return found | decisions_beside(journal.parent)


def feed_counters(engine: Engine) -> dict[str, Any]:
    """What the market counted: frames, bad frames by reason, gaps."""
    market = engine.market
    return {
        "frames": market.frames,
        "bad_frames": market.bad_frames,
        "gaps": market.gaps,
        "bad_by_reason": dict(market.bad_by_reason),
    }


def write_report(
    folder: Path,
    entries: Iterable[Entry],
    engine: Engine,
    feeds: dict[str, Any] | None = None,
    more: dict[str, list[list[str]]] | None = None,
) -> list[Path]:
    """Write all files of a session into `folder`, which must not hold an earlier report.

    more: tables beside those of the journal. Returns the paths. Raises UserError with one sentence
    when the folder cannot be written.
    """
    rows = list(entries)
    tables = session_tables(rows, engine) | (more or {})
    document = session_document(rows, engine, tables)
    document["feeds"] = feeds or document["feeds"]
    return write_document(folder, document, tables)


def write_document(
    folder: Path, document: dict[str, Any], tables: dict[str, list[list[str]]]
) -> list[Path]:
    """Write a session's document and tables as `write_report` does. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any((folder / name).exists() for name in ("session.json", "report.html")):
            raise UserError(f"{folder} holds a session log already. Choose another folder.")
        paths = [_write_csv(folder / f"{name}.csv", table) for name, table in tables.items()]
        json_path = folder / "session.json"
        json_path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1))
        page = folder / "report.html"
        page.write_text(html_page(document, tables), "utf-8")
    except OSError as exc:
        raise UserError(f"Cannot write the session log to {folder}: {exc.strerror}.") from exc
    return [*paths, json_path, page]


# --- tables: name -> list of rows, the first row the header ---------------------------------------


def session_tables(entries: Sequence[Entry], engine: Engine) -> dict[str, list[list[str]]]:
    """A table each of pairs, plans, fills, funding and so on; first row the head."""
    return {
        "pairs": _pairs_table(entries, engine),
        "plans": _plans_table(entries),
        "fills": _fills_table(entries),
        "funding": _funding_table(entries),
        "postings": _postings_table(entries),
        "refusals": _refusals_table(entries),
        "rejections": _rejections_table(entries),
    }


def _pairs_table(entries: Sequence[Entry], engine: Engine) -> list[list[str]]:
    head = ["pair", "long", "short", "qty", "opened_utc", "closed_utc", "valued"]
    head += ["open_reason", "opened_by", "close_reason", "close_by"]
    table = [[*head, *(f"{term}_usdt" for term in _TERMS)]]
    of_pair = by_pair(outcome for _, outcome, _ in entries)
    for number in sorted(of_pair):
        row = pair_row(engine, number, of_pair[number])
        table.append(
            [
                str(number),
                row["long"],
                row["short"],
                row["qty"],
                utc_text(row["opened_ns"]),
                utc_text(row["closed_ns"]) if row["closed_ns"] else "",
                _valued(row, engine),
                row["open_reason"],
                row["opened_by"],
                row["close_reason"] or "",
                row["close_by"],
                *(row["attribution"][term] for term in _TERMS),
            ]
        )
    return table


def _valued(row: dict[str, Any], engine: Engine) -> str:
    """By which prices the result of a pair was worked out."""
    if row["closed_ns"]:
        return "closed"
    known = engine.worths()
    here = row["long"] in known and row["short"] in known
    return "open, at mids" if here else "open, at the prices last booked"


def _plans_table(entries: Sequence[Entry]) -> list[list[str]]:
    """How each pair was entered and left, bp at its average fills, and the plan that held last."""
    plan_heads = ["target_bp", "stop_bp", "net_target_usdt", "max_hold_h", "funding_bp", "sector"]
    table = [["pair", "leverage", "entry_basis_bp", "exit_basis_bp", *plan_heads]]
    of_pair = by_pair(outcome for _, outcome, _ in entries)
    for number, mine in sorted(of_pair.items()):
        opened = next(each for each in mine if isinstance(each, PairOpened))
        plan = [each.plan for each in mine if isinstance(each, PairOpened | PlanChanged)][-1]
        lines = (plan.target_bp, plan.stop_bp, plan.net_target, plan.max_hold_h, plan.funding_bp)
        table.append(
            [
                str(number),
                text(opened.leverage),
                _basis_bp(opened, mine, entry=True),
                _basis_bp(opened, mine, entry=False),
                *("" if line is None or not line.is_finite() else text(line) for line in lines),
                "yes" if plan.sector else "",
            ]
        )
    return table


def _basis_bp(opened: PairOpened, mine: Sequence[Outcome], *, entry: bool) -> str:
    """Basis at the average fills of one way, account currency, bp; "" while a leg has none."""
    worth = {}
    for leg, side in (("long", "buy"), ("short", "sell")):
        way = side if entry else {"buy": "sell", "sell": "buy"}[side]
        fills = [f for each in mine for f in fills_of(each) if (f.leg, f.side) == (leg, way)]
        qty = sum((f.qty for f in fills), Decimal())
        if not qty:
            return ""
        worth[leg] = sum((f.qty * f.price * f.fx for f in fills), Decimal()) / qty
    reverse = split_key(opened.short)[1] == "spot" and split_key(opened.long)[1] == "perp"
    spot, perp = (worth["short"], worth["long"]) if reverse else (worth["long"], worth["short"])
    return f"{(perp - spot) / spot * 10_000:.2f}" if spot else ""


def _fills_table(entries: Sequence[Entry]) -> list[list[str]]:
    table = [
        [
            "time_utc",
            "pair",
            "leg",
            "instrument",
            "side",
            "qty",
            "price",
            "fee",
            "fee_currency",
            "dust",
            "liquidity",
            "grade",
            "grade_reason",
        ]
    ]
    for _, outcome, _ in entries:
        table += [
            [
                utc_text(fill.ts_ns),
                str(getattr(outcome, "pair", "")),
                fill.leg,
                fill.instrument,
                fill.side,
                text(fill.qty),
                text(fill.price),
                text(fill.fee),
                fill.fee_currency,
                text(fill.dust),
                fill.liquidity,
                fill.grade,
                fill.grade_reason,
            ]
            for fill in fills_of(outcome)
        ]
    return table


def _funding_table(entries: Sequence[Entry]) -> list[list[str]]:
    table = [
        [
            "booked_utc",
            "settled_utc",
            "pair",
            "instrument",
            "rate",
            "mark",
            "qty",
            "amount_usdt",
            "late",
            "source",
        ]
    ]
    for _, outcome, _ in entries:
        if isinstance(outcome, FundingSettled):
            table.append(
                [
                    utc_text(outcome.ts_ns),
                    utc_text(outcome.settle_ms * 1_000_000),
                    str(outcome.pair),
                    outcome.instrument,
                    text(outcome.rate),
                    text(outcome.mark),
                    text(outcome.qty),
                    text(outcome.amount),
                    "late" if outcome.late else "",
                    outcome.source,
                ]
            )
    return table


def _postings_table(entries: Sequence[Entry]) -> list[list[str]]:
    table = [["entry", "time_utc", "cause", "account", "currency", "amount"]]
    for seq, _, txns in entries:
        for txn in txns:
            table += [
                [str(seq), utc_text(txn.ts_ns), txn.cause, p.account, p.currency, text(p.amount)]
                for p in txn.postings
            ]
    return table


def _refusals_table(entries: Sequence[Entry]) -> list[list[str]]:
    table = [["time_utc", "limit", "asked", "allowed", "text"]]
    for _, outcome, _ in entries:
        if isinstance(outcome, Refused):
            o = outcome
            table.append([utc_text(o.ts_ns), o.limit, o.asked, o.allowed, o.text])
    return table


def _rejections_table(entries: Sequence[Entry]) -> list[list[str]]:
    table = [["time_utc", "pair", "leg", "instrument", "limit", "text"]]
    for _, outcome, _ in entries:
        if isinstance(outcome, LegRejected):
            o = outcome
            table.append([utc_text(o.ts_ns), str(o.pair), o.leg, o.instrument, o.limit, o.text])
    return table


def _write_csv(path: Path, table: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([safe_cell(cell) for cell in row] for row in table)
    return path


# --- the JSON document and the page ---------------------------------------------------------------


def session_document(
    entries: Sequence[Entry], engine: Engine, tables: dict[str, list[list[str]]]
) -> dict[str, Any]:
    """The JSON file: what ran, on what data, with which settings, and every table as objects."""
    sessions = [outcome for _, outcome, _ in entries if isinstance(outcome, SessionStarted)]
    funds = engine.funds()
    return {
        "basisdesk_session": SCHEMA_VERSION,
        "version": __version__,
        "sessions": [
            {"session": s.session, "utc": utc_text(s.ts_ns), "source": s.source} for s in sessions
        ],
        "settings": sessions[-1].settings if sessions else "",
        "equity": {
            "start": text(sessions[0].start) if sessions else "0",
            "end": text(funds.equity),
            "free": text(funds.free),
        },
        "feeds": feed_counters(engine),
        "ledger_digest": engine.books.digest(),
        "log": [
            {"utc": utc_text(outcome.ts_ns), "entry": seq, "text": describe(outcome)}
            for seq, outcome, _ in entries
        ],
        **{
            name: [dict(zip(rows[0], r, strict=True)) for r in rows[1:]]
            for name, rows in tables.items()
        },
    }
