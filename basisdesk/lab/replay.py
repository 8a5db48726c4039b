"""Tape to engine, headless and deterministic, and what came of it as one JSON object."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.engine import Engine, JournalPort, MemoryJournal
from basisdesk.errors import UserError
from basisdesk.events import (
    COMMAND,
    Command,
    Fill,
    Frame,
    FundingSettled,
    LegRejected,
    Liquidated,
    Outcome,
    PairOpened,
    PairReduced,
    Refused,
    RiskChanged,
    SessionStarted,
    Traded,
)
from basisdesk.lab.tape import TapeHeader
from basisdesk.trading.authors import reason_of
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import Instrument, Instruments

BATCH_FRAMES = 512
COMMANDS_VERSION = 1


def read_commands(path: Path) -> list[Frame]:
    """Commands of a file as frames, in time order.

    The first line is {"basisdesk_commands": 1}, each further line one Command with t_ns.
    Raises UserError naming the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise UserError(f"Cannot read commands {path}: {exc}.") from exc
    try:
        version = msgspec.json.decode(lines[0], type=dict[str, int])["basisdesk_commands"]
    except (IndexError, KeyError, msgspec.DecodeError, RecursionError) as exc:
        raise UserError(
            f'Commands {path}: the first line must be {{"basisdesk_commands": {COMMANDS_VERSION}}}.'
        ) from exc
    if version != COMMANDS_VERSION:
        raise UserError(f"Commands {path} have version {version}; this is {COMMANDS_VERSION}.")
    decoder = msgspec.json.Decoder(Command)
    frames = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            command = decoder.decode(line)
        except (msgspec.DecodeError, ArithmeticError, RecursionError) as exc:
            raise UserError(f"Commands {path} line {number}: {exc}.") from exc
        if command.t_ns <= 0:
            raise UserError(f"Commands {path} line {number}: t_ns is missing.")
        frames.append(Frame(COMMAND, line.encode(), command.t_ns))
    return sorted(frames, key=attrgetter("t_ns"))


def read_instruments(path: Path) -> Instruments:
    """Instruments of a JSON file: a list of objects with key, tick, lot, min_qty and so on.

    For tapes that hold no instrument description. Raises UserError.
    """
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])
        return Instruments("file", tuple(_instrument(row) for row in rows))
    except OSError as exc:
        raise UserError(f"Cannot read instruments {path}: {exc.strerror}.") from exc
    except (ValueError, KeyError, RecursionError) as exc:  # msgspec's errors are ValueErrors
        raise UserError(
            f"Instruments {path}: {exc}. Expected a list of objects with at least key, base, "
            "quote, tick, lot."
        ) from exc


def _instrument(row: dict[str, Any]) -> Instrument:
    venue, market, symbol = str(row["key"]).split(":")
    lot = row["lot"]
    filled = {
        "venue": venue,
        "market": market,
        "symbol": symbol,
        "min_qty": lot,
        "min_notional": "0",
        "max_qty": "1e12",
        "leverage_max": "5" if market == "perp" else "1",
        "source": "instruments file",
    } | row
    return msgspec.convert(filled, Instrument, strict=False)


def with_commands(frames: Iterable[Frame], commands: Sequence[Frame]) -> Iterator[Frame]:
    """Commands merged in: each after the frames of its own time, before any later one."""
    return heapq.merge(frames, commands, key=attrgetter("t_ns"))


def fresh_engine(settings: Settings, journal: JournalPort | None, speed: float = 1.0) -> Engine:
    """An engine for a headless run: the report needs every outcome, not the window's last ones."""
    engine = Engine(settings, known_venues(), journal or MemoryJournal(), speed)
    engine.outcomes = deque()
    return engine


def open_session(engine: Engine, header: TapeHeader) -> SessionStarted:
    """Fund a fresh account at the tape's own time. The session has no name: a digest needs none."""
    started = SessionStarted(
        ts_ns=header.created_ns if header.source != "import" else 0,
        session="replay",
        source="replay",
        version="",
        currency=engine.settings.account.currency,
        start=exact(engine.settings.account.start),
    )
    engine.start_session(started)
    return started


def run(engine: Engine, frames: Iterable[Frame]) -> int:
    """Walk all frames through the engine. Returns how many there were."""
    count = 0
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) >= BATCH_FRAMES:
            count += len(batch)
            engine.advance(batch)
            batch.clear()
    engine.advance(batch)
    return count + len(batch)


# --- the report ----------------------------------------------------------------------------------


