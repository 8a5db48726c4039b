"""What the scanner asks one host for: four lines of calls, each at a pace of its own.

A line hands over a call, waits for its answer, then rests; where no restraint is needed (our own
demo exchange) it hands over as many at a time as fit between two looks of the watchdog.
"""

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple

from basisdesk.feed.faults import Fault
from basisdesk.feed.lane import Rank
from basisdesk.feed.pace import Pace

LEGS_MAX = 5_000  # legs of one plan and kind; more are not looked at
PAST_FIRST = 2  # paths of the past, the newest, that every leg gets before any leg gets more
MINUTES, SETTLED = 0, 1  # the two newest paths of a leg's past: the last minutes, and settlements
PAST_TRIES = 3  # answers to one path of the past that make no sense, then it is given up
BOOK_FAIR = 2  # each second depth page is of the leg that waited longest, not of the most wanted
DOUBLINGS_MAX = 10


class Wish(NamedTuple):
    """One path, and whose it is: a leg's, or for a page its own."""

    name: str
    path: str


class Line(ABC):
    """Calls of one kind at one host.

    gap_s: between an answer and the next call. rest_s: after a failure, doubled while it lasts.
    """

    rank: ClassVar[Rank]

    def __init__(self, pace: Pace, gap_s: float, rest_s: float) -> None:
        self.gap_s = gap_s
        self.rest_s = rest_s
        self._most = max(1, int(pace.tick_s / gap_s))
        self._tick_s = pace.tick_s
        self._limit_s = pace.limit_s
        self._free_s = 0.0
        self._due_s: dict[str, float] = {}  # when each name may be asked for again
        self._fails: Counter[str] = Counter()  # in a row, by name
        self._out: set[Wish] = set()

    @abstractmethod
    def pick(self, now_s: float) -> Wish | None:
        """What to ask for now. It is asked for by `took`, or picked again."""

    def ready(self, now_s: float) -> bool:
        """Whether this line may ask for anything now."""
        return len(self._out) < self._most and now_s >= self._free_s

    def took(self, wish: Wish, now_s: float) -> None:
        """The call waits at its host now."""
        self._out.add(wish)
        if self._most > 1:
            self._free_s = max(self._free_s, now_s - self._tick_s) + self.gap_s

    def lost(self, wish: Wish) -> None:
        """The call was dropped unasked: it is due again."""
        self._out.discard(wish)

    def yielded(self, wish: Wish, now_s: float) -> None:
        """The call was ended for a more urgent one: it is due again after the usual gap."""
        self.lost(wish)
        self._free_s = max(self._free_s, now_s + self.gap_s)

    def done(self, wish: Wish, fault: Fault | None, now_s: float) -> int:
        """The call was answered, or failed. Returns how often its name failed in a row."""
        self._out.discard(wish)
        if self._most == 1:
            self._free_s = now_s + self.gap_s
        if fault is None:
            self._fails.pop(wish.name, None)
            return 0
        if fault.how != "away":  # nobody was reached: no word about this one
            self._fails[wish.name] += 1
        return self._fails[wish.name]

    def _rest_of(self, name: str) -> float:
        """How long a name rests after it failed."""
        doubled_s = self.rest_s * 2.0 ** min(max(0, self._fails[name] - 1), DOUBLINGS_MAX)
        return min(doubled_s, max(self._limit_s, self.rest_s))

    def _keep(self, names: Sequence[str], now_s: float) -> None:
        """Forget what is not wanted any more, once it might be asked for again."""
        wanted = set(names)
        self._due_s = {n: s for n, s in self._due_s.items() if n in wanted or s > now_s}
        self._fails = Counter({n: f for n, f in self._fails.items() if n in self._due_s})


