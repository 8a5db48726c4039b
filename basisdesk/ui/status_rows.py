"""The status line and the banner as text: what the account is worth, how the program runs."""

import math
from dataclasses import dataclass
from decimal import Decimal

from basisdesk.engine import Engine
from basisdesk.ui.account_rows import money_now
from basisdesk.ui.context import Status
from basisdesk.ui.drill_words import drills_text
from basisdesk.ui.figures import gain_text, number_text, size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.halt_rows import risk_words
from basisdesk.ui.rows import base_of, meaning_of, sign_of
from basisdesk.ui.times import clock_text, date_text, zone_text
from basisdesk.ui.uptime_rows import RSS_WARN_MB, memory_text, memory_tip, stalls_text

ZERO = Decimal(0)
_OFF = "Practise > Stop all practice switches it off."
LAG_WARN_MS = 50.0  # the window must never block longer than this


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the status line.

    meaning: a colour token, "" for muted. keep: where room is short, the smallest goes first.
    """

    text: str
    meaning: str = ""
    tip: str = ""
    keep: int = 9


def left_items(engine: Engine, utc: bool) -> list[Item]:
    """Equity, today, drawdown, gross exposure, net delta: as account panel and triggers say."""
    money, currency = money_now(engine, ()), engine.settings.account.currency
    today, down = money.today, money.drawdown_pct
    deltas = net_deltas(engine)
    peak = "not known yet" if money.peak is None else number_text(money.peak, 2)
    return [
        Item(
            f"Equity {number_text(money.equity, 2)} {currency}",
            "text",
            f"Cash and everything held at mids; {number_text(money.free, 2)} {currency} is free.",
            10,
        ),
        Item(
            "today not known" if today is None else f"today {gain_text(today, 2)} {currency}",
            "" if today is None else meaning_of(sign_of(today)),
            f"Since {clock_text(money.day_ns, utc)} {zone_text(utc, money.day_ns)}, or since the "
            "session or resume that the day is counted from.",
        ),
        Item(
            "drawdown not known" if math.isnan(down) else f"drawdown {number_text(down, 2)} %",
            "",
            f"Below the peak of equity, {peak} {currency}.",
            6,
        ),
        Item(
            f"gross exposure {short_money(float(money.gross))} {currency}",
            "",
            f"Notional of all legs held, long and short, at mids: {number_text(money.gross, 2)} "
            f"{currency}.",
            4,
        ),
        Item(
            f"net delta {delta_text(deltas)}",
            "",
            "Coins long minus coins short over all open pairs.",
            5,
        ),
    ]


def net_deltas(engine: Engine) -> dict[str, Decimal]:
    """Coins long minus coins short over all open pairs, by coin."""
    deltas: dict[str, Decimal] = {}
    for position in engine.open_pairs():
        base = base_of(position.long.instrument, engine)
        deltas[base] = deltas.get(base, ZERO) + position.delta
    return deltas


def short_money(value: float) -> str:
    """An amount short enough for the status line: "5,472", "18.9k", "2.41M"."""
    if not math.isfinite(value) or abs(value) < 10_000:
        return number_text(value, 0)
    if abs(value) < 1e6:
        return f"{number_text(value / 1e3, 1)}k"
    return f"{number_text(value / 1e6, 2)}M"


def delta_text(deltas: dict[str, Decimal]) -> str:
    """Net delta of each coin held, the first two by name: "0 ADA", "+0.5 SOL, 0 ADA"."""
    if not deltas:
        return "none"
    parts = []
    for base, delta in sorted(deltas.items()):
        sign = "+" if delta > 0 else ""
        parts.append(f"{sign}{size_text(delta)} {base}")
    more = f" and {len(parts) - 2} more" if len(parts) > 2 else ""
    return ", ".join(parts[:2]) + more


def right_items(engine: Engine, status: Status, utc: bool) -> list[Item]:
    """Session, recording, messages a second, loop and profile."""
    lag = status.loop_lag_p99_ms
    began_ns = engine.session.ts_ns if engine.session is not None else 0
    zone = zone_text(utc, began_ns)
    tape = Item(
        f"recording {number_text(status.tape_mb, 0 if status.tape_mb >= 10 else 1)} MB",
        "",
        "Every message and command of this session, compressed, for exact replay.",
        3,
    )
    if status.tape_state:
        tape = Item("\u25b2 not recording", "warn", status.tape_state)
    items = [
        Item(
            f"session {date_text(began_ns, utc)} {zone}" if began_ns else "no session",
            "",
            f"Session {status.session or 'unnamed'}.",
            1,
        ),
        tape,
        Item(
            f"{number_text(status.messages_per_s, 0)} msg/s",
            "",
            f"Messages a second from all feeds; {status.inbox_frames:,} wait in the inbox.",
            7,
        ),
        Item(
            f"loop {number_text(status.loop_lag_ms, 0)} ms",
            "warn" if lag > LAG_WARN_MS else "",
            f"How late the program's own beat comes; 99 of 100 within {number_text(lag, 0)} ms. "
            f"{stalls_text(status.uptime)}",
            8,
        ),
        Item(
            f"profile {status.profile}", "", "The folder of settings, journal, tapes and layout.", 2
        ),
    ]
    if memory := memory_text(status.uptime):
        warns = "warn" if status.uptime.rss_mb > RSS_WARN_MB else ""
        items.insert(-1, Item(memory, warns, memory_tip(status.uptime), 2))
    if status.practice:
        items.insert(0, Item(f"\u25b2 {status.practice}", "warn", _OFF))
    if armed := drills_text(engine.desk.drills):
        items.insert(0, Item(f"\u25b2 {armed}", "warn", f"{term('Drill')} {_OFF}"))
    if status.speed != 1.0:
        what = "recorded at" if status.recorded else "speed"
        items.insert(0, Item(f"{what} {size_text(status.speed, 1)}\u00d7", "warn"))
    return items


@dataclass(frozen=True, slots=True)
class BannerText:
    """What stands over the whole window: level "warn" or "error", and the sentence."""

    level: str
    text: str


def banner(engine: Engine, status: Status, utc: bool) -> BannerText | None:
    """The program's own sentence first, then halted or reducing; None when all is well."""
    if status.banner:
        shape = "\u25a0" if status.banner_level == "error" else "\u25b2"
        return BannerText(status.banner_level, f"{shape}  {status.banner}")
    words = risk_words(engine, utc)
    if words.state == "active":
        return None
    halted = words.state == "halted"
    level, shape = ("error", "\u25a0") if halted else ("warn", "\u25b2")
    name = "Halted" if halted else "Reducing"
    return BannerText(
        level,
        f"{shape}  {name} since {words.since}: {words.reason.rstrip('.')}. No new entries; closing "
        f"works. {words.ends}".rstrip(),
    )