def report(engine: Engine, start_equity: Decimal, frames: int) -> dict[str, Any]:
    """The `replay --json` object. Money and quantities are strings, exact."""
    outcomes = list(engine.outcomes)
    of_pair = by_pair(outcomes)
    market = engine.market
    return {
        "frames": frames,
        "events": market.events,
        "bad_frames": market.bad_frames,
        "gaps": market.gaps,
        "bad_by_reason": dict(market.bad_by_reason),
        "pairs": [pair_row(engine, number, of_pair[number]) for number in sorted(of_pair)],
        "refusals": [_refusal_row(o) for o in outcomes if isinstance(o, Refused)],
        "settlements": [_settlement_row(o) for o in outcomes if isinstance(o, FundingSettled)],
        "liquidations": [_liquidation_row(o) for o in outcomes if isinstance(o, Liquidated)],
        "rejections": [_rejection_row(o) for o in outcomes if isinstance(o, LegRejected)],
        "risk": [_risk_row(o) for o in outcomes if isinstance(o, RiskChanged)],
        "equity": {"start": text(start_equity), "end": text(engine.funds().equity)},
        "ledger_digest": engine.books.digest(),
    }


def by_pair(outcomes: Iterable[Outcome]) -> dict[int, list[Outcome]]:
    """The outcomes of each pair that was opened, in order; what came before its opening is out."""
    groups: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        number = getattr(outcome, "pair", None)
        if isinstance(outcome, PairOpened) or number in groups:
            groups.setdefault(outcome.pair, []).append(outcome)  # type: ignore[union-attr]
    return groups


def fills_of(outcome: Outcome) -> tuple[Fill, ...]:
    """The fills of one outcome, none where it traded nothing."""
    return outcome.fills if isinstance(outcome, Traded) else ()


def pair_row(engine: Engine, number: int, mine: Sequence[Outcome]) -> dict[str, Any]:
    """One pair of the report, from its outcomes, the opening first."""
    opened = next(o for o in mine if isinstance(o, PairOpened))
    leaving = [o for o in mine if isinstance(o, PairReduced | Liquidated)]
    closed = next((o for o in leaving if o.closed), None)
    closer = closed.by if isinstance(closed, PairReduced) else ""
    fills = [fill for o in mine for fill in fills_of(o)]
    attribution = engine.attribution(number)
    terms = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")
    return {
        "pair": number,
        "long": opened.long,
        "short": opened.short,
        "qty": text(opened.qty),
        "opened_ns": opened.ts_ns,
        "closed_ns": closed.ts_ns if closed else None,
        "open_reason": reason_of(opened.by) or opened.reason,
        "opened_by": opened.by,
        "close_reason": (reason_of(closer) or _why(closed)) if closed else None,
        "close_by": closer,
        "fills": [fill_row(fill) for fill in fills],
        "attribution": {term: text(getattr(attribution, term)) for term in terms},
    }


def _why(closed: PairReduced | Liquidated) -> str:
    return closed.reason if isinstance(closed, PairReduced) else closed.cause


def fill_row(fill: Fill) -> dict[str, Any]:
    """One fill, money as text."""
    return {
        "ts_ns": fill.ts_ns,
        "leg": fill.leg,
        "instrument": fill.instrument,
        "side": fill.side,
        "qty": text(fill.qty),
        "price": text(fill.price),
        "fee": text(fill.fee),
        "fee_currency": fill.fee_currency,
        "liquidity": fill.liquidity,
        "grade": fill.grade,
        "grade_reason": fill.grade_reason,
    }


def _refusal_row(refused: Refused) -> dict[str, Any]:
    return {
        "ts_ns": refused.ts_ns,
        "limit": refused.limit,
        "asked": refused.asked,
        "allowed": refused.allowed,
        "text": refused.text,
    }


def _settlement_row(settled: FundingSettled) -> dict[str, Any]:
    return {
        "ts_ns": settled.ts_ns,
        "pair": settled.pair,
        "instrument": settled.instrument,
        "settle_ms": settled.settle_ms,
        "rate": text(settled.rate),
        "mark": text(settled.mark),
        "qty": text(settled.qty),
        "amount": text(settled.amount),
        "late": settled.late,
        "source": settled.source,
    }


def _liquidation_row(event: Liquidated) -> dict[str, Any]:
    return {
        "ts_ns": event.ts_ns,
        "pair": event.pair,
        "instrument": event.instrument,
        "mark": text(event.mark),
        "liq_price": text(event.liq_price),
        "fills": [fill_row(fill) for fill in event.fills],
    }


def _rejection_row(rejected: LegRejected) -> dict[str, Any]:
    return {
        "ts_ns": rejected.ts_ns,
        "pair": rejected.pair,
        "leg": rejected.leg,
        "instrument": rejected.instrument,
        "limit": rejected.limit,
        "text": rejected.text,
    }


def _risk_row(change: RiskChanged) -> dict[str, Any]:
    return {
        "ts_ns": change.ts_ns,
        "state": change.state,
        "cause": change.cause,
        "reason": change.reason,
        "resume": change.resume,
    }


def text(amount: Decimal) -> str:
    """A Decimal as plain exact text: no exponent, no trailing zeros beyond the point."""
    plain = f"{amount:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain
