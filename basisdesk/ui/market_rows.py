"""State to rows: funding of each perpetual, and the health of each stream and connection. No Qt."""

import math
from dataclasses import dataclass, field

from basisdesk.engine import Engine
from basisdesk.events import FundingSettled, Outcome
from basisdesk.market.funding import FundingClock, annualised_pct
from basisdesk.market.state import LinkState, Stream
from basisdesk.ui.context import Status
from basisdesk.ui.figures import (
    NOTHING,
    age_text,
    countdown_text,
    number_text,
    places_of,
    sign_text,
    size_text,
)
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.rows import base_of, meaning_of, sign_of
from basisdesk.ui.times import clock_text, date_text
from basisdesk.venues.instrument import split_key

NAN = math.nan
PAYMENTS_MAX = 2_000
SETTLED_SHOWN = 60  # settlements of one perpetual
RATE_TAU_S = 3.0  # over which messages a second are averaged


# --- funding --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FundingRow:
    """One perpetual's funding: as it floats, on one scale, and when it is paid."""

    key: str
    name: str
    rate: str
    interval: str
    per_8h: str
    per_year: str
    left: str
    velocity: str
    settled: str
    cap: str
    held: str
    sign: int
    rate_value: float = field(default=NAN, compare=False)
    per_8h_value: float = field(default=NAN, compare=False)
    left_s: float = field(default=NAN, compare=False)
    velocity_value: float = field(default=NAN, compare=False)
    settled_value: float = field(default=NAN, compare=False)


def funding_rows(engine: Engine) -> list[FundingRow]:
    """One row a perpetual that the market knows, by name."""
    held = _held(engine)
    rows = []
    for key, leg in sorted(engine.market.legs.items()):
        if split_key(key)[1] == "perp":
            rows.append(_funding_row(key, leg.funding, engine, held.get(key, 0.0)))
    return rows


