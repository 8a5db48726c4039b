"""The log of one past session, cut out of a journal that may hold others: document and files.

The tables are those of the session log. Pairs are those that were touched or held in the session,
each over its whole life; the attribution is what moved in the session alone, and sums to what it
earned. Feed counters are no part of a journal: they are there where the desk kept them at its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.errors import JournalError, UserError
from basisdesk.events import SessionStarted
from basisdesk.lab.decisions import decisions_beside
from basisdesk.lab.library import (
    JOURNAL_BYTES_MAX,
    TERMS,
    Entry,
    Place,
    Session,
    Sums,
    summed,
)
from basisdesk.lab.library_marks import write_private
from basisdesk.lab.replay import fresh_engine, text
from basisdesk.lab.report import session_document, session_tables, write_document
from basisdesk.lab.signals import signals_beside
from basisdesk.lab.stamp import utc_text
from basisdesk.ledger.books import Books
from basisdesk.ledger.check import journal_entries
from basisdesk.ledger.valuation import Worth

FEEDS = "sessions"  # folder of feed counters beside a journal, a file a session
FEEDS_VERSION = 1
FEEDS_BYTES_MAX = 256 * 1024
NOT_KEPT: dict[str, Any] = {"frames": None, "bad_frames": None, "gaps": None, "bad_by_reason": {}}

Tables = dict[str, list[list[str]]]


class Now(NamedTuple):
    """What only the running desk knows of its own session: prices, and counters of the feeds."""

    mids: Mapping[str, Worth]
    feeds: Mapping[str, Any]


class Log(NamedTuple):
    """A session's log: the JSON document, and its tables by name, header first."""

    document: dict[str, Any]
    tables: Tables


def session_log(session: Session, settings: Settings, now: Now | None = None) -> Log:
    """The log of one session of a journal. now: of the session that runs.

    Raises JournalError where the journal is gone, damaged or too large, and UserError where the
    session is not in it any more.
    """
    place = session.place
    if not session.session:
        raise JournalError(session.status)
    entries = _entries(place)
    begin, end = _cut(entries, session.session)
    engine = fresh_engine(settings, None)
    engine.restore(entries[:end])
    if now is not None:
        engine.value_at(now.mids)
    before = _before(entries[:begin])
    mine = entries[begin:end]
    tables = _tables(entries[:end], mine, before, engine)
    terms = _terms(engine, before)
    tables = {"attribution": _attribution(terms), **tables}
    document = session_document(mine, engine, tables)
    begun = mine[0][1]
    start = engine.funds().equity - terms["total"]
    document |= {
        "session": session.session,
        "account": place.account,
        "mode": place.mode,
        "archive": place.archived,
        "begun_utc": utc_text(session.begun_ns),
        "ended_utc": utc_text(session.ended_ns),
        "ran_version": begun.version if isinstance(begun, SessionStarted) else "",
        "equity": document["equity"] | {"start": text(start), "net": text(terms["total"])},
        "feeds": dict(now.feeds) if now is not None else kept_feeds(place.folder, session.session),
    }
    return Log(document, tables)


def export_log(session: Session, settings: Settings, folder: Path, now: Now | None = None) -> Path:
    """Write a session's log into a new folder inside `folder`; gives it. Raises UserError."""
    log = session_log(session, settings, now)
    tables = log.tables | _beside(session)
    document = log.document | {
        name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        for name, rows in tables.items()
        if name not in log.tables
    }
    target = folder / f"basisdesk-{session.session}"
    count = 1
    while target.exists():
        count += 1
        target = folder / f"basisdesk-{session.session}-{count}"
    write_document(target, document, tables)
    return target


def keep_feeds(folder: Path, session: str, feeds: Mapping[str, Any]) -> None:
    """Keep a session's feed counters beside its journal: a report of later days shows them.

    folder: of the account and mode. Raises OSError where the disk refuses.
    """
    target = folder / FEEDS / f"{session}.json"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    body = {"version": FEEDS_VERSION, "feeds": dict(feeds)}
    write_private(target, msgspec.json.encode(body))


