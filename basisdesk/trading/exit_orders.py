"""What an exit consists of: its sizes, and the orders of its legs."""

from decimal import ROUND_DOWN, Decimal

from basisdesk.config import Settings
from basisdesk.market.state import Market
from basisdesk.trading.dealing import Dealer
from basisdesk.trading.fees import schedule
from basisdesk.trading.orders import LegOrder, PairOrder
from basisdesk.trading.paper import Ladder
from basisdesk.trading.positions import LegPosition, PairPosition
from basisdesk.trading.sending import closing_order, leg_name, pair_rules
from basisdesk.trading.sizing import CloseSizes, buy_back, close_sizes
from basisdesk.trading.working import Side

ALL = Decimal(1)
FRACTION = Decimal("1e-12")  # a share of the depth is rounded down to this


class ExitOrders:
    """Makes the orders of exits; sends none."""

    def __init__(self, settings: Settings, dealer: Dealer) -> None:
        self._settings = settings
        self._dealer = dealer

    def sizes(
        self, position: PairPosition, fraction: Decimal, market: Market, leg: Side = "both"
    ) -> CloseSizes:
        """What an exit of a fraction trades, of both legs or of one."""
        rules = pair_rules(position, market)
        fees = schedule(self._settings, rules[1].venue)
        return close_sizes(position, fraction, rules, fees, leg)

    def legs(
        self, position: PairPosition, sizes: CloseSizes, now_ns: int, travel: bool = True
    ) -> tuple[LegOrder, ...]:
        """Both legs of an exit; travel: they are sent now, not there already."""
        made = []
        for held, qty, part in (
            (position.long, sizes.long, sizes.long_part),
            (position.short, sizes.short, sizes.short_part),
        ):
            if not part:
                continue
            name, key = leg_name(held.role), held.instrument
            if travel:
                when = (now_ns, position.pair)
                made.append(self._dealer.leg(name, key, (qty, part), opening=False, when=when))
            else:
                side = "sell" if name == "long" else "buy"
                made.append(LegOrder(name, key, side, qty, part, now_ns))
        return tuple(made)

    def one(
        self, position: PairPosition, held: LegPosition, part: Decimal, market: Market, now_ns: int
    ) -> LegOrder:
        """One leg made smaller by so much, sent now."""
        rule = pair_rules(position, market)[0 if held is position.long else 1]
        qty = part
        if held.role == "short" and rule.market == "spot":
            qty = buy_back(part, rule, schedule(self._settings, rule.venue))[0]
        when = (now_ns, position.pair)
        name = leg_name(held.role)
        return self._dealer.leg(name, held.instrument, (qty, part), opening=False, when=when)

    def order(
        self,
        position: PairPosition,
        reason: str,
        sizes: CloseSizes,
        now_ns: int,
        alone: bool = False,
    ) -> PairOrder:
        """An exit of these sizes, sent now; tried once."""
        legs = self.legs(position, sizes, now_ns)
        due_ns = max(leg.due_ns for leg in legs)
        return closing_order(position, reason, legs, now_ns, give_up_ns=due_ns, alone=alone)

    def share(self, position: PairPosition, sizes: CloseSizes, market: Market) -> Decimal:
        """The fraction of an exit that both books show."""
        shares = []
        for held, rule, qty in zip(
            position.legs, pair_rules(position, market), (sizes.long, sizes.short), strict=True
        ):
            side = "sell" if held.role == "long" else "buy"
            ladder = Ladder(market.leg(held.instrument), side, rule, self._dealer.memory)
            shares.append(ladder.fillable(qty, None) / qty if qty else ALL)
        return min(shares).quantize(FRACTION, ROUND_DOWN)
