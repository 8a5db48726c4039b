"""A tape that is played: where it stands, how fast it goes, and which frames the engine gets next.

No clock and no loop: whoever drives says how much time passed (`tick`) and how long a slice of work
may take (`work`). The engine sees the frames of the tape in their order and each hand command after
the frames of its own time, before any later one, as `basisdesk replay --commands` merges them: so
the ledger is the same at any speed, after any scrubbing, and headless.

A jump goes from the nearest snapshot before its target and walks what lies between. Where that is
long and nobody traded there, the stretch may be left out (`holes`): the engine sees what a machine
sees that slept, then WARM_UP_NS of frames, so that prices, marks and funding are known; a depth
book is known again from its next snapshot on. Hand trades wait until such a hole was walked.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

import msgspec

from basisdesk.engine import Engine
from basisdesk.events import COMMAND, Changed, Command, Frame
from basisdesk.lab.reel import Reel
from basisdesk.lab.snapshots import KeptJournal, Mark, Snapshot, Snapshots
from basisdesk.lab.tape_index import PLAIN, TRADES, TapeIndex, is_trade, mark_of

SPEED_MIN, SPEED_MAX = 0.1, 1_000.0
BATCH_FRAMES = 32  # walked between two looks at the slice's end
WARM_UP_NS = 300_000_000_000  # of tape before the target of a jump that leaves frames out
WARM_UP_BYTES = 4_000_000  # and no more raw bytes than so
WALK_S_MAX = 3.0  # a jump that walks no longer than so leaves nothing out
BYTES_PER_S = 12_000_000.0  # raw, until it was measured here
RATE_SHARE = 0.2  # of a new measurement in the rate
HEAD_NS = 30_000_000_000  # begin of a tape, never left out: instruments and what is watched
HEAD_BYTES = 12_000_000  # and no more raw bytes than so
COMMANDS_MAX = 10_000  # hand commands of one replay
WORDS_MAX = 50  # newest blocks of a stretch left out whose words are heard all the same
_EVERYTHING = ~Changed.NOTHING

Budget = Callable[[], bool]  # False: the slice is over
_no_limit: Budget = lambda: True  # noqa: E731 - a constant


class Player:
    """One replay: an engine, a tape, hand commands, and where it stands.

    engine: the same object for good; a jump changes what is in it. begin: opens the engine's
    session and whatever else stands before the first frame. now_ns: tape time shown. speed: of
    playing. playing: whether time goes on by itself. target_ns: where a jump or a walk is going,
    None while there is none. commands: by hand, in time order. holes: stretches left out, ns.
    reached_speed: what playing came to, where the machine could not keep up; NaN before it played.
    blocked: the recording trades next, and what was left out before has to be walked first.
    """

    def __init__(
        self,
        index: TapeIndex,
        engine: Engine,
        journal: KeptJournal,
        begin: Callable[[Engine], None],
        commands: Sequence[Frame] = (),
    ) -> None:
        self.index = index
        self.engine = engine
        self.journal = journal
        self.snapshots = Snapshots()
        self.commands = sorted(commands, key=attrgetter("t_ns"))
        self.speed = 1.0
        self.playing = False
        self.target_ns: int | None = None
        self.reached_speed = math.nan
        self.holes: tuple[tuple[int, int], ...] = ()
        self.blocked = False
        self._reel = Reel(index)
        self._command = 0  # the next one
        self._frames = 0
        self._until: Callable[[], bool] | None = None  # a step's own end
        self._beyond: int | None = None  # where a jump goes on to behind the tape's head
        self._words: list[
            int
        ] = []  # blocks passed by, of which our own words are still to be heard
        self._began_ns = 0  # tape time where the walk under way began
        self._rate = BYTES_PER_S
        begin(engine)
        self.now_ns = index.first_ns
        self.snapshots.take(engine, journal, self._mark())

    # --- what is known ---------------------------------------------------------------------------

    @property
    def first_ns(self) -> int:
        """Begin of the tape."""
        return self.index.first_ns

    @property
    def last_ns(self) -> int:
        """End of the tape, or the last hand command where that is later."""
        return max(self.index.last_ns, self.now_ns)

    @property
    def at_end(self) -> bool:
        """No frame is left."""
        return self._reel.ended

    @property
    def working(self) -> bool:
        """A jump, a step or a walk is under way."""
        return self.target_ns is not None

    @property
    def frames(self) -> int:
        """Frames walked since the tape began, hand commands not counted."""
        return self._frames

    @property
    def progress(self) -> float:
        """How much of the walk under way is done, 0 to 1."""
        if self.target_ns is None or self.target_ns <= self._began_ns:
            return 1.0
        done = (self.now_ns - self._began_ns) / (self.target_ns - self._began_ns)
        return min(1.0, max(0.0, done))

    def walk_s(self, from_ns: int, to_ns: int) -> float:
        """About how long walking a stretch of the tape takes here, seconds."""
        first, end = self.index.block_at(from_ns), self.index.block_at(to_ns) + 1
        return self.index.raw_bytes(first, end) / self._rate

    def later_trades(self) -> int:
        """How many trades by hand lie after the moment shown; a new one would undo them."""
        return sum(mark_of(frame) == TRADES for frame in self.commands[self._command :])

    @property
    def commands_done(self) -> int:
        """How many of the hand commands stand before the moment shown."""
        return self._command

    def trades_ns(self) -> list[int]:
        """When trades by hand were asked for, all of them."""
        return [frame.t_ns for frame in self.commands if mark_of(frame) == TRADES]

    # --- what a person does ----------------------------------------------------------------------

    def play(self, speed: float | None = None) -> None:
        """Let time go on, SPEED_MIN to SPEED_MAX times as fast as it went."""
        if speed is not None:
            self.speed = min(SPEED_MAX, max(SPEED_MIN, speed))
        self.playing = not self.at_end
        self.reached_speed = math.nan

    def pause(self) -> None:
        """Stand still; a jump or a walk under way stops where it is."""
        self.playing = False
        self._hear_words(_no_limit)
        self.target_ns = self._until = self._beyond = None

    def submit(self, command: Command) -> Changed:
        """Take a command by hand at the moment shown, and keep it.

        What was traded by hand later than this moment goes: time goes on from here otherwise.
        """
        if is_trade(command) and self._command < len(self.commands):
            self.branch()
        stamp_ns = max(self.now_ns, self.engine.now_ns)
        changed = self._walk_to(stamp_ns, _no_limit)
        stamped = msgspec.structs.replace(command, t_ns=stamp_ns)
        frame = Frame(COMMAND, msgspec.json.encode(stamped), stamp_ns)
        if len(self.commands) < COMMANDS_MAX:
            self.commands.insert(self._command, frame)
            self._command += 1
            self._forget_later(stamp_ns)
        return changed | self.engine.advance([frame])

    def branch(self) -> None:
        """Drop what was done by hand after the moment shown."""
        del self.commands[self._command :]
        self._forget_later(self.now_ns)

    def jump(self, t_ns: int, *, whole: bool = False) -> Changed:
        """Go to a time; `work` does the walking. whole: leave nothing out, however long it takes.

        Gives what changed at once: everything where the engine was put back to a snapshot.
        """
        t_ns = min(max(t_ns, self.first_ns), max(self.index.last_ns, self.first_ns))
        self.pause()
        start = self._start_for(t_ns, whole)
        changed = Changed.NOTHING
        if start is not None:
            self._restore(start)
            changed = _EVERYTHING
        self._began_ns = self.now_ns
        self.target_ns = t_ns
        if not whole and self._may_leave_out(t_ns):
            if self.now_ns < (head_ns := self._head_ns()):
                self.target_ns, self._beyond = head_ns, t_ns
            else:
                self._leave_out(t_ns)
        return changed

    def walk_holes(self) -> Changed:
        """Walk what was left out, from before the first hole to the moment shown."""
        if not self.holes:
            return Changed.NOTHING
        now_ns, first_ns = self.now_ns, self.holes[0][0]
        self.snapshots.drop(lambda mark: bool(mark.holes))
        self._restore(self._clean_before(first_ns))
        self.pause()
        self._began_ns, self.target_ns = self.now_ns, now_ns
        return _EVERYTHING

    def step(self, until: Callable[[], bool] | None = None) -> None:
        """Walk to the next frame, or on until something is true; `work` does the walking."""
        frame = self._reel.peek()
        self.playing = False
        if frame is None:
            return
        self._began_ns = self.now_ns
        goal = self._frames + 1
        self._until = until or (lambda: self._frames >= goal)
        self.target_ns = self.index.last_ns

    # --- what drives it --------------------------------------------------------------------------

    def tick(self, dt_s: float, budget: Budget = _no_limit) -> Changed:
        """So much real time passed while playing: walk what is due, as long as the slice lasts.

        Where the slice is too short the tape goes on more slowly than asked: nothing is left out.
        """
        if not self.playing or dt_s <= 0.0:
            return Changed.NOTHING
        before_ns = self.now_ns
        changed = self._walk_to(before_ns + round(dt_s * self.speed * 1e9), budget)
        if self.at_end and self.now_ns >= self.index.last_ns:
            self.playing = False
        reached = (self.now_ns - before_ns) / 1e9 / dt_s
        known = math.isfinite(self.reached_speed)
        self.reached_speed += RATE_SHARE * (reached - self.reached_speed) if known else 0.0
        self.reached_speed = self.reached_speed if known else reached
        return changed

    def work(self, budget: Budget = _no_limit) -> Changed:
        """Go on with a jump, a step or a walk for one slice."""
        if self.target_ns is None:
            return Changed.NOTHING
        if self._words:
            return self._hear_words(budget)
        if self._until is None:
            changed = self._walk_to(self.target_ns, budget)
            if self.target_ns is not None and self.now_ns >= self.target_ns:
                self.target_ns, self._beyond = self._beyond, None
                if self.target_ns is not None and self._may_leave_out(self.target_ns):
                    self._leave_out(self.target_ns)
            return changed
        return self._step_on(budget)

    def took(self, raw_bytes: int, seconds: float) -> None:
        """How long walking so many raw bytes took here: later estimates go by it."""
        if raw_bytes > 100_000 and seconds > 0.0:
            self._rate += RATE_SHARE * (raw_bytes / seconds - self._rate)

    @property
    def raw_walked(self) -> int:
        """Raw bytes of the tape before the block that is walked."""
        return self.index.raw_bytes(0, self._reel.block)

    # --- walking ---------------------------------------------------------------------------------

    def _walk_to(self, t_ns: int, budget: Budget) -> Changed:
        """Frames and commands up to a time, and the time shown behind them; or as far as it got."""
        changed = Changed.NOTHING
        while True:
            batch = list(self._due(t_ns, BATCH_FRAMES))
            if not batch:
                if not self.blocked:
                    self.now_ns = max(self.now_ns, t_ns)
                return changed
            changed |= self._advance(batch)
            if not budget():
                return changed

    def _step_on(self, budget: Budget) -> Changed:
        changed = Changed.NOTHING
        last_ns = self.index.last_ns
        while self.target_ns is not None and self._until is not None:
            batch = list(self._due(last_ns, 1))
            if batch:
                changed |= self._advance(batch)
            if not batch or self._until():
                self.target_ns = self._until = None
            if not budget():
                break
        return changed

    def _advance(self, batch: Sequence[Frame]) -> Changed:
        changed = self.engine.advance(batch)
        self.now_ns = max(self.now_ns, batch[-1].t_ns)
        if self.snapshots.due(self._frames):
            self.snapshots.take(self.engine, self.journal, self._mark())
        return changed

    def _due(self, t_ns: int, most: int) -> Iterator[Frame]:
        """At most so many of the next frames and commands up to a time, in the order of a merge."""
        reel, commands = self._reel, self.commands
        for _ in range(most):
            frame = reel.peek()
            by_hand = commands[self._command] if self._command < len(commands) else None
            if by_hand is not None and (frame is None or by_hand.t_ns < frame.t_ns):
                if by_hand.t_ns > t_ns:
                    return
                self._command += 1
                yield by_hand
            elif frame is not None and frame.t_ns <= t_ns:
                if self.holes and frame.conn == COMMAND and mark_of(frame) == TRADES:
                    self.blocked = True
                    self.pause()
                    return
                reel.pass_by()
                self._frames += 1
                yield frame
            else:
                return

    # --- jumping ---------------------------------------------------------------------------------

    def _mark(self) -> Mark:
        reel = self._reel
        return Mark(reel.block, reel.row, self._command, self.now_ns, self._frames, self.holes)

    def _restore(self, snapshot: Snapshot) -> None:
        self.snapshots.restore(self.engine, self.journal, snapshot)
        mark = snapshot.mark
        self._reel.go(mark.block, mark.row)
        self._command, self._frames, self.holes = mark.command, mark.frames, mark.holes
        self.now_ns, self.blocked = mark.now_ns, False

    def _start_for(self, t_ns: int, whole: bool) -> Snapshot | None:
        """The snapshot to start from, None to go on from here."""
        ahead = t_ns >= self.now_ns and not (whole and self.holes)
        for kept in self.snapshots.before(t_ns):
            if ahead and kept.mark.now_ns <= self.now_ns:
                return None
            if not (whole and kept.mark.holes):
                return kept
        raise AssertionError("the snapshot at the tape's begin is always there")

    def _clean_before(self, t_ns: int) -> Snapshot:
        return next(kept for kept in self.snapshots.before(t_ns) if not kept.mark.holes)

    def _forget_later(self, t_ns: int) -> None:
        """Snapshots after a moment at which something was done otherwise are not true any more."""
        count = self._command
        self.snapshots.drop(lambda mark: mark.now_ns > t_ns or mark.command >= count)

    def _head_ns(self) -> int:
        index = self.index
        begun_ns, block = index.first_ns, index.block_at(index.first_ns + HEAD_NS)
        while block and index.raw_bytes(0, block) > HEAD_BYTES:
            block -= 1
        return min(begun_ns + HEAD_NS, max(begun_ns, index.block_ns(block)))

    def _warm_block(self, t_ns: int) -> int:
        """Where the warm-up before a time begins."""
        index, end = self.index, self.index.block_at(t_ns)
        block = index.block_at(t_ns - WARM_UP_NS)
        while block < end and index.raw_bytes(block, end) > WARM_UP_BYTES:
            block += 1
        return block

    def _may_leave_out(self, t_ns: int) -> bool:
        """Whether a stretch before the target is long, and nothing in it moves money as known.

        A block that was not surveyed yet says nothing; `doubt` tells later what it held.
        """
        block, index = self._warm_block(t_ns), self.index
        if (
            self.blocked
            or block <= self._reel.block + 1
            or self.walk_s(self.now_ns, t_ns) <= WALK_S_MAX
        ):
            return False
        engine = self.engine
        held = engine.open_pairs() or engine.desk.pending
        by_hand = any(frame.t_ns <= t_ns for frame in self.commands[self._command :])
        traded = index.trades_in(self._reel.block, index.block_at(t_ns) + 1)
        return not (held or by_hand or traded)

    def _leave_out(self, t_ns: int) -> None:
        """Pass by all frames before the warm-up; `work` hears our own words among them first."""
        block, reel, index = self._warm_block(t_ns), self._reel, self.index
        from_ns = self.now_ns
        self._words = list(index.words_in(reel.block + 1, block)[-WORDS_MAX:])
        reel.go(block)
        self.now_ns = self._began_ns = max(from_ns, index.block_ns(block))
        self.holes = (*self.holes, (from_ns, self.now_ns))

    def _hear_words(self, budget: Budget) -> Changed:
        """Links and what was watched, of the blocks passed by, with the answers that came then."""
        changed = Changed.NOTHING
        while self._words:
            frames = self.index.frames(self._words.pop(0))
            changed |= self.engine.advance([each for each in frames if mark_of(each) != PLAIN])
            if not budget():
                break
        return changed

    @property
    def doubt(self) -> bool:
        """Somebody traded in a stretch that was left out: the account is not the tape's."""
        index = self.index
        return any(
            index.trades_in(index.block_at(from_ns), index.block_at(to_ns))
            for from_ns, to_ns in self.holes
        )


def commands_text(commands: Sequence[Frame]) -> str:
    """Hand commands as the file that `basisdesk replay --commands` reads."""
    lines = ['{"basisdesk_commands": 1}', *(frame.payload.decode() for frame in commands)]
    return "\n".join(lines) + "\n"
