"""Moments and spans as text: with a zone where it could be in doubt. Pure, no Qt, asks no clock."""

import math
from datetime import UTC, datetime

from basisdesk.ui.figures import NOTHING


def moment(t_ns: int, utc: bool) -> datetime:
    """UTC nanoseconds as a date and time, in UTC or in the machine's own zone."""
    at = datetime.fromtimestamp(t_ns / 1e9, UTC)
    return at if utc else at.astimezone()


def clock_text(t_ns: int, utc: bool) -> str:
    """Time of day to the second, "09:14:22"; the column's header carries the zone."""
    return f"{moment(t_ns, utc):%H:%M:%S}" if t_ns else ""


def clock_ms_text(t_ns: int, utc: bool) -> str:
    """Time of day to the millisecond, "09:14:22.123"; the column's header carries the zone."""
    if not t_ns:
        return ""
    return f"{moment(t_ns - t_ns % 1_000_000_000, utc):%H:%M:%S}.{t_ns // 1_000_000 % 1000:03d}"


def date_text(t_ns: int, utc: bool) -> str:
    """Date and time to the minute, "2026-11-21 09:14"."""
    return f"{moment(t_ns, utc):%Y-%m-%d %H:%M}" if t_ns else ""


def zone_text(utc: bool, t_ns: int = 0) -> str:
    """The zone that times are shown in: "UTC" or the machine's, such as "CET"."""
    return "UTC" if utc else (moment(t_ns, utc).tzname() or "local")


def held_text(seconds: float) -> str:
    """How long a pair is held, two units: "42s", "14m 02s", "9h 40m", "3d 04h"."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if whole < 60:
        return f"{whole}s"
    if hours < 1:
        return f"{minutes}m {whole % 60:02d}s"
    if days < 1:
        return f"{hours}h {minutes % 60:02d}m"
    return f"{days}d {hours % 24:02d}h"


def ticking_text(seconds: float) -> str:
    """A clock that counts each second: "3.1 s", "3m 13s", "1h 03m 13s"; an en dash if unknown."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 60:
        return f"{math.floor(max(0.0, seconds) * 10) / 10:.1f} s"
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}h {minutes:02d}m {whole % 60:02d}s"
    return f"{minutes}m {whole % 60:02d}s"
