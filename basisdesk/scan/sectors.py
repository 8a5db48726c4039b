"""The sector overlay: does funding say that longs crowd into DeFi, and what is that worth.

Levels are of this moment, by the floating rates; the state of a sector is of its settlements
(`sector_history`, `sector_states`). A funding opportunity in a coin of a hot sector that receives
from longs is confirmed, in a cold one contradicted. That prices follow is another claim, which is
not proven here: `UNPROVEN` says so wherever a state is shown.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from basisdesk.scan import sector_levels as levels
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_history import (
    MEMBERS_MIN,
    Z_LEAST,
    Z_STAMPS,
    SectorHistory,
    Story,
)
from basisdesk.scan.sector_levels import CoinNow, Level
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sector_series import Floats
from basisdesk.scan.sector_states import LINE, NO_ROTATION, Rotation, sentence
from basisdesk.scan.words import Flag, SectorRow, SectorView
from basisdesk.venues.instrument import split_key, split_symbol

if TYPE_CHECKING:
    from basisdesk.config import Settings
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg, Universe

LOOK_NS = 5_000_000_000  # real time between two looks for news in the history
QUIET_NS = 30_000_000_000  # real time: a past that still changes moves no position
RATE_AGE_S_MIN = 120.0
RATE_AGE_POLLS = 3
UNPROVEN = (
    "Rotation is unproven: that prices follow a sector's funding has not been shown on your "
    "history. Not a reason to trade on its own."
)
DAY_MS = 86_400_000
NAN = float("nan")


class Sectors:
    """The overlay over one universe. Call `refresh` once a beat, then read `flag` and `words`.

    speed: stamped seconds in a real one, as in `Market`.
    """

    def __init__(self, sector_map: SectorMap, settings: "Settings", speed: float = 1.0) -> None:
        scanner = settings.scanner
        self.map = sector_map
        self.view = SectorView(map_date=sector_map.date, map_source=sector_map.source)
        self._coins = scanner.coins
        self._venues = frozenset(scanner.venues)
        age_s = max(RATE_AGE_S_MIN, RATE_AGE_POLLS * scanner.poll_s)
        self._age_ns = round(age_s * 1e9 * speed)
        self._look_ns, self._quiet_ns = round(LOOK_NS * speed), round(QUIET_NS * speed)
        self._history = SectorHistory(sector_map, scanner.funding_days)
        self._states: dict[str, str] = {}
        self._said: dict[str, str] = {}  # the states that words go by
        self._edition: tuple[int, int] = (-1, -1)
        self._perps: dict[str, str] = {}  # coin by leg key, of all that settle
        self._looked_ns = 0
        self._minute = -1
        self._moves: tuple[dict[str, float], dict[str, float]] = ({}, {})  # a day, a week

    # --- what it says ----------------------------------------------------------------------------

    def flag(self, coin: str, direction: int) -> Flag:
        """What the coin's sector says of an opportunity; "" where no sector is known.

        direction: 1 where we are short the perpetual that the funding comes from (longs pay us),
        -1 where we are long it, 0 where neither is so.
        """
        sector = self.map.sector_of.get(coin)
        if sector is None or not self.view.rows:
            return ""
        lean = {"hot": 1, "cold": -1}.get(self._states.get(sector, "calm"), 0) * direction
        if not lean:
            return "neutral"
        return "confirmed" if lean > 0 else "contradicted"

    def words(self) -> dict[str, str]:
        """For `Market.sectors`: "for" of coins in hot sectors, "against" in cold ones, else "".

        All watched coins that have a sector. While the past is being filled in, the words stay as
        they were: an exit must not hang on half of a history.
        """
        word = {"hot": "for", "cold": "against"}
        return {
            coin: word.get(self._said.get(self.map.sector_of[coin], ""), "")
            for coin in self._coins
            if coin in self.map.sector_of
        }

    @property
    def market_levels(self) -> Floats:
        """Medians over all coins at past settlements, bp per 8 h; NaN where too few were known."""
        return self._history.story.level

    # --- the beat --------------------------------------------------------------------------------

    def refresh(self, market: "Market", now_ns: int) -> SectorView:
        """Read the universe; cheap enough for each second."""
        universe = market.universe
        self._find_perps(universe)
        if not self._history.busy and now_ns - self._looked_ns >= self._look_ns:
            self._looked_ns = now_ns
            self._history.look(universe.past, self._perps, now_ns)
        self._history.advance(now_ns)
        minute = now_ns // 60_000_000_000
        if minute != self._minute:
            self._minute = minute
            self._moves = self._measure_moves(universe, minute)
        self.view = self._read(universe, now_ns)
        self._states = {row.name: row.state for row in self.view.rows}
        if now_ns - self._history.moved_ns >= self._quiet_ns and not self._history.busy:
            self._said = dict(self._states)
        return self.view

    def _find_perps(self, universe: "Universe") -> None:
        # those of the universe, and those that the disk knows of before a page has come
        edition = (universe.edition, len(universe.past.perps))
        if edition == self._edition:
            return
        self._edition = edition
        perps, places = {}, set()
        for key, leg in universe.legs.items():
            if leg.market == "perp":
                places.add((leg.coin, leg.venue))
                if key not in universe.odd:
                    perps[key] = leg.coin
        for key in universe.past.perps:
            place = self._place(key)
            if place is not None and place not in places:
                places.add(place)
                perps[key] = place[0]
        self._perps = dict(sorted(perps.items()))

    def _place(self, key: str) -> tuple[str, str] | None:
        try:
            coin, venue = split_symbol(key)[0], split_key(key)[0]
        except ValueError:
            return None
        return (coin, venue) if coin in self._coins and venue in self._venues else None

    def _measure_moves(
        self, universe: "Universe", minute: int
    ) -> tuple[dict[str, float], dict[str, float]]:
        day, week = {}, {}
        for coin in self._coins:
            legs = sorted(universe.of(coin), key=_trust)
            if legs:
                keys = [leg.key for leg in legs]
                day[coin], week[coin] = levels.moves_pct(universe.past, keys, minute)
        return day, week

    def _read(self, universe: "Universe", now_ns: int) -> SectorView:
        story, now_ms = self._history.story, now_ns // 1_000_000
        coins = {}
        for coin in self._coins:
            found = levels.coin_now(universe.of(coin), now_ns - self._age_ns)
            if found is not None:
                coins[coin] = found
        whole = levels.level_of(list(coins.values()))
        rows = tuple(self._row(name, coins, whole, now_ms) for name in self.map.order)
        watched = {leg.coin for leg in universe.legs.values()}
        return SectorView(
            rows=rows if watched else (),
            times_ms=np.append(story.times_ms, now_ms),
            z_lines={row.name: np.append(_line(story, row.name, "z"), row.z) for row in rows},
            divergence_lines={
                row.name: np.append(_line(story, row.name, "divergence"), row.divergence_bp)
                for row in rows
            },
            line=LINE,
            map_date=self.map.date,
            map_source=self.map.source,
            unmapped=tuple(
                coin for coin in self._coins if coin in watched and coin not in self.map.sector_of
            ),
            verdict=UNPROVEN,
        )

    def _row(self, name: str, coins: Mapping[str, CoinNow], whole: Level, now_ms: int) -> SectorRow:
        members = [coin for coin in self.map.members(name) if coin in self._coins]
        level = levels.level_of([coins[coin] for coin in members if coin in coins])
        day, week = (levels.mean_move(moves, members) for moves in self._moves)
        if level.liquid < MEMBERS_MIN:
            words = f"{name}: {_liquid(level.liquid)}, {MEMBERS_MIN} are needed."
            return SectorRow(
                name, len(members), level.liquid, NAN, NAN, NAN, NAN, NAN, NAN, day, week, "calm",
                0, words,
            )  # fmt: skip
        line = self._history.story.lines.get(name)
        apart = level.rate_bp - whole.rate_bp
        before = line.divergence[-Z_STAMPS:] if line is not None else np.empty(0)
        z = series.last_z(apart, before, Z_LEAST)
        rotation = line.rotation if line is not None else NO_ROTATION
        return SectorRow(
            name=name,
            members=len(members),
            liquid=level.liquid,
            funding_8h_bp=level.rate_bp,
            funding_oi_8h_bp=level.rate_oi_bp,
            change_bp=level.rate_bp - _a_day_ago(self._history.story, name, now_ms),
            divergence_bp=apart,
            divergence_oi_bp=level.rate_oi_bp - whole.rate_oi_bp,
            z=z,
            momentum_day_pct=day,
            momentum_week_pct=week,
            state=rotation.state,
            since_ms=rotation.since_ms,
            words=_words(name, rotation, z, before),
        )


def _words(name: str, rotation: Rotation, z: float, before: Floats) -> str:
    known = int(np.count_nonzero(~np.isnan(before)))
    if known < Z_LEAST:
        return f"{name}: {known} settlements known, {Z_LEAST} are needed."
    return sentence(name, rotation, z)


def _liquid(count: int) -> str:
    return "1 liquid coin" if count == 1 else f"{count} liquid coins"


def _line(story: Story, name: str, what: str) -> Floats:
    line = story.lines.get(name)
    found: Floats = np.full(len(story.times_ms), NAN) if line is None else getattr(line, what)
    return found


def _a_day_ago(story: Story, name: str, now_ms: int) -> float:
    # the level at the settlement nearest to 24 h ago
    line = story.lines.get(name)
    if line is None or not len(story.times_ms):
        return NAN
    apart = np.abs(story.times_ms - (now_ms - DAY_MS))
    place = int(np.argmin(apart))
    return float(line.level[place]) if apart[place] <= series.STEP_MS // 2 else NAN


def _trust(leg: "ScanLeg") -> tuple[bool, float, str]:
    # perpetuals before spot, the most traded first
    return leg.market != "perp", -leg.turnover_day if leg.turnover_day > 0.0 else 0.0, leg.key
