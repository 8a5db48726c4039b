"""The stochastic market: coins, venues and the currencies between them.

Everything here is SIMULATED. A market is a function of its seed, its scenario and the anchor (the
time of its first run); neither the speed nor the moments at which it is looked at change a path.
Each coin is walked when it is first asked for: ten days of history in steps of a minute, the
present in steps of 100 ms between the minute points. Pages of past funding reach 20 days further
back (`mirror`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import BY_NAME, Coin
from basisdesk.demo.days import CoinDays, Start, fresh_state, usd_day
from basisdesk.demo.funding import MINUTE_MS
from basisdesk.demo.listings import Market as Listed
from basisdesk.demo.listings import by_symbol
from basisdesk.demo.minutes import Minutes, shared_steps
from basisdesk.demo.mirror import Mirror
from basisdesk.demo.places import DAY_MIN
from basisdesk.demo.planted import NOTHING, Planted
from basisdesk.demo.quoted import Quoted, World
from basisdesk.demo.scenarios import Overlay, find_scenario
from basisdesk.demo.tides import Tides
from basisdesk.demo.walk import CoinState
from basisdesk.demo.wire import Spec

Floats = NDArray[np.float64]

HISTORY_MIN = 10 * DAY_MIN + 8 * 60  # 30 settlements and a bit
KEEP_DAYS = 16  # of minutes; older ones are dropped
GAP_MAX_MS = 30 * DAY_MIN * MINUTE_MS  # after a longer pause only the prices are taken over
STATE_VERSION = 2


class Market:
    """Owner of the simulated paths. `advance` says what time it is and lets go of old days.

    seed: 0 .. 2**31. epoch_ms: when this market's first run starts (its anchor).
    pins: prices that coins have at the epoch, in USDT; the others have their usual ones.
    """

    def __init__(
        self,
        seed: int,
        scenario: str,
        epoch_ms: int,
        pins: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        found = find_scenario(scenario)
        self.seed = seed
        self.scenario = scenario
        self.anchor_ms = epoch_ms
        self.about = found.about
        self.minute = epoch_ms // MINUTE_MS
        self.overlays: tuple[Overlay, ...] = tuple(make(epoch_ms, seed) for make in found.overlays)
        self._preset = found.preset
        self._pins = dict(pins)
        self._tides = Tides(seed, (self.minute - HISTORY_MIN) // DAY_MIN, {})
        self._mirror = Mirror(seed, found.preset, self.overlays)
        self._days: dict[str, CoinDays] = {}
        self._minutes: dict[str, Minutes] = {}
        self._quoted: dict[str, Quoted] = {}
        self._listed: dict[tuple[str, str], dict[str, Spec]] = {}
        self._usd: dict[int, Floats] = {}
        self._shared: dict[int, Floats] = {}

    # Looking

    def leg(self, spec: Spec) -> Quoted:
        """One instrument's path."""
        found = self._quoted.get(spec.key)
        if found is None or found.spec is not spec:
            days = self.coin(BY_NAME[spec.base])
            world = World(self.seed, days, self._minutes[spec.base], self._usd_of)
            found = self._quoted[spec.key] = Quoted(spec, world, self._planted(spec))
        return found

    def listed(self, venue: str, market: Listed) -> dict[str, Spec]:
        """What a venue lists in this market, by symbol: intervals may be others than usual."""
        found = self._listed.get((venue, market))
        if found is None:
            usual = by_symbol(venue, market)
            found = {symbol: self._as_planted(spec) for symbol, spec in usual.items()}
            self._listed[venue, market] = found
        return found

    def find(self, key: str) -> Quoted:
        """The instrument of a leg's name, "okx:perp:ADA-USDT-SWAP"; KeyError for no such."""
        venue, market, symbol = key.split(":")
        return self.leg(self.listed(venue, "perp" if market == "perp" else "spot")[symbol])

    def coin(self, coin: Coin) -> CoinDays:
        """The common path of a coin; it is walked now if nobody asked before."""
        found = self._days.get(coin.name)
        if found is None:
            found = self._begun(coin, fresh_state(coin, self._preset, self.seed))
        return found

    def depth(self, now_ms: int) -> float:
        """Factor on all books, 1 is normal."""
        out = 1.0
        for overlay in self.overlays:
            out *= overlay.depth(now_ms)
        return out

    def silent(self, conn: str, now_ms: int) -> bool:
        """Whether the scenario keeps the connection ("bybit.linear") silent."""
        return any(overlay.silent(conn, now_ms) for overlay in self.overlays)

    # Moving

    def advance(self, now_ms: int) -> None:
        """It is `now_ms`. Earlier times than before change nothing."""
        self.minute, before = max(self.minute, now_ms // MINUTE_MS), self.minute
        today = self.minute // DAY_MIN
        if today == before // DAY_MIN:
            return
        keep = today - KEEP_DAYS
        if keep > self._tides.first_day:
            for days in self._days.values():
                days.state(keep)  # walks there while the tides still know the days
                days.drop_before(keep)
            self._tides.drop_before(keep)
        self._usd = {day: path for day, path in self._usd.items() if day >= keep}

    def _planted(self, spec: Spec) -> Planted:
        found = (overlay.planted(spec) for overlay in self.overlays)
        return next((planted for planted in found if planted is not NOTHING), NOTHING)

    def _as_planted(self, spec: Spec) -> Spec:
        hours = self._planted(spec).hours
        return spec._replace(interval_h=hours) if hours not in (0, spec.interval_h) else spec

    def _begun(
        self, coin: Coin, state: CoinState, base: float | None = None, *, weeks: bool = True
    ) -> CoinDays:
        day = self._tides.first_day
        anchor = max(self.anchor_ms, day * DAY_MIN * MINUTE_MS)
        mirror = self._mirror if weeks else None
        start = Start(day, state, base, anchor, self._pins.get(coin.name, coin.price), mirror)
        days = CoinDays(coin, self.seed, self._preset, start, self._tides, self.overlays)
        self._days[coin.name] = days
        self._minutes[coin.name] = Minutes(days, self.seed, self._shared_of)
        return days

    def _usd_of(self, day: int) -> Floats:
        found = self._usd.get(day)
        if found is None:
            found = self._usd[day] = usd_day(self.seed, day, self.overlays)
        return found

    def _shared_of(self, minute: int) -> Floats:
        found = self._shared.get(minute)
        if found is None:
            if len(self._shared) >= 4:
                del self._shared[min(self._shared)]
            found = self._shared[minute] = shared_steps(self.seed, minute)
        return found

    # Keeping

    def dump(self) -> dict[str, Any]:
        """What a later `Market.restored` needs, ready for JSON."""
        day = max((self.minute - HISTORY_MIN) // DAY_MIN, self._tides.first_day)
        coins = {
            name: {
                "state": msgspec.to_builtins(days.state(day)),
                "base": days.base,
                "price": float(np.exp(days.point(self.minute)[0])),
                "weeks": days.oldest_day < days.first_day == day,
            }
            for name, days in self._days.items()
        }
        return {
            "version": STATE_VERSION,
            "seed": self.seed,
            "scenario": self.scenario,
            "anchor_ms": self.anchor_ms,
            "minute": self.minute,
            "day": day,
            "tides": self._tides.variances(day),
            "coins": coins,
            "pins": self._pins,
        }

    @classmethod
    def restored(cls, seed: int, scenario: str, kept: dict[str, Any], wanted_ms: int) -> "Market":
        """The market a `dump` was taken of, moved on to `wanted_ms`.

        With another seed or scenario, or after more than 30 days, a new market begins at the prices
        of the dump. Raises ValueError when `kept` is not a dump of this version.
        """
        dump = msgspec.convert(kept, _Dump)  # its ValidationError is a ValueError
        if dump.version != STATE_VERSION or not set(dump.coins) <= set(BY_NAME):
            raise ValueError("another version or other coins")
        now_ms = dump.minute * MINUTE_MS
        pins = dump.pins | {name: row.price for name, row in dump.coins.items()}
        same = (dump.seed, find_scenario(dump.scenario)) == (seed, find_scenario(scenario))
        if not same or wanted_ms - now_ms > GAP_MAX_MS:
            return cls(seed, scenario, max(wanted_ms, now_ms), pins)
        market = cls(seed, scenario, dump.anchor_ms, dump.pins)
        market._tides = Tides(seed, dump.day, dump.tides)
        for name, row in dump.coins.items():
            market._begun(BY_NAME[name], row.state, row.base, weeks=row.weeks)
        market.advance(max(wanted_ms, now_ms))
        return market


class _Kept(msgspec.Struct):
    state: CoinState
    base: float
    price: float
    weeks: bool = False  # the days before are still those of the first run


class _Dump(msgspec.Struct):
    version: int
    seed: int
    scenario: str
    anchor_ms: int
    minute: int
    day: int
    tides: dict[str, float]
    coins: dict[str, _Kept]
    pins: dict[str, float]
