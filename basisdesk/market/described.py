"""What the venues described over HTTP: rules, risk tiers, past candles, past funding. Merged."""

import msgspec

from basisdesk.events import Candles, FundingHistory, FundingInfo
from basisdesk.venues.instrument import Instrument, Instruments, Tier, Tiers, TierUnit, split_key

CANDLES_MAX = 2_880  # two days of minutes a leg
FUNDING_MAX = 2_000  # settlements a leg
STRANGERS_MAX = 500  # legs whose past is kept before anything else was heard of them


class Described:
    """By leg key. Pages come in any order; tiers may come before the instrument they belong to.

    version: counts up with every page of rules, so that what is made of all of them is made anew.
    """

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.candles: dict[str, Candles] = {}
        self.funding_history: dict[str, dict[int, str]] = {}
        self.version = 0
        self._tiers: dict[str, tuple[tuple[Tier, ...], TierUnit]] = {}
        self._intervals: dict[str, FundingInfo] = {}  # by venue

    def add_candles(self, page: Candles, known: bool = True) -> None:
        """Merge a page of minutes; a later page's close counts. known: the leg exists."""
        key = page.instrument
        if not known and key not in self.candles and len(self.candles) >= STRANGERS_MAX:
            return
        if key in self.candles:
            rows = dict(self.candles[key].rows)
            rows.update(page.rows)
            page = Candles(key, sorted(rows.items())[-CANDLES_MAX:])
        self.candles[key] = page

    def add_funding(self, page: FundingHistory, known: bool = True) -> None:
        """Merge a page of settled rates. known: the leg exists."""
        told = self.funding_history
        if not known and page.instrument not in told and len(told) >= STRANGERS_MAX:
            return
        rows = told.get(page.instrument, {}) | dict(page.rows)
        self.funding_history[page.instrument] = dict(sorted(rows.items())[-FUNDING_MAX:])

    def add_rules(self, told: Instruments | Tiers) -> list[str]:
        """Take instruments or one perpetual's tiers in; gives the keys that were described."""
        self.version += 1
        return self._tiers_of(told) if isinstance(told, Tiers) else self._instruments_of(told)

    def _instruments_of(self, told: Instruments) -> list[str]:
        for row in told.rows:
            if not row.tiers and row.key in self._tiers:
                tiers, unit = self._tiers[row.key]
                row = msgspec.structs.replace(row, tiers=tiers, tiers_in=unit)  # noqa: PLW2901
            self.instruments[row.key] = row
        return [row.key for row in told.rows]

    def _tiers_of(self, told: Tiers) -> list[str]:
        key = told.instrument
        self._tiers[key] = told.tiers, told.unit
        if key not in self.instruments:
            return []
        self.instruments[key] = msgspec.structs.replace(
            self.instruments[key], tiers=told.tiers, tiers_in=told.unit
        )
        return [key]

    def add_intervals(self, page: FundingInfo) -> None:
        """Take the funding intervals of a venue; a page replaces the one before."""
        self._intervals[page.venue] = page

    def interval(self, key: str) -> tuple[float, float]:
        """(hours, cap) of a perpetual as the venue listed it; 0 for what it did not say."""
        venue, market, _ = split_key(key)
        page = self._intervals.get(venue)
        if page is None or market != "perp":
            return 0.0, 0.0
        return next(((h, cap) for k, h, cap in page.rows if k == key), (page.default_h, 0.0))
