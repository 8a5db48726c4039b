"""External indicators: numbers from outside, as a CSV file says them, with their age and unit.

Two columns, time and value, oldest first or not; a line of words above them is passed over. Time is
UTC: seconds or milliseconds since the epoch, or ISO 8601 ("2026-07-01", "2026-07-01T08:00:00Z").
What stands in the future is not known yet and is not read. Without a source an indicator is missing
and nothing takes its place.
"""

import csv
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from math import nan
from typing import NamedTuple

NO_SOURCE = "no source"
BYTES_MAX = 4_000_000  # of a file; a larger one is not read
MS_FROM = 1e11  # a stamp so large counts milliseconds: in seconds it were the year 5138
S_NS = 1_000_000_000


class Indicator(NamedTuple):
    """One indicator as it stands. value: NaN where unknown; `why` says so in words then.

    t_ns: the time that the source gives its newest value. every_s: how often it should come anew.
    source: the file.
    """

    name: str
    unit: str = ""
    value: float = nan
    t_ns: int = 0
    every_s: float = nan
    source: str = ""
    why: str = NO_SOURCE

    def age_s(self, now_ns: int) -> float:
        """Age of the value; NaN where there is none."""
        return (now_ns - self.t_ns) / S_NS if self.t_ns else nan

    def late(self, now_ns: int) -> bool:
        """Whether a newer value was due and has not come."""
        return self.age_s(now_ns) > 2.0 * self.every_s


class BadIndicator(ValueError):
    """What is wrong with a source, in words."""


def newest(text: str, now_ns: int) -> tuple[int, float]:
    """(time ns, value) of the newest row that is not after now.

    Raises:
        BadIndicator: no row of it is a time and a number, or it is too large.
    """
    if len(text) > BYTES_MAX:
        raise BadIndicator(f"it is larger than {BYTES_MAX // 1_000_000} MB")
    best = (0, nan)
    rows = 0
    for t_ns, value in _rows(csv.reader(text.splitlines())):
        rows += 1
        if best[0] < t_ns <= now_ns:
            best = t_ns, value
    if not rows:
        raise BadIndicator("no line of it is a time and a number")
    if not best[0]:
        raise BadIndicator("all of its times are still to come")
    return best


def _rows(lines: Iterable[list[str]]) -> Iterable[tuple[int, float]]:
    for line in lines:
        if len(line) < 2:
            continue
        try:
            t_ns, value = stamp_ns(line[0].strip()), float(line[1])
        except (ValueError, OverflowError):
            continue
        if math.isfinite(value):
            yield t_ns, value


def stamp_ns(text: str) -> int:
    """A time as a file writes it. Raises ValueError."""
    try:
        number = float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        return round(when.timestamp() * 1e3) * 1_000_000
    if not math.isfinite(number):
        raise ValueError(text)
    return round(number * 1e6 if abs(number) >= MS_FROM else number * 1e9)
