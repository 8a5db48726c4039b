"""States of an engine along a replayed tape, in memory, so that a jump back walks little.

A snapshot is a pickle of the engine's parts that never leaves this process: measured, it takes some
6 ms where `copy.deepcopy` takes 330 ms, and fails loudly where a part cannot be copied. What never
changes (instruments, decoders, settings) is shared. Rows of a chart are kept once for all snapshots
together: each adds the rows that came since the one before.

After SNAPSHOT_FRAMES of walking there is a snapshot, so a jump back costs a second of walking at
most; when SNAPSHOTS_MAX are kept, every second one goes and the distance doubles.
"""

import hashlib
import io
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import numpy.typing as npt

from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import Outcome
from basisdesk.ledger.posting import Transaction
from basisdesk.market.series import Series
from basisdesk.venues.instrument import Instrument

SNAPSHOT_FRAMES = 20_000  # of walking between two: some 0.6 s of work
SNAPSHOTS_MAX = 64
SNAPSHOT_BYTES_MAX = 512 * 1024 * 1024  # of all, without the rows of charts
ENTRIES_MAX = 1_000_000  # outcomes kept by the journal of a replay
_HASH = type(hashlib.sha256())
_SHARED = (msgspec.json.Decoder, Settings, Instrument, Engine)


class KeptJournal:
    """The journal of a replay, in memory: what was decided up to the moment shown.

    entries: (outcome, transactions), oldest first. full: more came than ENTRIES_MAX; what came
    after them is not kept here, only booked.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[Outcome, tuple[Transaction, ...]]] = []
        self.full = False

    def append(self, outcome: Outcome, txns: Sequence[Transaction] = ()) -> int:
        """Keep one outcome."""
        if len(self.entries) < ENTRIES_MAX:
            self.entries.append((outcome, tuple(txns)))
        else:
            self.full = True
        return len(self.entries)

    def cut(self, count: int) -> None:
        """Forget what came after so many entries: the replay went back."""
        del self.entries[count:]
        self.full = False


@dataclass(frozen=True)
class Mark:
    """Where a replay stands. A plain value, to be compared.

    block, row: of the next frame of the tape. command: number of the next hand command. now_ns:
    tape time shown. frames: walked since the tape began. holes: (from, to) stretches left out, ns.
    """

    block: int = 0
    row: int = 0
    command: int = 0
    now_ns: int = 0
    frames: int = 0
    holes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One state. entries: how many the journal had."""

    mark: Mark
    entries: int
    state: bytes = field(repr=False)
    shelf: tuple[Any, ...] = field(repr=False)


@dataclass(frozen=True)
class _Rows:
    """Rows of a series as they were saved: parts go on from each other and never change."""

    rebuilt: int
    first: int
    end: int
    parts: tuple[npt.NDArray[np.float64], ...]


