"""Settings in the time of the market: a demo in fast motion has seconds of its own."""

import msgspec

from basisdesk.config import Settings

_RISK = (
    "quote_age_ms_max",
    "leg_skew_ms_max",
    "loop_gap_ms_max",
    "unhedged_s_max",
    "stale_s_max",
    "clock_jump_s_max",
)
_PAPER = ("latency_ms", "jitter_ms")


def in_market_time(settings: Settings, speed: float) -> Settings:
    """Limits on age and delay counted in the clock's seconds, which run `speed` times as fast.

    Below real time nothing is tightened.
    """
    if speed == 1.0:
        return settings
    scale = max(1.0, speed)
    risk, paper = settings.risk, settings.paper
    slower = {name: int(getattr(risk, name) * scale) for name in _RISK}
    later = {name: int(getattr(paper, name) * scale) for name in _PAPER}
    of_venues = {venue: int(ms * scale) for venue, ms in paper.venue_latency_ms.items()}
    paced = msgspec.structs.replace(settings.scanner, poll_s=settings.scanner.poll_s * scale)
    return msgspec.structs.replace(
        settings,
        scanner=paced,
        risk=msgspec.structs.replace(risk, **slower),
        paper=msgspec.structs.replace(paper, venue_latency_ms=of_venues, **later),
    )
