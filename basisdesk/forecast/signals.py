"""The signal journal: every candidate, taken or not, what was made of it, and how it ended.

JSON lines, one a row, in the order they came: `Noted` before anyone could know, `Overridden` where
a person decided otherwise, `Ended` at the horizon. A line that cannot be read is passed over, so a
torn tail costs one row.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import isfinite, nan
from types import MappingProxyType

import msgspec

from basisdesk.forecast.forecaster import Taken
from basisdesk.forecast.view import Signal
from basisdesk.forecast.words import Candidate, How, Label

BOOK_MAX = 5_000  # signals remembered
WOULD_TRADE, WOULD_NOT = "would trade", "would not trade"
REASON_MAX = 120  # characters of a person's reason
LATE_S = 900.0  # after so long one has seen how a candidate goes: what is said then is no forecast
LATE_FAST_S = 3_600.0  # the same at most where the market runs faster than a person can type
_WOULD = {WOULD_TRADE: True, WOULD_NOT: False}


class Noted(msgspec.Struct, frozen=True, tag_field="kind", tag="candidate", omit_defaults=True):
    """A candidate, without its features: their hash finds them in the journal of samples."""

    id: int
    t_ns: int
    pair: str
    direction: int
    features_hash: str
    raw: float
    p: float
    version: str
    decision: str
    cost_bp: float | None = None
    target_bp: float | None = None
    regime: str = ""  # of the market then; "" where it was not known, or from before it was noted


class Overridden(msgspec.Struct, frozen=True, tag_field="kind", tag="override"):
    """What a person would do: WOULD_TRADE or WOULD_NOT, or other words that are not scored.

    reason: as the person gave it. Told before the outcome is, so that it can be scored as well.
    """

    candidate: int
    t_ns: int
    did: str
    reason: str


class Ended(msgspec.Struct, frozen=True, tag_field="kind", tag="outcome"):
    """How a candidate ended, told at its horizon."""

    candidate: int
    y: int
    net_bp: float
    t_first_ns: int
    mae_bp: float
    mfe_bp: float
    how: How
    released_ns: int


Row = Noted | Overridden | Ended
NO_REGIMES: Mapping[int, str] = MappingProxyType({})
_DECODER = msgspec.json.Decoder[Row](Row)


def late_s(speed: float = 1.0) -> float:
    """Seconds of the market after which a candidate cannot be spoken of. speed: of the market."""
    return min(LATE_S * max(1.0, speed), LATE_FAST_S)


def window_text(speed: float = 1.0) -> str:
    """The same in words: "15 min", or "60 min of the market, 1 min of yours at 60x"."""
    minutes = late_s(speed) / 60.0
    if speed <= 1.0:
        return f"{minutes:.0f} min"
    return f"{minutes:.0f} min of the market, {minutes / speed:.2g} min of yours at {speed:g}x"


def rows_of(taken: Taken, regimes: Mapping[int, str] = NO_REGIMES) -> Iterator[Row]:
    """The rows of what a forecaster hands out. regimes: of the market at each candidate."""
    for each in taken.candidates:
        yield Noted(
            each.id,
            each.t_ns,
            each.pair,
            each.direction,
            each.features_hash,
            each.raw,
            each.p,
            each.version,
            each.decision,
            each.cost_bp if isfinite(each.cost_bp) else None,
            each.target_bp if isfinite(each.target_bp) else None,
            regimes.get(each.id, ""),
        )
    for label in taken.labels:
        yield Ended(
            label.candidate,
            label.y,
            label.net_bp,
            label.t_first_ns,
            label.mae_bp,
            label.mfe_bp,
            label.how,
            label.released_ns,
        )


def line(row: Row) -> bytes:
    """One line of the file."""
    return msgspec.json.encode(row) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a file; lines that are none are passed over."""
    for each in lines:
        try:
            yield _DECODER.decode(each)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue


class SignalBook:
    """Candidates joined with what came after, newest last. `take` says whether a row is new.

    What a restart hears again from the journal of samples gives the same rows again; they are known
    here and are not written twice.
    """

    def __init__(self) -> None:
        self._signals: dict[int, Signal] = {}

    def __len__(self) -> int:
        return len(self._signals)

    def take(self, row: Row) -> bool:
        """Take one row; False where it was known, or speaks of a candidate that is not."""
        if isinstance(row, Noted):
            known = self._signals.pop(row.id, None)
            if known is not None and known.candidate.t_ns == row.t_ns:
                self._signals[row.id] = known
                return False
            self._signals[row.id] = Signal(_candidate(row), regime=row.regime)
            while len(self._signals) > BOOK_MAX:
                del self._signals[next(iter(self._signals))]
            return True
        known = self._signals.get(row.candidate)
        if isinstance(row, Overridden):
            told = f"{row.did}: {row.reason}" if row.reason else row.did
            if known is None or known.override == told:
                return False
            would = _WOULD.get(row.did)
            self._signals[row.candidate] = replace(known, override=told, would=would)
            return True
        label = _label(row)
        if known is not None and known.label == label:
            return False
        if known is not None:
            self._signals[row.candidate] = replace(known, label=label)
        return True  # its candidate may stand in a file before the one that was read

    def of(self, candidate: int) -> Signal | None:
        """The signal of a candidate; None where it is not remembered."""
        return self._signals.get(candidate)

    def newest(self, n: int) -> tuple[Signal, ...]:
        """The newest signals, newest first."""
        found: list[Signal] = []
        for each in reversed(self._signals.values()):
            if len(found) == n:
                break
            found.append(each)
        return tuple(found)

    def all(self) -> Iterable[Signal]:
        """All of them, oldest first."""
        return self._signals.values()


def _candidate(row: Noted) -> Candidate:
    return Candidate(
        id=row.id,
        t_ns=row.t_ns,
        pair=row.pair,
        direction=row.direction,
        features=(),
        features_hash=row.features_hash,
        raw=row.raw,
        p=row.p,
        version=row.version,
        decision=row.decision,
        cost_bp=nan if row.cost_bp is None else row.cost_bp,
        target_bp=nan if row.target_bp is None else row.target_bp,
    )


def _label(row: Ended) -> Label:
    return Label(
        candidate=row.candidate,
        y=row.y,
        net_bp=row.net_bp,
        t_first_ns=row.t_first_ns,
        mae_bp=row.mae_bp,
        mfe_bp=row.mfe_bp,
        how=row.how,
        released_ns=row.released_ns,
    )
