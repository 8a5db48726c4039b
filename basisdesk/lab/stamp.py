"""Our stamps as text."""

from datetime import UTC, datetime


def utc_text(t_ns: int) -> str:
    """2026-11-21T09:14:05.123Z: UTC with milliseconds."""
    stamp = datetime.fromtimestamp(t_ns // 1_000_000_000, UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{t_ns // 1_000_000 % 1000:03d}Z"
