"""May this entry be made, how large may it be, and what does the ticket say about it?

`Entries` is one moment's view: built for one decision from what the desk and the market are then.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

import msgspec

from basisdesk.config import Settings, exact
from basisdesk.events import Funds, OpenPair
from basisdesk.market.state import Market
from basisdesk.trading import risk, words, working
from basisdesk.trading.costs import CostSheet, Exit, cost_sheet, exit_now, refused_sheet
from basisdesk.trading.cross import cross_of
from basisdesk.trading.margin import CENT
from basisdesk.trading.orders import PairOrder
from basisdesk.trading.paper import Memory
from basisdesk.trading.quoting import OpenQuote, Pricer, rules_of
from basisdesk.trading.risk import No, RiskState
from basisdesk.trading.sector import sector_word
from basisdesk.trading.sizing import smallest
from basisdesk.trading.verdict import verdict


class Entries:
    """Limits and pricing of entries at one moment.

    waiting: entries on their way; what they will need is not free. live: pairs open. held_back:
    cash that entries which work for a while still need.
    """

    def __init__(
        self,
        settings: Settings,
        memory: Memory,
        state: RiskState,
        waiting: Sequence[PairOrder],
        live: int,
        held_back: Decimal = Decimal(0),
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._state = state
        self._waiting = waiting
        self._live = live
        self._held_back = held_back

    def free(self, funds: Funds) -> Decimal:
        """Free cash less what entries on their way and at work will need."""
        waiting = sum((order.cash for order in self._waiting), Decimal(0))
        return funds.free - waiting - self._held_back

    def reserve(self, funds: Funds) -> Decimal:
        """What entries leave idle: a fraction of equity; margin calls and hedges may use it."""
        share = exact(self._settings.risk.reserve) * max(funds.equity, Decimal(0))
        return share.quantize(CENT, ROUND_CEILING)

    def spendable(self, funds: Funds) -> Decimal:
        """What a new entry may use."""
        return max(Decimal(0), self.free(funds) - self.reserve(funds))

    def check(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> OpenQuote | No:
        """The priced entry, or the first limit it breaks."""
        no = self._legs(request, market) or self._limits(request, market, now_ns)
        if no is not None:
            return no
        pricer = self._pricer(request, market, now_ns)
        if no := risk.check_qty(request.qty, pricer.rules[0]):
            return no
        quote = pricer.price(request.qty)
        if isinstance(quote, No):
            return quote
        leave = exit_now(quote, request, market, self._settings, now_ns)
        return (
            self._sizes(quote, pricer, funds)
            or risk.check_planned(request.exit)
            or _reached(request, quote, leave)
            or _sector_against(request, quote, market)
            or quote
        )

    def max_qty(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> Decimal:
        """The largest quantity of the long leg that `check` would not refuse; 0 when none."""
        most = self._settings.risk.leverage_max
        if self._legs(request, market) or risk.check_leverage(request.leverage, most):
            return Decimal(0)
        pricer, free = self._pricer(request, market, now_ns), self.spendable(funds)
        qty = pricer.affordable(free)
        quote = pricer.price(qty) if qty else None
        if not isinstance(quote, OpenQuote) or self._sizes(quote, pricer, funds) is not None:
            return Decimal(0)
        return qty

    def sheet(self, request: OpenPair, market: Market, funds: Funds, now_ns: int) -> CostSheet:
        """The ticket's cost sheet, with the limits of `check`."""
        currency = self._settings.account.currency
        no = self._legs(request, market)
        if no is not None:
            return refused_sheet(request, 1, no.at(now_ns, "open_pair"), currency)
        pricer = self._pricer(request, market, now_ns)
        no = self._limits(request, market, now_ns) or risk.check_qty(request.qty, pricer.rules[0])
        quote = pricer.price(request.qty) if risk.priceable(request) else None
        if isinstance(quote, OpenQuote) and not quote.short.qty:
            quote = pricer.too_small(quote)  # half a trade has no basis to show
        if not isinstance(quote, OpenQuote):
            no = no or quote or risk.check_leverage(request.leverage, 1.0) or _UNPRICED
            direction = risk.direction(request)
            return refused_sheet(request, direction, no.at(now_ns, "open_pair"), currency)
        free = self.free(funds)
        leave = exit_now(quote, request, market, self._settings, now_ns)
        no = (
            no
            or self._sizes(quote, pricer, funds)
            or risk.check_planned(request.exit)
            or _reached(request, quote, leave)
            or _sector_against(request, quote, market)
        )
        refusal = no.at(now_ns, "open_pair") if no is not None else None
        most = pricer.affordable(self.spendable(funds))
        account = msgspec.structs.replace(funds, free=free), most, refusal
        sheet = cost_sheet(quote, leave, request, market, self._settings, account)
        if refusal is not None:
            kind, said = "no", refusal.text
        elif leave is None:
            kind, said = "no", _NO_WAY_OUT
        else:
            kind, said = verdict(sheet, market)
        return msgspec.structs.replace(sheet, verdict_kind=kind, verdict=said)

    def _legs(self, request: OpenPair, market: Market) -> No | None:
        return risk.check_legs(request, market, self._settings.account.currency)

    def _limits(self, request: OpenPair, market: Market, now_ns: int) -> No | None:
        long, short = market.leg(request.long), market.leg(request.short)
        limits = self._settings.risk
        return (
            risk.check_halted(self._state)
            or self._count(request)
            or risk.check_leverage(request.leverage, limits.leverage_max)
            or risk.check_plan(request.exit, risk.direction(request))
            or working.check_how(request.how)
            or risk.check_fresh(long, short, limits, now_ns)
            or self._ratio(request, market, now_ns)
        )

    def _ratio(self, request: OpenPair, market: Market, now_ns: int) -> No | None:
        """Cross rates that can be used, and with them prices of the same unit."""
        account = self._settings.account.currency
        rates = []
        for key in (request.long, request.short):
            cross = cross_of(market, rules_of(market, key).quote, account, now_ns)
            if isinstance(cross, No):
                return cross
            rates.append(cross.mid)
        legs = market.leg(request.long), market.leg(request.short)
        return risk.check_ratio(*legs, (rates[0], rates[1]))

    def _count(self, request: OpenPair) -> No | None:
        if any((each.long, each.short) == (request.long, request.short) for each in self._waiting):
            legs = f"{words.name(request.long)} and {words.name(request.short)}"
            text = f"An order for {legs} is on its way. Wait for its answer."
            return No("pending", "a second order", "one at a time", text)
        most = self._settings.risk.pairs_max
        count = self._live + len(self._waiting)
        if count < most:
            return None
        text = f"{count} pairs are open or on their way, the limit is {most}. Close one first."
        return No("pairs_max", str(count + 1), str(most), text)

    def _sizes(self, quote: OpenQuote, pricer: Pricer, funds: Funds) -> No | None:
        no = (
            pricer.too_small(quote)
            or pricer.too_large(quote)
            or pricer.over_leveraged(quote)
            or _thin_slices(pricer.request, quote)
        )
        free = self.spendable(funds)
        if no is not None or quote.cash <= free:
            return no
        most, base = words.plain(pricer.affordable(free)), pricer.rules[0].base
        currency, reserve = self._settings.account.currency, self.reserve(funds)
        kept = f", {words.money(reserve, currency)} of reserve kept" if reserve else ""
        text = (
            f"The entry needs {words.money(quote.cash, currency)}, free are "
            f"{words.money(free, currency)}{kept}. The largest size now is {most} {base}."
        )
        return No("funds", words.figure(quote.cash), words.figure(free), text)

    def _pricer(self, request: OpenPair, market: Market, now_ns: int) -> Pricer:
        return Pricer(request, market, self._settings, self._memory, now_ns)


