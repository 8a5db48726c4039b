"""Which beats are prices that may decide a label; see labels.py for the law."""

from math import isfinite, nan
from typing import Any

from basisdesk.forecast.features_basis import BASIS_MAX_BP
from basisdesk.forecast.words import Tick

_Bases = tuple[float, float, float]  # of the mids, of an exit and of an entry of side +1, bp


class Prices:
    """The bases of one pair as they were last believed. leap_bp: a step beyond it is doubted once.

    idle: the last tick from before anything was open, where what follows begins.
    """

    def __init__(self, leap_bp: float) -> None:
        self.leap_bp = leap_bp
        self.idle: Tick | None = None
        self._seen: _Bases = (nan, nan, nan)
        self._doubt: _Bases | None = None  # leapt, and was not seen twice

    def hold(self, tick: Tick, mid: float) -> bool:
        """Whether a beat with this mid basis can be traded; one side may be missing."""
        leap, seen = self.leap_bp, self._seen
        now = mid, tick.close_bp, tick.open_bp
        near = abs(mid - seen[0]) <= leap and abs(now[1] - seen[1]) <= leap
        if near and abs(now[2] - seen[2]) <= leap and abs(mid) < BASIS_MAX_BP and not self.idle:
            self._seen, self._doubt = now, None
            return True
        return self._look(now)  # seldom: something of it is missing or far

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"seen": _plain(self._seen), "doubt": _plain(self._doubt)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take a dump back; one of an older program has nothing of this."""
        self._seen = _bases(kept.get("seen")) or self._seen
        self._doubt = _bases(kept.get("doubt"))

    def _look(self, now: _Bases) -> bool:
        top, leap = BASIS_MAX_BP, self.leap_bp
        if not abs(now[0]) < top or abs(now[1]) >= top or abs(now[2]) >= top:
            return False
        if self.idle is not None:
            self._seen = self.idle.mid_bp, self.idle.close_bp, self.idle.open_bp
            self.idle = self._doubt = None
        if _leaps(self._seen, now, leap) and (
            self._doubt is None or _leaps(self._doubt, now, leap)
        ):
            self._doubt = now
            return False
        self._seen, self._doubt = now, None
        return True


def _leaps(one: _Bases, other: _Bases, by: float) -> bool:
    # false where one of them is not known
    return abs(one[0] - other[0]) > by or abs(one[1] - other[1]) > by or abs(one[2] - other[2]) > by


def _plain(bases: _Bases | None) -> list[float | None] | None:
    return None if bases is None else [each if isfinite(each) else None for each in bases]


def _bases(kept: list[float | None] | None) -> _Bases | None:
    if kept is None:
        return None
    mid, out, back = (nan if each is None else float(each) for each in kept)
    return mid, out, back
