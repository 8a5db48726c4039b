"""Which moments are candidates, and how each ended: told at its horizon, never at its barrier.

A candidate is noted before anyone can know its end, by a rule in words (label_rules.py). It is
entered at the first tradable quote after the latency and followed on executable prices until the
first barrier. Winners are decided early and losers at the horizon, so an answer given at the
barrier would teach a young model that everything wins; all answers wait until t + H.

What cannot be known is not guessed, and not dropped by how it ended either. Without a tradable
quote the next one counts (a loss while the feed was down is a loss). Where the desk itself was away
longer than `away_s`, nobody saw the path: every label whose time that touches is void, decided ones
too, else only quick winners would be left.

What is no price decides nothing. A basis beyond BASIS_MAX_BP is not traded on. One that leaps, by
more than LEAPS times gain and stop together from the beat before, counts with the second beat that
says so: the first is passed over as if it could not be traded.

    net   = d (entry - exit) - cost + funding - borrow, bp, both bases executable at the user's size
    wider = d (mid basis - mid basis at entry)
`Tick.cost_bp` is what those bases do not hold: four fees and changing money, no spread, no depth.
Settlements s with t_entry < s <= t_exit are paid. One that is not published yet counts at the rate
last heard before it, and its published rate corrects the net later; y stays as decided.
"""

import math
from collections import deque
from typing import Any, NamedTuple

import msgspec

from basisdesk.forecast.features_basis import BASIS_MAX_BP
from basisdesk.forecast.label_prices import Prices
from basisdesk.forecast.label_rules import HOUR_NS, S_NS, LabelRules
from basisdesk.forecast.words import SETTLED_TAIL, Candidate, How, Label, Tick

MS_NS = 1_000_000
SAME_MS = 60_000  # a published settlement so near to an expected one is that one
PAID_MAX = 2 * SETTLED_TAIL  # settlements remembered a pair: more than a tick can carry
LEAPS = 10.0  # see above
MARK_APART = 0.2  # of the perpetual's mid: a mark farther from it is none
NEVER_NS = 1 << 62
VOID_AWAY = "the desk was away"
VOID_ENTRY = "no tradable quote to enter at"


class Released(NamedTuple):
    """A candidate and its end. noted: what the forecaster wanted to remember with it."""

    candidate: Candidate
    label: Label
    noted: dict[str, Any]


class _Open(msgspec.Struct):
    # one candidate under way. worth: net plus u of its side, see _Side
    candidate: Candidate
    due_ns: int
    until_ns: int
    noted: dict[str, Any]
    entered_ns: int = 0
    worth: float = 0.0
    funding: float = 0.0
    mid: float = 0.0  # d * mid basis at entry
    liq: float = 0.0  # d * price
    worst: float = math.inf
    best: float = -math.inf
    how: str = ""
    first_ns: int = 0
    net: float = 0.0
    void: str = ""


class _Side:
    # All open labels of a side read one exit price, so one number a beat decides whether any of
    # them is at a barrier: u = d * exit + borrow paid so far, and net = worth - u.
    def __init__(self, direction: int, rules: LabelRules) -> None:
        self.direction = direction
        self.rules = rules
        self.open: list[_Open] = []
        self.low = math.inf  # of u since the last fold
        self.high = -math.inf
        self.u = math.nan  # the last one known
        self.u_ns = 0
        self.target_at = -math.inf  # u at or below it: somebody's target
        self.stop_at = math.inf  # d * mid at or above it: somebody's stop
        self.liq_at = math.inf  # d * mark at or above it: somebody's liquidation
        self.until_ns = NEVER_NS  # the first horizon of them

    def fold(self) -> None:
        """Bring worst and best of all open labels up to the last beat."""
        if self.low <= self.high:
            for each in self.open:
                each.best = max(each.best, each.worth - self.low)
                each.worst = min(each.worst, each.worth - self.high)
        self.low, self.high = math.inf, -math.inf

    def levels(self) -> None:
        """Work out again where the nearest barriers are."""
        gain, stop = self.rules.gain_bp, self.rules.stop_bp
        self.target_at = max((each.worth for each in self.open), default=-math.inf) - gain
        self.stop_at = min((each.mid for each in self.open), default=math.inf) + stop
        self.liq_at = min((each.liq for each in self.open), default=math.inf)
        self.until_ns = min((each.until_ns for each in self.open), default=NEVER_NS)

    def walk(self, t_ns: int, u: float, mid: float, mark: float) -> None:
        """One tradable beat of what is open: mid and mark come times the direction."""
        self.u, self.u_ns = u, t_ns
        if u < self.low:
            self.low = u
        if u > self.high:
            self.high = u
        near = u <= self.target_at or mid >= self.stop_at or mark >= self.liq_at
        if not near and t_ns < self.until_ns:
            return
        self.fold()
        rest = []
        for each in self.open:
            how = self._barrier(each, u, mid, mark)
            if how:
                each.how, each.first_ns, each.net = how, t_ns, each.worth - u
            else:
                rest.append(each)
        self.open = rest
        self.levels()

    def _barrier(self, each: _Open, u: float, mid: float, mark: float) -> How | None:
        if self.u_ns >= each.until_ns:
            return "time"
        if mark >= each.liq:
            return "liquidated"
        if mid - each.mid >= self.rules.stop_bp:
            return "stop"
        if each.worth - u >= self.rules.gain_bp:
            return "target"
        return None

    def dump(self) -> list[float | None]:
        return [_or_none(each) for each in (self.low, self.high, self.u, float(self.u_ns))]


