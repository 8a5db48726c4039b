"""What alert rules look at: readings from the scanner's view and from the desk. Changes nothing.

A stale figure is not known: it crosses no line, and takes no crossing back.
"""

import decimal
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import numpy as np

from basisdesk.config import Settings
from basisdesk.market.basis import PairMarket
from basisdesk.market.state import Market
from basisdesk.scan.alert_watch import Places, Reading
from basisdesk.scan.alerts import SECTOR, STATES, Quantity, figure, leg_text
from basisdesk.scan.view import ScanView
from basisdesk.scan.words import FRESH, Matrix, Openings
from basisdesk.trading.desk import Desk
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.trading.readings import Reading as Trigger
from basisdesk.venues.instrument import split_key, split_symbol, venue_title

STALE_POLLS = 3  # pauses of the scanner's reading after which a venue's figure is old
_OF_OPENINGS: dict[Quantity, str] = {
    "basis": "mid_bp",
    "open_basis": "open_bp",
    "close_basis": "close_bp",
    "z": "z",
    "funding_8h": "rate_8h_bp",
    "velocity": "velocity_bp_h",
    "net_8h": "net_8h_bp",
}
_OF_PAIRS: tuple[Quantity, ...] = ("basis", "open_basis", "close_basis", "z", "funding_8h")


class Confidence(NamedTuple):
    """What the forecast says of one pair now. p: 0 to 1, NaN while it abstains or is old.

    said: in words, with its interval and the line that a trade needs.
    """

    first: str
    second: str
    direction: int
    p: float
    said: str


class DeskView(Protocol):
    """The engine as far as alerts look at it."""

    settings: Settings
    market: Market
    desk: Desk

    def open_pairs(self) -> list[PairPosition]:
        """Pairs that still hold something."""
        ...

    def shown(self) -> PairMarket | None:
        """The pair on the screen."""
        ...

    def readings(self) -> tuple[Trigger, ...]:
        """Every trigger as it stands."""
        ...