class Pages(Line):
    """Whole-market pages, each at its pace, never a second copy while one waits."""

    rank = Rank.PAGE

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace, pace.tick_s, pace.tick_s)
        self._every_s: dict[str, float] = {}
        self._shift_s: dict[str, float] = {}  # of pages that were never asked for

    def want(
        self, every_s: dict[str, float], now_s: float, first_s: float = 0.0, shift_s: float = 0.0
    ) -> None:
        """Which pages, and how often each.

        first_s: how long from now what is new is asked for. shift_s: how much later than usual its
        second round comes. Venues take turns by one or the other.
        """
        before_s, self._due_s, self._every_s = self._due_s, {}, every_s
        for path, each_s in every_s.items():
            if path in before_s:
                self._due_s[path] = min(before_s[path], now_s + each_s)
            else:
                self._due_s[path], self._shift_s[path] = now_s + first_s, shift_s
        self._shift_s = {path: s for path, s in self._shift_s.items() if path in every_s}
        self._fails = Counter({path: n for path, n in self._fails.items() if path in every_s})
        self._most = len(every_s)
        self.rest_s = min(every_s.values(), default=self._tick_s)

    def hurry(self, now_s: float) -> None:
        """All pages anew: somebody lost what they had read."""
        self._due_s = dict.fromkeys(self._due_s, now_s)

    def pick(self, now_s: float) -> Wish | None:
        """The first page that is due; pages stay in the venue's order."""
        return next(
            (
                wish
                for path, due_s in self._due_s.items()
                if due_s <= now_s and (wish := Wish(path, path)) not in self._out
            ),
            None,
        )

    def took(self, wish: Wish, now_s: float) -> None:
        """Due again on its own grid, without a burst after a gap."""
        self._out.add(wish)
        every_s = self._every_s[wish.path]
        due_s = self._due_s[wish.path] + every_s + self._shift_s.pop(wish.path, 0.0)
        self._due_s[wish.path] = max(due_s, now_s + every_s / 2)

    def lost(self, wish: Wish) -> None:
        """Dropped unasked: due at once, however rare it is."""
        super().lost(wish)
        if wish.path in self._due_s:
            self._due_s[wish.path] = 0.0

    def done(self, wish: Wish, fault: Fault | None, now_s: float) -> int:
        """Due again half a round later at the soonest."""
        fails = super().done(wish, fault, now_s)
        self._free_s = 0.0
        if wish.path not in self._due_s:
            return fails
        if fault is None:
            soonest_s = now_s + self._every_s[wish.path] / 2
            self._due_s[wish.path] = max(self._due_s[wish.path], soonest_s)
        else:
            self._due_s[wish.path] = now_s + self._rest_of(wish.path)
        return fails


class Books(Line):
    """Depth of single legs, most wanted first, each at most once in `every_s`."""

    rank = Rank.BOOK

    def __init__(
        self, pace: Pace, gap_s: float, every_s: float, path_of: Callable[[str], str]
    ) -> None:
        super().__init__(pace, gap_s, every_s)
        self._every = every_s
        self._path_of = path_of
        self._legs: Sequence[str] = ()
        self._turn = 0

    def want(self, legs: Sequence[str], now_s: float) -> None:
        """Which legs, most wanted first."""
        self._legs = legs
        self._keep(legs, now_s)

    def pick(self, now_s: float) -> Wish | None:
        """The most wanted leg that may be asked for; now and then the one that waited longest."""
        due_s = self._due_s
        ready = [leg for leg in self._legs if due_s.get(leg, 0.0) <= now_s]
        if not ready:
            return None
        fair = self._turn % BOOK_FAIR == BOOK_FAIR - 1
        leg = min(ready, key=lambda leg: due_s.get(leg, 0.0)) if fair else ready[0]
        return Wish(leg, self._path_of(leg))

    def took(self, wish: Wish, now_s: float) -> None:
        """The leg rests from now on."""
        super().took(wish, now_s)
        self._turn += 1
        self._due_s[wish.name] = now_s + self._every

    def lost(self, wish: Wish) -> None:
        """Dropped unasked: due at once."""
        super().lost(wish)
        self._due_s.pop(wish.name, None)

    def done(self, wish: Wish, fault: Fault | None, now_s: float) -> int:
        """What failed rests longer; what was answered rests from the answer on."""
        fails = super().done(wish, fault, now_s)
        self._due_s[wish.name] = now_s + (
            self._every if fault is None else self._rest_of(wish.name)
        )
        return fails