class Snapshots:
    """The snapshots of one replay, by tape time."""

    def __init__(self) -> None:
        self._kept: list[Snapshot] = []
        self._rows: WeakKeyDictionary[Series, _Rows] = WeakKeyDictionary()
        self.every = SNAPSHOT_FRAMES

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._kept)

    def due(self, frames: int) -> bool:
        """Whether one should be taken after so many frames of walking since the tape began."""
        before = (kept.mark.frames for kept in self._kept)
        return frames - max((each for each in before if each <= frames), default=0) >= self.every

    def take(self, engine: Engine, journal: KeptJournal, mark: Mark) -> Snapshot:
        """Keep the engine as it stands. Gives the snapshot."""
        shelf: list[Any] = []
        state = io.BytesIO()
        packer = pickle.Pickler(state, protocol=5)
        packer.dispatch_table = self._reducers(shelf)
        packer.dump({k: v for k, v in vars(engine).items() if v is not journal})
        taken = Snapshot(mark, len(journal.entries), state.getvalue(), tuple(shelf))
        self._kept = [kept for kept in self._kept if kept.mark != mark]
        self._kept.append(taken)
        self._kept.sort(key=lambda kept: (kept.mark.now_ns, kept.mark.frames))
        self._thin()
        return taken

    def restore(self, engine: Engine, journal: KeptJournal, snapshot: Snapshot) -> None:
        """Make the engine what it was. Whoever holds the engine holds it still."""
        parts = _Unpacker(snapshot, self._again).load()
        vars(engine).update(parts)
        journal.cut(snapshot.entries)

    def before(self, t_ns: int) -> list[Snapshot]:
        """Those that stand at or before a time, the latest first."""
        return [kept for kept in reversed(self._kept) if kept.mark.now_ns <= t_ns]

    def drop(self, wrong: Callable[[Mark], bool]) -> None:
        """Forget those that are not true any more. The one at the tape's begin always is."""
        self._kept = [kept for kept in self._kept if not kept.mark.frames or not wrong(kept.mark)]

    def _thin(self) -> None:
        size = sum(len(kept.state) for kept in self._kept)
        while len(self._kept) > SNAPSHOTS_MAX or (
            size > SNAPSHOT_BYTES_MAX and len(self._kept) > 4
        ):
            self.every *= 2
            self._kept = [*self._kept[:-1:2], self._kept[-1]]  # the first and the last stay
            size = sum(len(kept.state) for kept in self._kept)

    # --- inside ----------------------------------------------------------------------------------

    def _reducers(self, shelf: list[Any]) -> dict[type, Callable[[Any], Any]]:
        def shelve(thing: Any) -> Any:
            shelf.append(thing)
            return _shelved, (len(shelf) - 1,)

        def shelve_hash(running: Any) -> Any:
            return shelve(running.copy())

        def shelve_series(series: Series) -> Any:
            return shelve((series.shape, self._rows_of(series), series.gaps))

        shared: dict[type, Callable[[Any], Any]] = dict.fromkeys(_SHARED, shelve)
        return shared | {_HASH: shelve_hash, Series: shelve_series}

    def _rows_of(self, series: Series) -> _Rows:
        """All rows held, with the parts that an earlier snapshot has already."""
        known = self._rows.get(series)
        end = series.pushed
        fresh = (
            known is None or known.rebuilt != series.rebuilt or end - known.end > series.capacity
        )
        first, new = series.rows_from(0 if known is None or fresh else known.end)
        parts = (new,) if known is None or fresh else (*known.parts, new)
        begun = first if known is None or fresh else known.first
        oldest = end - series.capacity
        while len(parts) > 1 and begun + parts[0].shape[1] <= oldest:
            begun += parts[0].shape[1]
            parts = parts[1:]
        found = self._rows[series] = _Rows(series.rebuilt, begun, end, parts)
        return found

    def _again(self, thing: Any) -> Any:
        """What stands for a thing of the shelf in a restored engine."""
        if isinstance(thing, _HASH):
            return thing.copy()
        if not isinstance(thing, tuple) or len(thing) != 3 or not isinstance(thing[1], _Rows):
            return thing
        shape, rows, gaps = thing
        series = Series.of_rows(shape, rows.first, rows.parts, list(gaps))
        series.rebuilt = rows.rebuilt
        self._rows[series] = rows
        return series


class _Unpacker(pickle.Unpickler):
    """Reads a snapshot of this process; `_shelved` becomes what stands on its shelf."""

    def __init__(self, snapshot: Snapshot, again: Callable[[Any], Any]) -> None:
        super().__init__(io.BytesIO(snapshot.state))
        self._shelf = snapshot.shelf
        self._thing = again

    def find_class(self, module: str, name: str) -> Any:
        """Our own place-holder, or whatever the engine is made of."""
        if (module, name) == (__name__, _shelved.__name__):
            return self._take
        return super().find_class(module, name)

    def _take(self, number: int) -> Any:
        return self._thing(self._shelf[number])


def _shelved(number: int) -> Any:
    """Stands in a snapshot for what is on its shelf; `_Unpacker` replaces it."""
    raise AssertionError(f"snapshot read without its shelf: {number}")