class Reader:
    """Makes the readings that are asked for. Keeps only what names the rows.

    sector_of: the sector of a coin. speed: desk seconds in a real one; silence is counted in real
    seconds, for no feed says more in a fast market. scores: what the forecast says now; may be
    replaced.
    """

    def __init__(self, sector_of: Mapping[str, str] | None = None, speed: float = 1.0) -> None:
        self.sector_of: Mapping[str, str] = sector_of or {}
        self._edition: tuple[int, int] | None = None
        self._known: dict[str, Places] = {}
        self._tags: dict[str, dict[str, list[int]]] = {}
        self._speed = max(1.0, speed)
        self.scores: Callable[[], Sequence[Confidence]] = tuple
        self._since_ns = 0  # first look: silence before it was not heard by us

    def read(
        self, view: ScanView | None, desk: DeskView, wanted: Collection[str], now_ns: int
    ) -> list[Reading]:
        """Readings of the wanted quantities, those that have a source."""
        self._since_ns = self._since_ns or now_ns
        readings: list[Reading] = []
        if view is not None:
            readings += self._of_scan(view, wanted, self._stale_s(desk))
        readings += self._of_pairs(desk, wanted, now_ns)
        readings += self._of_legs(desk, wanted, now_ns)
        if "win_rate" in wanted:
            readings.append(self._win_rate(desk))
        if "confidence" in wanted:
            readings.append(self._confidences(desk))
        return readings

    # --- the scanner -----------------------------------------------------------------------------

    def _of_scan(self, view: ScanView, wanted: Collection[str], stale_s: float) -> list[Reading]:
        readings = []
        if view.openings is not None:
            readings += self._of_openings(view.openings, wanted)
        if "cross_gap" in wanted and len(view.matrix.coins):
            readings.append(self._gaps(view.matrix, stale_s))
        if "btc_eth" in wanted:
            places = self._places("account", ("btc_eth",), ("",), {})
            gap = abs(view.strip.btc_eth_bp)
            readings.append(Reading("btc_eth", "scan", places, np.array([gap])))
        if "sector_state" in wanted and view.sectors.rows:
            readings.append(self._sectors(view))
        return readings

    def _of_openings(self, openings: Openings, wanted: Collection[str]) -> list[Reading]:
        asked = [quantity for quantity in _OF_OPENINGS if quantity in wanted]
        if not asked:
            return []
        if self._edition != (openings.edition, len(openings)):
            self._edition = (openings.edition, len(openings))
            self._known["openings"] = self._combos(openings)
        places, fresh = self._known["openings"], openings.state == FRESH
        return [
            Reading(
                quantity,
                "scan",
                places,
                np.where(fresh, getattr(openings, _OF_OPENINGS[quantity]), math.nan),
                None if quantity == "net_8h" else _after_costs(openings),
            )
            for quantity in asked
        ]

    def _combos(self, openings: Openings) -> Places:
        tags: dict[str, list[int]] = {}
        keys, names = [], []
        for row, combo in enumerate(openings.combos):
            key = f"{combo.long} {combo.short}"
            keys.append(key)
            long, short = split_key(combo.long)[:2], split_key(combo.short)[:2]
            sides = (f"{venue_title(venue)} {market}" for venue, market in (long, short))
            names.append(f"{combo.coin} {' / '.join(sides)}")
            for tag in {combo.coin, long[0], short[0], key, self._sector(combo.coin)}:
                tags.setdefault(tag, []).append(row)
        return Places(keys, names, tags, [combo.coin for combo in openings.combos])

    def _gaps(self, matrix: Matrix, stale_s: float) -> Reading:
        """The widest gap of a coin's funding between two venues heard lately."""
        rates, ages = matrix.funding_8h_bp, matrix.age_s
        with np.errstate(invalid="ignore"):
            known = np.isfinite(rates)
            if ages.shape == rates.shape:
                known &= ~(ages > stale_s)
        high, low = np.where(known, rates, -np.inf), np.where(known, rates, np.inf)
        two = known.sum(axis=1) >= 2
        values = np.full(len(matrix.coins), math.nan)
        values[two] = high.max(axis=1)[two] - low.min(axis=1)[two]
        tags: dict[str, list[int]] = {}
        for row, coin in enumerate(matrix.coins):
            for tag in (coin, self._sector(coin)):
                tags.setdefault(tag, []).append(row)

        def say(row: int) -> str:
            tops = ((int(high[row].argmax()), high), (int(low[row].argmin()), low))
            return (
                ", ".join(
                    f"{venue_title(matrix.venues[at])} {figure(float(of[row, at]), 'funding_8h')}"
                    for at, of in tops
                ).replace(" bp per 8 h,", ",")
                + "."
            )

        places = self._places("gaps", matrix.coins, matrix.coins, tags)
        return Reading("cross_gap", "scan", places, values, say)

    def _sectors(self, view: ScanView) -> Reading:
        rows = view.sectors.rows
        keys = [f"{SECTOR}{row.name}" for row in rows]
        places = self._places(
            "sectors", keys, [row.name for row in rows], {key: [at] for at, key in enumerate(keys)}
        )
        values = np.array([STATES.get(row.state, math.nan) for row in rows])
        return Reading("sector_state", "scan", places, values, lambda at: rows[at].words)

    # --- the desk --------------------------------------------------------------------------------

    def _of_pairs(self, desk: DeskView, wanted: Collection[str], now_ns: int) -> list[Reading]:
        """Open pairs, and the one on the screen, by the live legs.

        One that the scanner counts too answers to its number alone: "any" is not told twice.
        """
        asked = [quantity for quantity in _OF_PAIRS if quantity in wanted]
        if not asked:
            return []
        scanned = self._known.get("openings")
        names = _Names(self._sector)
        columns: list[Callable[[Quantity], float]] = []
        for position in desk.open_pairs():
            ref, other = position.reference.instrument, position.other.instrument
            key = f"{position.long.instrument} {position.short.instrument}"
            tags = [str(position.pair)]
            if scanned is None or scanned.row(key) < 0:
                tags += ["*", key, *names.of_legs(ref, other)]
            names.add(f"pair {position.pair}", f"pair {position.pair} {_coin(ref)}", tags)
            columns.append(_pair_figures(position, desk, now_ns))
        shown = desk.shown()
        if shown is not None:
            key = f"{shown.spot.key} {shown.perp.key}"
            if key not in names.tags and (scanned is None or scanned.row(key) < 0):
                names.add(f"shown {key}", f"{_coin(shown.spot.key)} on the screen", [key])
                columns.append(_shown_figures(shown))
        places = self._places("pairs", names.keys, names.names, names.tags)
        return [
            Reading(quantity, "pairs", places, np.array([read(quantity) for read in columns]))
            for quantity in asked
        ]

    def _of_legs(self, desk: DeskView, wanted: Collection[str], now_ns: int) -> list[Reading]:
        if not {"settlement_in_min", "liq_distance", "stale_feed"} & set(wanted):
            return []
        held = [(each, leg) for each in desk.open_pairs() for leg in each.legs if leg.qty]
        perps = [(each, leg) for each, leg in held if leg.market == "perp"]
        readings = []
        if "settlement_in_min" in wanted:
            readings.append(self._settlements(desk.market, perps, now_ns))
        if "liq_distance" in wanted:
            readings.append(self._distances(desk, perps, now_ns))
        if "stale_feed" in wanted:
            readings.append(self._silences(desk, held, now_ns))
        return readings

    def _settlements(
        self, market: Market, perps: Sequence[tuple[PairPosition, LegPosition]], now_ns: int
    ) -> Reading:
        clocks = [market.legs[leg.instrument].funding if leg.instrument in market.legs else None
                  for _, leg in perps]  # fmt: skip
        values = np.array(
            [math.nan if clock is None else clock.seconds_left(now_ns // 1_000_000) / 60
             for clock in clocks]
        )  # fmt: skip

        def say(row: int) -> str:
            clock = clocks[row]
            if clock is None or not clock.next_ms:
                return ""
            at = datetime.fromtimestamp(clock.next_ms / 1e3, UTC)
            rate = "" if math.isnan(clock.rate) else f", rate {100 * clock.rate:+.4f} %"
            return f"At {at:%H:%M} UTC{rate}.".replace("-", "\N{MINUS SIGN}")

        return Reading("settlement_in_min", "legs", self._held("perps", perps), values, say)

    def _distances(
        self, desk: DeskView, perps: Sequence[tuple[PairPosition, LegPosition]], now_ns: int
    ) -> Reading:
        far: dict[tuple[int, str], float] = {}
        with decimal.localcontext(prec=64):
            for pair in {each.pair for each, _ in perps}:
                for key, at in desk.desk.gauge(pair, desk.market, now_ns):
                    far[pair, key] = math.inf if at.price is None else at.distance_pct
        values = [far.get((each.pair, leg.instrument), math.nan) for each, leg in perps]
        return Reading("liq_distance", "legs", self._held("perps", perps), np.array(values))

    def _silences(
        self, desk: DeskView, held: Sequence[tuple[PairPosition, LegPosition]], now_ns: int
    ) -> Reading:
        names = _Names(self._sector)
        self._name(names, held, ("*",))
        keys = [leg.instrument for _, leg in held]
        shown = desk.shown()
        for leg in () if shown is None else (shown.spot, shown.perp):
            if leg.key not in keys:
                names.add(f"shown {leg.key}", leg_text(leg.key), [leg.key])
                keys.append(leg.key)
        legs = [desk.market.legs.get(key) for key in keys]
        heard = [0 if leg is None else leg.quote_ns for leg in legs]
        values = [(now_ns - max(at, self._since_ns)) / 1e9 / self._speed for at in heard]
        places = self._places("silences", names.keys, names.names, names.tags)
        return Reading("stale_feed", "legs", places, np.array(values, dtype=float))

    def _win_rate(self, desk: DeskView) -> Reading:
        trigger = next((each for each in desk.readings() if each.name == "win_rate"), None)
        judged = trigger is not None and trigger.state != "unknown"
        value = trigger.value if trigger is not None and judged else math.nan
        note = "" if trigger is None else trigger.note
        places = self._places("account win", ("win_rate",), ("",), {})
        return Reading("win_rate", "desk", places, np.array([value]), lambda _: note)

    def _confidences(self, desk: DeskView) -> Reading:
        """Of each pair that is forecast; a held one answers to its number too."""
        scores, names = self.scores(), _Names(self._sector)
        held = {frozenset(leg.instrument for leg in each.legs): each for each in desk.open_pairs()}
        for each in scores:
            legs = (each.first, each.second)[:: each.direction or 1]
            key = f"{each.first} {each.second}"
            tags = ["*", key, " ".join(legs), *names.of_legs(*legs)]
            position = held.get(frozenset(legs))
            if position is not None:
                tags.append(str(position.pair))
            names.add(key, f"{_coin(each.first)} {_sides(each.first, each.second)}", tags)
        places = self._places("scores", names.keys, names.names, names.tags)
        values = np.array([100.0 * each.p for each in scores], dtype=float)
        said = [each.said for each in scores]
        return Reading("confidence", "forecast", places, values, lambda at: said[at])

    def _stale_s(self, desk: DeskView) -> float:
        return STALE_POLLS * desk.settings.scanner.poll_s  # in market time already

    # --- names -----------------------------------------------------------------------------------

    def _sector(self, coin: str) -> str:
        return f"{SECTOR}{self.sector_of.get(coin, '')}"

    def _held(self, what: str, held: Sequence[tuple[PairPosition, LegPosition]]) -> Places:
        names = _Names(self._sector)
        self._name(names, held, ())
        return self._places(what, names.keys, names.names, names.tags)

    def _name(
        self,
        names: "_Names",
        held: Sequence[tuple[PairPosition, LegPosition]],
        more: tuple[str, ...],
    ) -> None:
        for each, leg in held:
            key, number = leg.instrument, str(each.pair)
            tags = [number, key, split_key(key)[0], _coin(key), *more]
            names.add(f"{number} {key}", f"{leg_text(key)} of pair {number}", tags)

    def _places(
        self,
        what: str,
        keys: Sequence[str],
        names: Sequence[str],
        tags: Mapping[str, Sequence[int]],
    ) -> Places:
        """The same places while nothing came or went, so that rules keep their memory in place."""
        known = self._known.get(what)
        if known is not None and known.keys == tuple(keys) and self._tags.get(what) == tags:
            return known
        self._tags[what] = {tag: list(rows) for tag, rows in tags.items()}
        self._known[what] = places = Places(keys, names, tags)
        return places


class _Names:
    """Rows being named, one after the other."""

    def __init__(self, sector: Callable[[str], str]) -> None:
        self.keys: list[str] = []
        self.names: list[str] = []
        self.tags: dict[str, list[int]] = {"*": []}
        self._sector = sector

    def add(self, key: str, name: str, tags: Collection[str]) -> None:
        for tag in set(tags):
            self.tags.setdefault(tag, []).append(len(self.keys))
        self.keys.append(key)
        self.names.append(name)

    def of_legs(self, *keys: str) -> list[str]:
        coins = [_coin(key) for key in keys]
        return [*(split_key(key)[0] for key in keys), *coins, *map(self._sector, coins)]


def _sides(*keys: str) -> str:
    sides = (split_key(key)[:2] for key in keys)
    return " / ".join(f"{venue_title(venue)} {market}" for venue, market in sides)


def _coin(key: str) -> str:
    try:
        return split_symbol(key)[0]
    except ValueError:
        return split_key(key)[2]


def _after_costs(openings: Openings) -> Callable[[int], str]:
    def say(row: int) -> str:
        net = float(openings.net_8h_bp[row])
        said = "" if math.isnan(net) else f"After all costs {figure(net, 'net_8h')}."
        against = openings.flags[row] == "contradicted" if row < len(openings.flags) else False
        return f"{said} {'Its sector speaks against it.' if against else ''}".strip()

    return say


def _shown_figures(pair: PairMarket) -> Callable[[Quantity], float]:
    now = pair.now

    def read(quantity: Quantity) -> float:
        values = {"basis": now.mid_bp, "open_basis": now.open_bp, "close_basis": now.close_bp,
                  "z": now.z}  # fmt: skip
        return math.nan if now.stale else values.get(quantity, math.nan)

    return read


def _pair_figures(
    position: PairPosition, desk: DeskView, now_ns: int
) -> Callable[[Quantity], float]:
    market = desk.market
    pair = market.pairs.get((position.reference.instrument, position.other.instrument))

    def read(quantity: Quantity) -> float:
        if quantity == "funding_8h":
            return _received_8h_bp(position, market)
        if pair is None or pair.now.stale:
            return math.nan
        now = pair.now
        if quantity == "close_basis":
            with decimal.localcontext(prec=64):
                return desk.desk.close_bp(position.pair, market, now_ns)
        if quantity == "open_basis":
            return now.open_bp if position.direction > 0 else now.close_bp
        return now.mid_bp if quantity == "basis" else now.z

    return read


def _received_8h_bp(position: PairPosition, market: Market) -> float:
    """Funding that a pair receives per 8 h by the indicative rates, bp; NaN if one is unknown."""
    total = 0.0
    for leg in position.perps:
        seen = market.legs.get(leg.instrument)
        if not leg.qty or seen is None or not seen.funding.interval_h > 0:
            return math.nan
        rate_8h = 1e4 * seen.funding.rate * 8 / seen.funding.interval_h
        total += rate_8h if leg.qty < 0 else -rate_8h
    return total
