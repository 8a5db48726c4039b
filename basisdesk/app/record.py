"""The headless recorder: feeds to a tape for a while, no window, no account."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from basisdesk import __version__
from basisdesk.clock import SystemClock
from basisdesk.config import Settings, shareable
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.errors import UserError
from basisdesk.feed.inbox import Inbox
from basisdesk.feed.supervisor import Supervisor
from basisdesk.lab.tape import TapeWriter, header_for
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_key

DRAIN_S = 0.02
BATCH_FRAMES = 1_000


@dataclass(frozen=True)
class RecordOptions:
    """What to record. endpoints: "bybit.spot" or "bybit.rest" to an address, over the settings'."""

    legs: tuple[str, ...]
    seconds: float
    out: Path
    endpoints: dict[str, str]
    settings: Settings


def addresses(settings: Settings, given: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(socket addresses by connection, REST addresses by venue) that replace the venues' own."""
    overrides = {
        f"{venue}.{channel}": url
        for venue, urls in settings.feeds.items()
        for channel, url in urls.items()
    } | given
    rest = {
        name.removesuffix(".rest"): url for name, url in overrides.items() if name.endswith(".rest")
    }
    return {name: url for name, url in overrides.items() if not name.endswith(".rest")}, rest


def record(options: RecordOptions) -> dict[str, int]:
    """Record until the time is up. Returns frames, events, bad_frames and gaps."""
    venues = known_venues()
    for leg in options.legs:
        try:
            venue, _, _ = split_key(leg)
        except ValueError as exc:
            raise UserError(f"--leg {leg}: write venue:spot|perp:SYMBOL.") from exc
        if venue not in venues:
            raise UserError(f"--leg {leg}: unknown venue {venue}. Known: {', '.join(venues)}.")
    return asyncio.run(_record(options))


async def _record(options: RecordOptions) -> dict[str, int]:
    clock, inbox, venues = SystemClock(), Inbox(), known_venues()
    engine = Engine(options.settings, venues, MemoryJournal())
    sockets, rest = addresses(options.settings, options.endpoints)
    supervisor = Supervisor(
        list(venues.values()),
        inbox,
        clock,
        engine.market,
        sockets,
        rest,
        proxy=options.settings.network.proxy,
    )
    supervisor.watch(set(options.legs))
    header = header_for("live", __version__, clock.now_ns(), shareable(options.settings))
    limit = int(options.settings.tape.disk_mb_max * 1e6)
    feeds = asyncio.create_task(supervisor.run(), name="feeds")
    try:
        with TapeWriter(options.out, header, limit) as tape:
            until_ns = clock.now_ns() + int(options.seconds * 1e9)
            while clock.now_ns() < until_ns and not feeds.done() and not tape.state:
                await asyncio.sleep(DRAIN_S)
                while frames := inbox.take(BATCH_FRAMES):
                    for frame in frames:
                        tape.put(frame)
                    engine.advance(frames)
        if tape.state:
            raise UserError(tape.state)
    finally:
        feeds.cancel()
        await asyncio.gather(feeds, return_exceptions=True)
    market = engine.market
    return {
        "frames": market.frames,
        "events": market.events,
        "bad_frames": market.bad_frames,
        "gaps": market.gaps,
    }