def _funding_row(key: str, clock: FundingClock, engine: Engine, held: float) -> FundingRow:
    hours = clock.interval_h
    per_8h = clock.rate * 8 / hours if hours > 0 else NAN
    left_s = clock.seconds_left(engine.now_ns // 1_000_000)
    settled = clock.last_settled
    return FundingRow(
        key=key,
        name=leg_name(key),
        rate=percent(clock.rate),
        interval=f"{number_text(hours, 0)} h" if hours > 0 else NOTHING,
        per_8h=percent(per_8h),
        per_year=f"{sign_text(annualised_pct(clock.rate, hours), 1)} %",
        left=countdown_text(left_s),
        velocity=sign_text(clock.velocity_bp_h, 2),
        settled=percent(settled),
        cap=f"\u00b1{number_text(clock.cap * 100, 2)} %" if clock.cap > 0 else NOTHING,
        held=f"{size_text(held)} {base_of(key, engine)}" if held else "none",
        sign=0 if math.isnan(clock.rate) else (clock.rate > 0) - (clock.rate < 0),
        rate_value=clock.rate,
        per_8h_value=per_8h,
        left_s=left_s,
        velocity_value=clock.velocity_bp_h,
        settled_value=settled,
    )


def _held(engine: Engine) -> dict[str, float]:
    held: dict[str, float] = {}
    for position in engine.desk.pairs.values():
        for leg in position.perps:
            held[leg.instrument] = held.get(leg.instrument, 0.0) + float(leg.qty)
    return held


def percent(rate: float) -> str:
    """A fraction as a signed percentage with four decimals: "+0.0184 %"."""
    text = sign_text(rate * 100, 4)
    return text if text == NOTHING else f"{text} %"


@dataclass(frozen=True, slots=True)
class SettledRow:
    """One published settlement of a perpetual."""

    key: int
    time: str
    rate: str
    per_year: str
    sign: int


def settled_rows(clock: FundingClock, utc: bool) -> list[SettledRow]:
    """The newest published settlements, newest first."""
    return [
        SettledRow(
            at_ms,
            date_text(at_ms * 1_000_000, utc),
            percent(rate),
            f"{sign_text(annualised_pct(rate, clock.interval_h), 1)} %",
            (rate > 0) - (rate < 0),
        )
        for at_ms, rate in reversed(clock.settled[-SETTLED_SHOWN:])
    ]


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One funding payment of one pair, as booked."""

    key: tuple[int, str, int]
    time: str
    pair: int
    leg: str
    rate: str
    mark: str
    qty: str
    amount: str
    late: str
    sign: int
    detail: str
    settle_ms: int = 0
    amount_value: float = NAN
    rate_value: float = NAN


def payment_rows(outcomes: "list[Outcome]", engine: Engine, utc: bool) -> list[PaymentRow]:
    """Payments received and paid, newest first, at most PAYMENTS_MAX."""
    rows = []
    for outcome in reversed(outcomes):
        if not isinstance(outcome, FundingSettled):
            continue
        rule = engine.market.instruments.get(outcome.instrument)
        places = places_of(rule.tick if rule is not None else None, 6)
        rows.append(
            PaymentRow(
                key=(outcome.pair, outcome.instrument, outcome.settle_ms),
                time=date_text(outcome.settle_ms * 1_000_000, utc),
                pair=outcome.pair,
                leg=leg_name(outcome.instrument),
                rate=percent(float(outcome.rate)),
                mark=number_text(outcome.mark, places),
                qty=size_text(outcome.qty),
                amount=sign_text(outcome.amount, 4),
                late="late" if outcome.late else "",
                sign=sign_of(outcome.amount * 100),
                detail=f"Rate from {outcome.source}; booked {clock_text(outcome.ts_ns, utc)}.",
                settle_ms=outcome.settle_ms,
                amount_value=float(outcome.amount),
                rate_value=float(outcome.rate),
            )
        )
        if len(rows) >= PAYMENTS_MAX:
            break
    return rows


# --- feeds ----------------------------------------------------------------------------------------

# state -> (shape, colour token, sentence)
STATES: dict[str, tuple[str, str, str]] = {
    "live": ("\u25cf", "gain", "Messages arrive."),
    "up": ("\u25cf", "gain", "The connection is up."),
    "acked": ("\u25d0", "accent", "Subscribed; waiting for the first message."),
    "connecting": ("\u25cb", "accent", "Connecting or subscribing."),
    "stale": ("\u25b2", "warn", "Silent for too long; nothing of it is used for a trade."),
    "resync": ("\u25b2", "warn", "Messages were lost; a fresh start was asked for."),
    "overflow": ("\u25b2", "warn", "Too many messages at once; some were dropped on purpose."),
    "idle": ("\u25cb", "muted", "No leg that is watched needs it; it connects when one does."),
    "down": ("\u25a0", "loss", "No connection, or the venue refused the topic."),
}


def state_cell(state: str) -> tuple[str, str, str]:
    """(text with its shape, colour token, tooltip) of a stream's or a connection's state."""
    shape, token, said = STATES.get(state, ("\u25cb", "muted", "Not asked for yet."))
    return f"{shape} {state or 'idle'}", token, said


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One topic on one connection."""

    key: str
    conn: str
    topic: str
    state: str
    state_word: str
    age: str
    rate: str
    latency: str
    gaps: str
    resyncs: str
    bad: str
    bad_detail: str
    error: str
    old: bool
    age_ms: float = field(default=NAN, compare=False)
    rate_value: float = field(default=NAN, compare=False)
    latency_ms: float = field(default=NAN, compare=False)
    gaps_value: int = field(default=0, compare=False)
    resyncs_value: int = field(default=0, compare=False)
    bad_value: int = field(default=0, compare=False)


class RateMeter:
    """Messages a second of each stream, smoothed; fed with running counts."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}  # id -> (t_ns, count, rate)

    def rate(self, name: str, count: int, now_ns: int) -> float:
        """Messages a second; NaN until a second has passed. Measures at most once a second."""
        t_ns, before, rate = self._seen.get(name, (now_ns, count, NAN))
        if name not in self._seen:
            self._seen[name] = (now_ns, count, NAN)
            return NAN
        passed_s = (now_ns - t_ns) / 1e9
        if passed_s < 1.0:
            return rate
        fresh = max(0, count - before) / passed_s
        share = 1.0 if math.isnan(rate) else 1.0 - math.exp(-passed_s / RATE_TAU_S)
        rate = fresh if math.isnan(rate) else rate + share * (fresh - rate)
        self._seen[name] = (now_ns, count, rate)
        return rate


def stream_rows(engine: Engine, meter: RateMeter) -> list[StreamRow]:
    """One row a stream, by connection and topic."""
    now_ns = engine.now_ns
    return [
        _stream_row(stream, meter.rate(stream.id, stream.frames, now_ns), now_ns)
        for _, stream in sorted(engine.market.streams.items())
    ]


def _stream_row(stream: Stream, rate: float, now_ns: int) -> StreamRow:
    age_ms = (now_ns - stream.heard_ns) / 1e6 if stream.heard_ns else NAN
    median, worst = delay_ms(stream)
    by_reason = ", ".join(f"{why} {count:,}" for why, count in sorted(stream.bad_by_reason.items()))
    latency = NOTHING
    if not math.isnan(median):
        latency = f"{number_text(median, 0)} / {number_text(worst, 0)}"
    return StreamRow(
        key=stream.id,
        conn=stream.conn,
        topic=stream.topic,
        state=state_cell(stream.state)[0],
        state_word=stream.state,
        age=age_text(age_ms),
        rate=number_text(rate, 1),
        latency=latency,
        gaps=f"{stream.gaps:,}",
        resyncs=f"{stream.resyncs:,}",
        bad=f"{stream.bad:,}",
        bad_detail=f"Unreadable messages by reason: {by_reason}." if by_reason else "",
        error=stream.last_error,
        old=stream.state not in ("live", "acked", "connecting"),
        age_ms=age_ms,
        rate_value=rate,
        latency_ms=median,
        gaps_value=stream.gaps,
        resyncs_value=stream.resyncs,
        bad_value=stream.bad,
    )


def delay_ms(stream: Stream) -> tuple[float, float]:
    """(median, 99th percentile) of the delay over the connection's best, ms; NaN if unknown.

    The best lag holds the difference of the two clocks, so what is left is way and waiting alone.
    """
    best = stream.link.best_lag_ms()
    if math.isnan(best):
        return NAN, NAN
    median, worst = stream.latency_ms()
    if math.isnan(median):
        return NAN, NAN
    return max(0.0, median - best), max(0.0, worst - best)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One connection and what can be done about it."""

    key: str
    state: str
    state_word: str
    since: str
    connects: str
    bad: str
    bad_detail: str
    reason: str
    renewals: str = "0"
    engine: str = NOTHING
    clock: str = NOTHING
    engine_ms: float = field(default=NAN, compare=False)
    clock_ms: float = field(default=NAN, compare=False)


def link_rows(engine: Engine, status: Status, utc: bool) -> list[LinkRow]:
    """One row a connection, by name."""
    links = sorted(engine.market.links.items())
    return [_link_row(link, engine, status, utc) for _, link in links]


def _link_row(link: LinkState, engine: Engine, status: Status, utc: bool) -> LinkRow:
    clock_ms = engine.market.clock_ms.get(link.conn.partition(".")[0], NAN)
    waits = sorted(status.engine_ms.get(link.conn, ()))
    median = waits[len(waits) // 2] if waits else NAN
    worst = waits[min(len(waits) - 1, int(len(waits) * 0.99))] if waits else NAN
    note = status.links.get(link.conn)
    by_reason = ", ".join(f"{why} {count:,}" for why, count in sorted(link.bad_by_reason.items()))
    return LinkRow(
        key=link.conn,
        state=state_cell(link.state)[0],
        state_word=link.state,
        since=clock_text(link.since_ns, utc),
        connects=f"{link.connects:,}",
        bad=f"{link.bad:,}",
        bad_detail=f"Unreadable messages by reason: {by_reason}." if by_reason else "",
        reason=link.reason or link.last_error or (note.reason if note is not None else ""),
        renewals=f"{note.renewals:,}" if note is not None else "0",
        engine=f"{number_text(median, 0)} / {number_text(worst, 0)}" if waits else NOTHING,
        clock=sign_text(clock_ms, 0),
        engine_ms=median,
        clock_ms=clock_ms,
    )


__all__ = [
    "FundingRow",
    "LinkRow",
    "PaymentRow",
    "RateMeter",
    "SettledRow",
    "StreamRow",
    "delay_ms",
    "funding_rows",
    "link_rows",
    "meaning_of",
    "payment_rows",
    "percent",
    "settled_rows",
    "state_cell",
    "stream_rows",
]