class PairLabels:
    """The labels of one pair: `beat` each second, `add` a candidate, take what is released."""

    def __init__(self, rules: LabelRules) -> None:
        self.rules = rules
        self.voids: dict[str, int] = {}
        self._last_ns = 0
        self._cool_ns = {1: 0, -1: 0}
        self._waiting: list[_Open] = []
        self._queue: deque[_Open] = deque()
        self._sides = {1: _Side(1, rules), -1: _Side(-1, rules)}
        self._borrow = 0.0  # bp paid for a borrowed coin since the start of time
        self._paid: dict[int, list[float]] = {}  # ms: bp to the short perp, 1.0 when published
        self._newest_ms = 0
        self._next = (0, 0.0)  # settlement that comes, bp that it would pay now
        self._prices = Prices(LEAPS * (rules.gain_bp + rules.stop_bp))

    def __len__(self) -> int:
        return len(self._queue)

    def may(self, tick: Tick, x_bp: float, z: float) -> bool:
        """Whether this moment is a candidate of the tick's side."""
        d, rules = tick.direction, self.rules
        if tick.stale or not (d * x_bp >= rules.x_bp or d * z >= rules.z):
            return False
        if tick.t_ns < self._cool_ns[d]:
            return False
        traded = -BASIS_MAX_BP < tick.entry_bp(d) < BASIS_MAX_BP
        return traded and math.isfinite(tick.cost_bp)

    def add(self, candidate: Candidate, noted: dict[str, Any]) -> None:
        """Note a candidate. From here on its end is nobody's choice."""
        t_ns, rules = candidate.t_ns, self.rules
        self._cool_ns[candidate.direction] = t_ns + round(rules.cooldown_s * S_NS)
        due_ns = t_ns + round(rules.latency_ms * MS_NS)
        each = _Open(candidate, due_ns, t_ns + rules.horizon_ns, noted)
        self._queue.append(each)
        self._waiting.append(each)

    def beat(self, tick: Tick) -> list[Released]:
        """Follow all that is open by one beat; gives what reached its horizon, oldest first."""
        t_ns = tick.t_ns
        if self._queue:
            self._saw(t_ns)
            self._settle(tick)
            if self._sides[-1].open:
                self._borrow += self.rules.borrow_8h_bp * (t_ns - self._last_ns) / (8 * HOUR_NS)
            if not tick.stale:
                self._walk(tick)
        else:
            self._settle(tick)
            if not tick.stale:
                self._prices.idle = tick
        self._last_ns = t_ns
        if self._queue and t_ns >= self._queue[0].until_ns:
            return self._release(tick)
        return []

    def decided(self, since_ns: int) -> list[int]:
        """Candidates noted since then whose end is decided, though it is not told yet."""
        found = []
        for each in reversed(self._queue):
            if each.candidate.t_ns < since_ns:
                break
            if each.how or each.void:
                found.append(each.candidate.id)
        return found

    # --- keeping ---------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """All that is remembered, as plain JSON."""
        queue = list(self._queue)
        number = {id(each): i for i, each in enumerate(queue)}
        return {
            "voids": dict(self.voids),
            "last_ns": self._last_ns,
            "cool_ns": [self._cool_ns[1], self._cool_ns[-1]],
            "queue": [_plain(each) for each in queue],
            "waiting": [number[id(each)] for each in self._waiting],
            "open": [[number[id(each)] for each in self._sides[d].open] for d in (1, -1)],
            "sides": [self._sides[d].dump() for d in (1, -1)],
            "borrow": self._borrow,
            "paid": [[ms, *paid] for ms, paid in self._paid.items()],
            "newest_ms": self._newest_ms,
            "next": list(self._next),
            **self._prices.dump(),
        }

    @classmethod
    def restored(cls, kept: dict[str, Any], rules: LabelRules) -> "PairLabels":
        """The labels of a dump, bit for bit."""
        found = cls(rules)
        found.voids = {str(why): int(n) for why, n in kept["voids"].items()}
        found._last_ns = int(kept["last_ns"])
        found._cool_ns = dict(zip((1, -1), kept["cool_ns"], strict=True))
        queue = [_opened(each) for each in kept["queue"]]
        found._queue = deque(queue)
        found._waiting = [queue[i] for i in kept["waiting"]]
        for d, places, (low, high, u, u_ns) in zip(
            (1, -1), kept["open"], kept["sides"], strict=True
        ):
            side = found._sides[d]
            side.open = [queue[i] for i in places]
            side.low = math.inf if low is None else float(low)
            side.high = -math.inf if high is None else float(high)
            side.u = math.nan if u is None else float(u)
            side.u_ns = int(u_ns)
            side.levels()
        found._borrow = float(kept["borrow"])
        found._paid = {int(ms): [float(bp), float(told)] for ms, bp, told in kept["paid"]}
        found._newest_ms = int(kept["newest_ms"])
        found._next = (int(kept["next"][0]), float(kept["next"][1]))
        found._prices.restore(kept)
        return found

    # --- inside: the path ------------------------------------------------------------------------

    def _saw(self, t_ns: int) -> None:
        if t_ns - self._last_ns <= self.rules.away_s * S_NS:
            return
        for each in self._queue:
            if each.until_ns > self._last_ns:
                each.void = VOID_AWAY

    def _walk(self, tick: Tick) -> None:
        # spelt out: a fifth of what properties and calls cost, each second of each pair
        spot, usual = (tick.spot_bid + tick.spot_ask) / 2, (tick.perp_bid + tick.perp_ask) / 2
        mid = 1e4 * (usual - spot) / spot if spot > 0.0 else math.nan
        if not self._prices.hold(tick, mid):
            return
        mark, t_ns = tick.mark, tick.t_ns
        if not (1.0 - MARK_APART) * usual < mark < (1.0 + MARK_APART) * usual:
            mark = usual
        sides, out = self._sides, tick.close_bp
        if -math.inf < out < math.inf:
            side = sides[1]
            if side.open:
                side.walk(t_ns, out, mid, mark)
            else:
                side.u, side.u_ns = out, t_ns
        out = self._borrow - tick.open_bp
        if -math.inf < out < math.inf:
            side = sides[-1]
            if side.open:
                side.walk(t_ns, out, -mid, -mark)
            else:
                side.u, side.u_ns = out, t_ns
        if self._waiting:
            self._enter(tick)

    def _enter(self, tick: Tick) -> None:
        rest = []
        for each in self._waiting:
            d = each.candidate.direction
            side = self._sides[d]
            entry = tick.entry_bp(d)
            known = math.isfinite(entry) and side.u_ns == tick.t_ns
            if not known or not each.due_ns <= tick.t_ns < each.until_ns:
                rest.append(each)
                continue
            each.entered_ns = tick.t_ns
            each.worth = d * entry - each.candidate.cost_bp + (self._borrow if d < 0 else 0.0)
            each.mid = d * tick.mid_bp
            each.liq = d * self.rules.liquidation(d) * tick.perp_mid
            side.fold()
            side.open.append(each)
            each.best = each.worst = each.worth - side.u
            side.levels()
        self._waiting = rest

    # --- inside: funding -------------------------------------------------------------------------

    def _settle(self, tick: Tick) -> None:
        # what was paid since the last beat, published or expected
        due_ms, expected = self._next
        now_ms = tick.t_ns // MS_NS
        newest_ms = tick.settled[-1][0] if tick.settled else 0
        if newest_ms > self._newest_ms:  # a tail that is gone for a while is no news
            self._published(tick)
        if due_ms and now_ms >= due_ms:
            if self._queue and not any(abs(ms - due_ms) <= SAME_MS for ms in self._paid):
                self._pay(due_ms, expected, told=False)
            self._next = (0, 0.0)
        if tick.next_ms > now_ms and math.isfinite(tick.rate):
            self._next = (tick.next_ms, 1e4 * tick.rate)

    def _published(self, tick: Tick) -> None:
        tail = tick.settled
        for i, (ms, bp_8h) in enumerate(tail):
            if ms <= self._newest_ms or not math.isfinite(bp_8h):
                continue
            before = tail[i - 1][0] if i else 0
            hours = tick.interval_h
            if not hours > 0.0:
                hours = (ms - before) / 3.6e6 if before else 8.0
            same = next((at for at in self._paid if abs(at - ms) <= SAME_MS), ms)
            self._pay(same, bp_8h * hours / 8.0, told=True)
        self._newest_ms = tail[-1][0]

    def _pay(self, ms: int, bp: float, *, told: bool) -> None:
        before = self._paid.get(ms, [0.0, 0.0])
        if before[1]:
            return
        self._paid[ms] = [bp, float(told)]
        while len(self._paid) > PAID_MAX:
            del self._paid[next(iter(self._paid))]
        more, at_ns = bp - before[0], ms * MS_NS
        for side in self._sides.values():
            side.fold()
        for each in self._queue:
            if not each.entered_ns or not each.entered_ns < at_ns:
                continue
            paid = each.candidate.direction * more
            if not each.how:
                each.worth += paid
                each.funding += paid
            elif at_ns <= each.first_ns:
                each.net += paid
                each.funding += paid
        for side in self._sides.values():
            side.levels()

    # --- inside: release -------------------------------------------------------------------------

    def _release(self, tick: Tick) -> list[Released]:
        found = []
        while self._queue and tick.t_ns >= self._queue[0].until_ns:
            each = self._queue[0]
            if not (each.void or each.how or self._time_out(each, tick)):
                break  # its exit waits for the next tradable quote
            self._queue.popleft()
            if each.void:
                self._forget(each)
                self.voids[each.void] = self.voids.get(each.void, 0) + 1
            else:
                found.append(Released(each.candidate, _label(each, tick.t_ns), each.noted))
        return found

    def _time_out(self, each: _Open, tick: Tick) -> bool:
        # no tradable quote since the horizon; after twice of it the last known price is taken
        if not each.entered_ns:
            each.void = VOID_ENTRY
            return True
        if tick.t_ns < each.until_ns + self.rules.horizon_ns:
            return False
        side = self._sides[each.candidate.direction]
        side.fold()
        each.how, each.first_ns, each.net = "time", tick.t_ns, each.worth - side.u
        side.open = [other for other in side.open if other is not each]
        side.levels()
        return True

    def _forget(self, each: _Open) -> None:
        self._waiting = [other for other in self._waiting if other is not each]
        side = self._sides[each.candidate.direction]
        side.open = [other for other in side.open if other is not each]
        side.levels()


def _label(each: _Open, t_ns: int) -> Label:
    return Label(
        candidate=each.candidate.id,
        y=int(each.how == "target"),
        net_bp=each.net,
        t_first_ns=each.first_ns,
        mae_bp=min(each.worst, each.net),
        mfe_bp=max(each.best, each.net),
        how=each.how,  # type: ignore[arg-type]  # _Open keeps "" for undecided
        released_ns=t_ns,
    )


def _plain(each: _Open) -> dict[str, Any]:
    kept: dict[str, Any] = msgspec.to_builtins(each)
    for name in ("worst", "best"):
        kept[name] = _or_none(kept[name])
    for name in ("cost_bp", "target_bp"):
        kept["candidate"][name] = _or_none(kept["candidate"][name])
    return kept


def _opened(kept: dict[str, Any]) -> _Open:
    candidate = {name: value for name, value in kept["candidate"].items() if value is not None}
    filled = {**kept, "candidate": candidate}
    filled["worst"] = math.inf if kept["worst"] is None else kept["worst"]
    filled["best"] = -math.inf if kept["best"] is None else kept["best"]
    return msgspec.convert(filled, _Open)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