class Singles(Line):
    """What no page tells of a leg, in slow rotation: each leg at most once in `every_s`."""

    rank = Rank.LEG

    def __init__(
        self,
        pace: Pace,
        gap_s: float,
        every_s: float,
        paths_of: Callable[[str], Sequence[str]],
    ) -> None:
        super().__init__(pace, gap_s, every_s)
        self._every = every_s
        self._paths_of = paths_of
        self._legs: Sequence[str] = ()
        self._paths: deque[Wish] = deque()  # of the leg whose turn it is

    def want(self, legs: Sequence[str], now_s: float) -> None:
        """Which legs; those that need no path of their own cost nothing."""
        self._legs = [leg for leg in legs if self._paths_of(leg)]
        self._paths.clear()
        self._keep(self._legs, now_s)

    def pick(self, now_s: float) -> Wish | None:
        """The next path of the leg that waited longest."""
        if not self._paths and self._legs:
            due_s = self._due_s
            leg = min(self._legs, key=lambda leg: due_s.get(leg, 0.0))
            if due_s.get(leg, 0.0) <= now_s:
                self._paths.extend(Wish(leg, path) for path in self._paths_of(leg))
        return self._paths[0] if self._paths else None

    def took(self, wish: Wish, now_s: float) -> None:
        """The leg rests from now on."""
        super().took(wish, now_s)
        self._paths.popleft()
        self._due_s[wish.name] = now_s + self._every

    def lost(self, wish: Wish) -> None:
        """Dropped unasked: it comes first again, if it is wanted at all."""
        super().lost(wish)
        if wish.name in self._legs:
            self._paths.appendleft(wish)

    def done(self, wish: Wish, fault: Fault | None, now_s: float) -> int:
        """What failed rests longer."""
        fails = super().done(wish, fault, now_s)
        self._due_s[wish.name] = now_s + (
            self._every if fault is None else self._rest_of(wish.name)
        )
        return fails