def kept_feeds(folder: Path, session: str) -> dict[str, Any]:
    """A session's feed counters; every one None where none were kept."""
    path = folder / FEEDS / f"{session}.json"
    try:
        if path.stat().st_size > FEEDS_BYTES_MAX:
            return dict(NOT_KEPT)
        read = msgspec.json.decode(path.read_bytes())["feeds"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # msgspec's are ValueErrors
        return dict(NOT_KEPT)
    if not isinstance(read, dict):
        return dict(NOT_KEPT)
    whole = {
        name: read[name] if isinstance(read.get(name), int) else None
        for name in ("frames", "bad_frames", "gaps")
    }
    reasons = read.get("bad_by_reason")
    return whole | {"bad_by_reason": reasons if isinstance(reasons, dict) else {}}


# --- cutting --------------------------------------------------------------------------------------


def _entries(place: Place) -> list[Entry]:
    try:
        size = place.journal.stat().st_size
    except OSError as exc:
        raise JournalError(f"Cannot read {place.journal}: {exc.strerror}.") from exc
    if size > JOURNAL_BYTES_MAX:
        raise JournalError(
            f"The journal {place.journal} is larger than {JOURNAL_BYTES_MAX // 1024 // 1024} MB. "
            "Use `basisdesk report` for all of it."
        )
    return list(journal_entries(place.journal))


def _cut(entries: Sequence[Entry], name: str) -> tuple[int, int]:
    """Where a session begins among the entries, and where the next one does."""
    starts = [at for at, (_, o, _) in enumerate(entries) if isinstance(o, SessionStarted)]
    for place, at in enumerate(starts):
        begun = entries[at][1]
        if isinstance(begun, SessionStarted) and begun.session == name:
            return at, starts[place + 1] if place + 1 < len(starts) else len(entries)
    raise UserError("This session is not in its journal any more. Look again (F5).")


def _before(entries: Iterable[Entry]) -> Books:
    """The books as a session found them."""
    books = Books()
    for _, outcome, txns in entries:
        books.apply(outcome, txns)
    return books


def _terms(engine: Engine, before: Books) -> dict[str, Decimal]:
    """What each term moved between the books before and the engine now."""
    sums = Sums(before)
    for pair in before.pairs:
        sums.touch(pair)
    then = sums.now()
    now = summed(engine.attribution(pair) for pair in engine.books.pairs)
    return {term: now[term] - then[term] for term in TERMS}


def _tables(
    so_far: Sequence[Entry], mine: Sequence[Entry], before: Books, engine: Engine
) -> Tables:
    """The tables of the session's own entries, but whole pairs where one began earlier."""
    here = {getattr(outcome, "pair", None) for _, outcome, _ in mine} | set(before.open_pairs)
    of_pairs = [entry for entry in so_far if getattr(entry[1], "pair", None) in here - {None}]
    whole = session_tables(of_pairs, engine)
    return session_tables(mine, engine) | {name: whole[name] for name in ("pairs", "plans")}


def _attribution(terms: Mapping[str, Decimal]) -> list[list[str]]:
    """What moved in the session by term; the last row is their sum."""
    return [["term", "usdt"], *([term, text(terms[term])] for term in TERMS)]


def _beside(session: Session) -> Tables:
    """Signals and the autopilot's notes of the session's own time."""
    folder = session.place.folder
    found = {"signals": signals_beside(folder)} | decisions_beside(folder)
    begun, ended = utc_text(session.begun_ns), utc_text(session.ended_ns)
    cut = {
        name: [rows[0], *(row for row in rows[1:] if begun <= row[0] <= ended)]
        for name, rows in found.items()
    }
    return {name: rows for name, rows in cut.items() if len(rows) > 1}
