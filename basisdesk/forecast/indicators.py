"""External indicators: numbers from outside, of a CSV file or a JSON address, with age and unit.

A file has two columns, time and value, oldest first or not; a line of words above them is passed
over. Time is UTC: seconds or milliseconds since the epoch, or ISO 8601 ("2026-07-01",
"2026-07-01T08:00:00Z"). An address answers with JSON, in which a pointer (RFC 6901) names the
number and another one, where wished, its time; without that the time is ours, of the answer.

What stands in the future is not known yet and is not read. Without a source an indicator is missing
and nothing takes its place.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import nan
from typing import Any, NamedTuple

import msgspec

NO_SOURCE = "no source"
BYTES_MAX = 4_000_000  # of a file; a larger one is not read
KEPT = 400  # newest values that are looked at
AHEAD_NS = 2_000_000_000  # by which the clock of an address may be ahead of ours
PARTS_MAX = 32  # steps of a pointer
MS_FROM = 1e11  # a stamp so large counts milliseconds: in seconds it were the year 5138
S_NS = 1_000_000_000


class Indicator(NamedTuple):
    """One indicator as it stands. value: NaN where unknown; `why` says so in words then.

    t_ns: the time that the source gives its newest value. every_s: how often it is asked for.
    fresh_s: older than this it is late and no feature; NaN for two times every_s. source: the file,
    or the host of the address and no more of it, since an address may hold a secret. z: how unusual
    it is among its own values before it, see outside.py; NaN where these are too few.
    """

    name: str
    unit: str = ""
    value: float = nan
    t_ns: int = 0
    every_s: float = nan
    source: str = ""
    why: str = NO_SOURCE
    fresh_s: float = nan
    z: float = nan

    def age_s(self, now_ns: int) -> float:
        """Age of the value; NaN where there is none."""
        return (now_ns - self.t_ns) / S_NS if self.t_ns else nan

    def late(self, now_ns: int) -> bool:
        """Whether a newer value was due and has not come."""
        fresh_s = 2.0 * self.every_s if math.isnan(self.fresh_s) else self.fresh_s
        return self.age_s(now_ns) > fresh_s


class BadIndicator(ValueError):
    """What is wrong with a source, in words."""


def values(text: str, now_ns: int) -> list[tuple[int, float]]:
    """The newest KEPT rows (time ns, value) of a CSV text that are not after now, oldest first.

    Of rows with one time the first counts.

    Raises:
        BadIndicator: no row of it is a time and a number, or it is too large.
    """
    if len(text) > BYTES_MAX:
        raise BadIndicator(f"it is larger than {BYTES_MAX // 1_000_000} MB")
    known: dict[int, float] = {}
    rows = 0
    for t_ns, value in _rows(csv.reader(text.splitlines())):
        rows += 1
        if 0 < t_ns <= now_ns:
            known.setdefault(t_ns, value)
    if not rows:
        raise BadIndicator("no line of it is a time and a number")
    if not known:
        raise BadIndicator("all of its times are still to come")
    return sorted(known.items())[-KEPT:]


def newest(text: str, now_ns: int) -> tuple[int, float]:
    """(time ns, value) of the newest row that is not after now. Raises BadIndicator."""
    return values(text, now_ns)[-1]


def answered(data: bytes, path: str, time_path: str, now_ns: int) -> tuple[int, float]:
    """(time ns, value) of an answer in JSON. path, time_path: pointers; "" for no time: now.

    Raises:
        BadIndicator: it is no JSON, or the pointer names no number, or its time is to come.
    """
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadIndicator("the answer is not JSON") from exc
    value = _number(pointed(told, path))
    if not math.isfinite(value):
        raise BadIndicator(f"at {path or 'the top'} of the answer is no number")
    if not time_path:
        return now_ns, value
    when = pointed(told, time_path)
    try:
        t_ns = stamp_ns(str(when)) if isinstance(when, str | int | float) else 0
    except (ValueError, OverflowError) as exc:
        raise BadIndicator(f"at {time_path} of the answer is no time") from exc
    if t_ns <= 0 or isinstance(when, bool):
        raise BadIndicator(f"at {time_path} of the answer is no time")
    if t_ns > now_ns + AHEAD_NS:
        raise BadIndicator("its time is still to come")
    return min(t_ns, now_ns), value


def pointed(told: Any, path: str) -> Any:
    """What a JSON pointer names: "/data/0/value"; -1 is the last of a list. None where nothing."""
    for part in path.split("/")[1 : PARTS_MAX + 1]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(told, dict):
            told = told.get(key)
        elif isinstance(told, list):
            told = _item(told, key)
        else:
            return None
    return told


def _item(told: Sequence[Any], key: str) -> Any:
    place = -1 if key == "-1" else int(key) if key.isascii() and key.isdigit() else len(told)
    return told[place] if told and place < len(told) else None


def _number(told: Any) -> float:
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        return nan
    try:
        return float(told)
    except (ValueError, OverflowError):
        return nan


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