class Past(Line):
    """History, leg by leg, each once: the newest of all legs, then what is older of all.

    What fails is asked for again, what never works is given up. The newest may be wanted `again`
    later; that goes before what is older of any leg, and what is filled stays filled.
    """

    rank = Rank.PAST

    def __init__(
        self, pace: Pace, gap_s: float, rest_s: float, paths_of: Callable[[str], Sequence[str]]
    ) -> None:
        super().__init__(pace, gap_s, rest_s)
        self._paths_of = paths_of
        self._wanted: Sequence[str] = ()
        self._waiting: deque[str] = deque()  # legs of which nothing was asked yet
        self._paths: deque[Wish] = deque()  # the newest, of the leg whose turn it is
        self._older: deque[Wish] = deque()  # the rest, of all legs that had their turn
        self._later: list[tuple[float, Wish]] = []  # what failed, and when to try again
        self._left: dict[str, int] = {}  # legs begun: paths to come ...
        self._begun: dict[str, int] = {}  # ... of so many
        self._tries: Counter[Wish] = Counter()
        self._filled: set[str] = set()
        self._again: dict[tuple[str, int], None] = {}  # (leg, MINUTES or SETTLED), once more
        self._repeats: set[Wish] = set()  # what came of it, until it is answered

    @property
    def wanted(self) -> int:
        """Legs wanted."""
        return len(self._wanted)

    @property
    def legs(self) -> Sequence[str]:
        """Which legs are wanted."""
        return self._wanted

    @property
    def filled(self) -> int:
        """Legs of those wanted that are done with; halves of two legs count as one."""
        parts = sum(1.0 - left / self._begun[leg] for leg, left in self._left.items())
        return sum(leg in self._filled for leg in self._wanted) + int(parts)

    def want(self, legs: Sequence[str]) -> None:
        """Which legs, in this order. A leg that was begun and is left starts again another time."""
        self._wanted = legs
        kept = set(legs)
        self._left = {leg: n for leg, n in self._left.items() if leg in kept}
        self._begun = {leg: n for leg, n in self._begun.items() if leg in kept}
        self._paths = deque(wish for wish in self._paths if wish.name in kept)
        self._older = deque(wish for wish in self._older if wish.name in kept)
        self._later = [item for item in self._later if item[1].name in kept]
        self._tries = Counter({w: n for w, n in self._tries.items() if w.name in kept})
        self._fails = Counter({leg: n for leg, n in self._fails.items() if leg in kept})
        self._again = {key: None for key in self._again if key[0] in kept}
        self._repeats = {wish for wish in self._repeats if wish.name in kept}
        begun = self._left.keys() | self._filled
        self._waiting = deque(leg for leg in legs if leg not in begun)

    def again(self, legs: Iterable[str], which: int) -> None:
        """Ask once more for one of these legs' newest paths, where it was asked for before."""
        begun = self._left.keys() | self._filled
        self._again |= dict.fromkeys((leg, which) for leg in legs if leg in begun)

    def start_over(self) -> None:
        """Another past is wanted, of all legs."""
        self._filled.clear()
        self.want(())

    def pick(self, now_s: float) -> Wish | None:
        """What failed and rested long enough, else the next path of the leg whose turn it is."""
        late = next((wish for due_s, wish in self._later if due_s <= now_s), None)
        if late is not None:
            return late
        while not self._paths and self._waiting:
            self._begin(self._waiting.popleft())
        while not self._paths and self._again:
            leg, which = next(iter(self._again))
            del self._again[leg, which]
            if (wish := self._repeat(leg, which)) is not None:
                self._repeats.add(wish)
                self._later.append((now_s, wish))
                return wish
        queue = self._paths or self._older
        return queue[0] if queue else None

    def _repeat(self, leg: str, which: int) -> Wish | None:
        """The call once more; None where the leg has no such path, or it is asked for anyway."""
        newest = [Wish(leg, path) for path in self._paths_of(leg)[which : which + 1]]
        to_come = {*self._out, *self._older, *(wish for _, wish in self._later)}
        return next((wish for wish in newest if wish not in to_come), None)

    def _begin(self, leg: str) -> None:
        paths = [Wish(leg, path) for path in dict.fromkeys(self._paths_of(leg))]
        if not paths:
            self._filled.add(leg)
            return
        self._left[leg] = self._begun[leg] = len(paths)
        self._paths.extend(paths[:PAST_FIRST])
        self._older.extend(paths[PAST_FIRST:])

    def took(self, wish: Wish, now_s: float) -> None:
        """The call waits at its host now."""
        super().took(wish, now_s)
        for queue in (self._paths, self._older):
            if queue and queue[0] == wish:
                queue.popleft()
                return
        self._later = [item for item in self._later if item[1] != wish]

    def lost(self, wish: Wish) -> None:
        """Dropped unasked: it comes first again, if it is wanted at all."""
        super().lost(wish)
        if wish in self._repeats:
            self._later.append((0.0, wish))
        elif wish.name in self._left:
            self._paths.appendleft(wish)

    def done(self, wish: Wish, fault: Fault | None, now_s: float) -> int:
        """One path less, or the same one later."""
        fails = super().done(wish, fault, now_s)
        if wish not in self._repeats and wish.name not in self._left:
            return fails
        if fault is not None:
            self._tries[wish] += fault.how == "odd"
            if self._tries[wish] < PAST_TRIES:
                self._later.append((now_s + self._rest_of(wish.name), wish))
                return fails
        self._tries.pop(wish, None)
        if wish in self._repeats:
            self._repeats.discard(wish)
            return fails
        self._left[wish.name] -= 1
        if not self._left[wish.name]:
            del self._left[wish.name], self._begun[wish.name]
            self._fails.pop(wish.name, None)
            self._filled.add(wish.name)
        return fails
