"""What is held, valued: by the last prices heard, and for the triggers by prices of one moment.

A leg that fell silent keeps its last price. Beside a leg that still moves this looks like a loss or
a gain of the pair which is none, so the triggers get another figure, `judged`: there both legs of a
pair stand as they were when both were last heard together.
"""

import decimal
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from basisdesk.config import Settings
from basisdesk.events import MONEY, EquityMarked, Funds
from basisdesk.ledger.books import Books
from basisdesk.ledger.valuation import Price, Worth
from basisdesk.market.state import Market
from basisdesk.trading.cross import mid_rate
from basisdesk.trading.exits import disagree
from basisdesk.trading.exposure import Exposure
from basisdesk.trading.positions import PairPosition

S = 1_000_000_000


class CurvePoint(NamedTuple):
    """The account at a moment, for a chart: account currency, at mids. The books are exact.

    exposure: gross notional of all legs held. unhedged: what no other leg cancels.
    """

    t_ns: int
    equity: float
    free: float
    exposure: float
    unhedged: float


def curve_point(t_ns: int, equity: Decimal, free: Decimal, at: Exposure) -> CurvePoint:
    """A point of the curve from exact money."""
    return CurvePoint(t_ns, float(equity), float(free), float(at.gross), float(at.unhedged))


def marked_point(mark: EquityMarked) -> CurvePoint:
    """A point of the curve as the journal keeps it."""
    at = Exposure(mark.exposure, mark.unhedged)
    return curve_point(mark.ts_ns, mark.equity, mark.free, at)


class HeldPoint(NamedTuple):
    """What was held after a fill: gross notional in account currency.

    Each pair at the mids of its own last outcome, which the journal has: so a restart knows it too.
    """

    t_ns: int
    gross: float


def held_after(t_ns: int, books: Books) -> HeldPoint:
    """What the open pairs come to by the mids of their last outcomes."""
    gross = Decimal(0)
    for lots in books.open_pairs.values():
        for leg, worth in (
            (lots.legs["long"], lots.long_mid),
            (lots.legs["short"], lots.short_mid),
        ):
            gross += abs(leg.qty) * worth.value
    return HeldPoint(t_ns, float(gross))


