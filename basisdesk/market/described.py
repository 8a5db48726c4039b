"""What the venues described over HTTP: rules, risk tiers, past candles, past funding. Merged."""

import msgspec

from basisdesk.events import Candles, FundingHistory
from basisdesk.venues.instrument import Instrument, Instruments, Tier, Tiers

CANDLES_MAX = 2_880  # two days of minutes a leg
FUNDING_MAX = 2_000  # settlements a leg


class Described:
    """By leg key. Pages come in any order; tiers may come before the instrument they belong to."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.candles: dict[str, Candles] = {}
        self.funding_history: dict[str, dict[int, str]] = {}
        self._tiers: dict[str, tuple[Tier, ...]] = {}

    def add_candles(self, page: Candles) -> None:
        """Merge a page of minutes; a later page's close counts."""
        key = page.instrument
        if key in self.candles:
            rows = dict(self.candles[key].rows)
            rows.update(page.rows)
            page = Candles(key, sorted(rows.items())[-CANDLES_MAX:])
        self.candles[key] = page

    def add_funding(self, page: FundingHistory) -> None:
        """Merge a page of settled rates."""
        rows = self.funding_history.get(page.instrument, {}) | dict(page.rows)
        self.funding_history[page.instrument] = dict(sorted(rows.items())[-FUNDING_MAX:])

    def add_rules(self, told: Instruments | Tiers) -> list[str]:
        """Take instruments or one perpetual's tiers in; gives the keys that were described."""
        return self._tiers_of(told) if isinstance(told, Tiers) else self._instruments_of(told)

    def _instruments_of(self, told: Instruments) -> list[str]:
        for row in told.rows:
            tiers = row.tiers or self._tiers.get(row.key, ())
            self.instruments[row.key] = msgspec.structs.replace(row, tiers=tiers)
        return [row.key for row in told.rows]

    def _tiers_of(self, told: Tiers) -> list[str]:
        key = told.instrument
        self._tiers[key] = told.tiers
        if key not in self.instruments:
            return []
        self.instruments[key] = msgspec.structs.replace(self.instruments[key], tiers=told.tiers)
        return [key]
