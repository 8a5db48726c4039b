"""How pairs get opened: entries by hand, the parts of working ones, the other side of a flip."""

from decimal import Decimal

from basisdesk.config import Settings
from basisdesk.events import ExitPlan, Funds, OpenPair, Ordered, Outcome, Work
from basisdesk.market.state import Market
from basisdesk.trading import booked, working
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.entries import Entries
from basisdesk.trading.positions import PairPosition, Positions
from basisdesk.trading.quoting import OpenQuote, undescribed
from basisdesk.trading.risk import No
from basisdesk.trading.sending import Gate, entry_order, pair_rules
from basisdesk.trading.triggers import Watch
from basisdesk.trading.workbench import Workbench

RICH = Funds(Decimal(10) ** 15, Decimal(0))  # a flip is checked before its cash is free


class Opener:
    """Checks and sends entries."""

    def __init__(
        self,
        settings: Settings,
        positions: Positions,
        dealer: Dealer,
        bench: Workbench,
        watch: Watch,
    ) -> None:
        self._settings = settings
        self._positions = positions
        self._dealer = dealer
        self._bench = bench
        self._watch = watch

    def ask(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> list[Outcome]:
        """An entry by hand, refused with a sentence, accepted to work, or sent."""
        quote = self.entries(market, now_ns).check(request, market, funds, now_ns)
        if isinstance(quote, No):
            return [quote.at(now_ns, "open_pair")]
        if not booked.market_order(request.how):
            work = Work(
                kind="open",
                reason="user",
                how=request.how,
                long_qty=quote.long.qty,
                short_qty=quote.short.qty,
                asked_ns=now_ns,
                give_up_ns=working.give_up_ns(request.how, now_ns),
                request=request,
            )
            return [Ordered(now_ns, self._positions.next_pair, work)]
        dealer = self._dealer
        when = (now_ns, self._positions.next_pair + len(dealer.opening()))
        long, short = quote.long.qty, quote.short.qty
        legs = (
            dealer.leg("long", request.long, (long, long), opening=True, when=when),
            dealer.leg("short", request.short, (short, short), opening=True, when=when),
        )
        order = entry_order(request, legs, now_ns, quote.cash)
        if order.due_ns > now_ns:
            dealer.pending.append(order)
            return []
        return dealer.arrive_entry(order, market, funds, now_ns, self.gate(market, funds, now_ns))

    def due(self, market: Market, funds: Funds, moved: set[int], now_ns: int) -> list[Outcome]:
        """Meet the book with the oldest entry that is due; the next one sees what it left."""
        order = self._dealer.next_entry(now_ns, moved)
        if order is None:
            return []
        gate = self.gate(market, funds, now_ns)
        return self._dealer.arrive_entry(order, market, funds, now_ns, gate)

    def gate(self, market: Market, funds: Funds, now_ns: int) -> Gate:
        """May this be traded now, as an entry on its way or as a part of a working one?

        The cash of later orders is not held against it: it was here first.
        """

        def check(request: OpenPair, pair: int) -> OpenQuote | No:
            live = len(self._positions.live()) - (pair in self._positions.pairs)
            held_back = self._needs(market, now_ns, besides=pair)
            memory, state = self._dealer.memory, self._watch.risk
            entries = Entries(self._settings, memory, state, (), live, held_back)
            return entries.check(request, market, funds, now_ns)

        return check

    def entries(self, market: Market, now_ns: int) -> Entries:
        """The limits of a new entry now."""
        return Entries(
            self._settings,
            self._dealer.memory,
            self._watch.risk,
            self._dealer.opening(),
            len(self._positions.live()),
            self._needs(market, now_ns),
        )

    # --- flips -----------------------------------------------------------------------------------

    def reverse(
        self, position: PairPosition, plan: ExitPlan, market: Market, now_ns: int
    ) -> OpenPair | No:
        """The reverse of a pair with this plan, or the limit that it would break now."""
        if no := undescribed(position, market):
            return no
        held = min(abs(leg.qty) for leg in position.legs) or max(
            abs(leg.qty) for leg in position.legs
        )
        rule = pair_rules(position, market)[1]
        request = OpenPair(
            long=position.short.instrument,
            short=position.long.instrument,
            qty=rule.round_nearest(held),
            leverage=position.leverage,
            exit=plan,
            t_ns=now_ns,
        )
        quote = self.gate(market, RICH, now_ns)(request, position.pair)
        return quote if isinstance(quote, No) else request

    def after_flips(
        self, flips: dict[int, OpenPair], market: Market, funds: Funds, now_ns: int
    ) -> list[Outcome]:
        """Open the reverse of the first pair that its flip has closed, and nothing else has."""
        for pair, request in list(flips.items()):
            if self._positions.get(pair) is not None:
                continue
            del flips[pair]
            closed = self._positions.pairs.get(pair)
            if closed is not None and closed.close_reason == "flip":
                return self.ask(request, market, funds, now_ns)
        return []

    def _needs(self, market: Market, now_ns: int, besides: int = 0) -> Decimal:
        """Cash that pairs still need: working entries, legs on their way, missing legs."""
        return sum(
            (
                self._bench.needs(position, market, now_ns)
                for position in self._positions.live()
                if position.pair != besides
            ),
            Decimal(0),
        )