def _reached(request: OpenPair, quote: OpenQuote, leave: Exit | None) -> No | None:
    """A plan that would leave at once: from now, or from where a limit order enters."""
    net = request.exit.net_target
    if net is not None and net <= 0:
        text = (
            "A net target of an entry is a gain: at or below 0 it is reached where nothing is "
            "earned. Set it above 0; a plan of an open pair may take a loss."
        )
        return No("exit_plan", f"net {words.figure(net)}", "above 0", text)
    limit = request.how.limit_bp
    if request.how.style == "limit" and limit is not None:
        no = risk.check_reached(request.exit, quote.direction, float(limit))
        if no is None:
            return None
        text = (
            f"Entering at the limit of {words.bp(float(limit))} would be beyond the plan's "
            "target or stop already. Set the limit between them."
        )
        return No(no.limit, f"limit {words.figure(limit)}", "between target and stop", text)
    if leave is None:
        return None
    return risk.check_reached(request.exit, quote.direction, leave.bp)


def _sector_against(request: OpenPair, quote: OpenQuote, market: Market) -> No | None:
    """A sector rule that speaks against the pair already: it would leave at once."""
    coin = quote.long.ladder.instrument.base
    if not request.exit.sector or sector_word(market, coin, quote.direction) != "against":
        return None
    text = (
        f"The sector signal of {coin} speaks against this pair now, so its sector rule would leave "
        "at once. Untick Sector, or wait until the signal turns."
    )
    return No("exit_plan", "sector rule", "a signal that is not against", text)


def _thin_slices(request: OpenPair, quote: OpenQuote) -> No | None:
    """Slices that a venue would refuse for their size."""
    slices = request.how.slices
    if slices <= 1:
        return None
    for leg in (quote.long, quote.short):
        rule = leg.ladder.instrument
        each, least = working.slice_qty(leg.qty, slices, rule), smallest(rule, leg.vwap)
        if each < least:
            text = (
                f"Each of {slices} slices would trade {words.plain(each)} {rule.base} on "
                f"{words.name(rule.key)}; the venue's smallest order is {words.plain(least)} "
                f"{rule.base}. Use fewer slices."
            )
            return No("slices", words.figure(each), words.figure(least), text)
    return None


_NO_WAY_OUT = "The books show too little to get out of this size again. Lower the size."
_UNPRICED = No("min_qty", "0", "above 0", "Enter a size above zero.")