class Values:
    """Worth of each instrument held. Moved by `beat` and `folded` only; all else just looks.

    known: as of the last beat or outcome.
    """

    def __init__(self, settings: Settings, market: Market, books: Books) -> None:
        self.known: dict[str, Worth] = {}
        self._settings = settings
        self._market = market
        self._books = books
        # pair -> worths when both legs were last heard together; None: those of its last outcome
        self._agreed: dict[int, tuple[Worth, Worth] | None] = {}
        self._beat: tuple[int, set[int]] = (0, set())  # when, and pairs whose legs stood together
        self._since_ns = 0  # first look

    def worths(self, positions: Iterable[PairPosition], now_ns: int) -> dict[str, Worth]:
        """Exact mid and cross rate per instrument held; the last heard where a leg is silent.

        The last known stands also where the prices of a pair's legs cannot both be true.
        """
        return self._scan(positions, now_ns)[0]

    def beat(self, positions: Sequence[PairPosition], now_ns: int) -> dict[str, Worth]:
        """Note what was heard last; the worths of now."""
        self._since_ns = self._since_ns or now_ns
        self.known, apart = self._scan(positions, now_ns)
        together = {
            each.pair for each in positions if each.pair not in apart and self._fresh(each, now_ns)
        }
        self._beat = now_ns, together
        agreed: dict[int, tuple[Worth, Worth] | None] = {}
        for position in positions:
            pair, long, short = position.pair, position.long.instrument, position.short.instrument
            if pair in together and long in self.known and short in self.known:
                agreed[pair] = (self.known[long], self.known[short])
            elif pair in self._agreed:
                agreed[pair] = self._agreed[pair]
        self._agreed = agreed
        return self.known

    def folded(self, pair: int) -> None:
        """A pair's outcome brought the mids of its moment: they are of both legs together."""
        self._agreed[pair] = None

    def take(self, worths: Mapping[str, Price], positions: Iterable[PairPosition]) -> None:
        """Value what is held so until quotes are heard: for a report beside the desk.

        A bare price is at the cross rate of its pair's last outcome.
        """
        rates = {leg.instrument: leg.fx for pair in positions for leg in pair.legs}
        for key, worth in worths.items():
            known = worth if isinstance(worth, Worth) else Worth(worth, rates.get(key, Decimal(1)))
            self.known[key] = known

    def funds(
        self, positions: list[PairPosition], worths: Mapping[str, Price], now_ns: int
    ) -> Funds:
        """What the account can spend and is worth, with what plans and triggers ask for."""
        funds = self._books.funds(worths)
        nets = {
            position.pair: self._total(position, worths)
            for position in positions
            if position.plan.net_target is not None and position.fills
        }
        judged = self._judged(positions, worths, funds.equity, now_ns)
        results = tuple(self._books.results)
        return msgspec.structs.replace(funds, results=results, nets=nets, judged=judged)

    # --- small parts -----------------------------------------------------------------------------

    def _scan(
        self, positions: Iterable[PairPosition], now_ns: int
    ) -> tuple[dict[str, Worth], set[int]]:
        """(worths of now, pairs whose legs' prices cannot both be true)."""
        known, apart = dict(self.known), set[int]()
        account = self._settings.account.currency
        for position in positions:
            if disagree(position, self._market, self._settings, now_ns):
                apart.add(position.pair)
                continue
            for held in position.legs:
                key = held.instrument
                leg, last = self._market.legs.get(key), known.get(key)
                mid = None if last is None else last.price
                if leg is not None and leg.instrument is not None and leg.mid == leg.mid:  # not NaN
                    price = leg.instrument.price
                    mid = (price(leg.bid) + price(leg.ask)) / 2
                if mid is not None:
                    rate = held.fx if last is None else last.fx
                    rate = mid_rate(self._market, held.quote, account, now_ns, rate)
                    known[key] = Worth(mid, rate)
        return known, apart

    def _total(self, position: PairPosition, worths: Mapping[str, Price]) -> Decimal:
        long, short = position.long.instrument, position.short.instrument
        return self._books.attribution(position.pair, worths.get(long), worths.get(short)).total

    def _judged(
        self,
        positions: Iterable[PairPosition],
        worths: Mapping[str, Price],
        equity: Decimal,
        now_ns: int,
    ) -> Decimal | None:
        """Equity by prices of one moment; None while a pair was not heard whole since the start.

        A pair that stays silent is not waited for longer than a held leg may be: then it counts
        by the mids of its last outcome.
        """
        waits = now_ns - self._since_ns < self._settings.risk.stale_s_max * S or not self._since_ns
        with decimal.localcontext(MONEY):
            for position in positions:
                if self._together(position, now_ns) or not (
                    position.long.qty or position.short.qty
                ):
                    continue
                if position.pair not in self._agreed and waits:
                    return None
                lots = self._books.lots(position.pair)
                long, short = self._agreed.get(position.pair) or (lots.long_mid, lots.short_mid)
                now_long = worths.get(position.long.instrument, lots.long_mid)
                now_short = worths.get(position.short.instrument, lots.short_mid)
                equity -= lots.value(now_long, now_short) - lots.value(long, short)
        return equity

    def _together(self, position: PairPosition, now_ns: int) -> bool:
        """Whether all that is held of a pair has prices of one moment now, which agree."""
        at_ns, together = self._beat
        if at_ns == now_ns and position.pair in together:
            return True
        return self._fresh(position, now_ns) and not disagree(
            position, self._market, self._settings, now_ns
        )

    def _fresh(self, position: PairPosition, now_ns: int) -> bool:
        """Whether every leg held has a quote now that is believed and young."""
        limit_ms = self._settings.risk.quote_age_ms_max
        for held in position.legs:
            if not held.qty:
                continue
            leg = self._market.legs.get(held.instrument)
            if leg is None or leg.instrument is None or leg.doubt is not None:
                return False
            if not leg.age_ms(now_ns) <= limit_ms:
                return False
        return True
