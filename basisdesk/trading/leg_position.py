"""One leg of a pair: what it holds, what it cost and the margin that secures it."""

import decimal
from decimal import Decimal

import msgspec

from basisdesk.events import Fill
from basisdesk.trading.margin import share_of

_ROUNDED = decimal.Context(prec=28)  # an average is a division, in money it is never booked


class LegPosition(msgspec.Struct):
    """What one leg of a pair holds. Mutable; changed only by the fold.

    quote: its quote currency. fx: account currency per quote at the pair's last outcome.
    qty: base, signed: what is held (> 0), or short or owed (< 0), after base-coin fees and dust.
    entry_qty, entry_cost, entry_value: what entries traded in all: base, quote, and account
    currency at the middle of the cross rate; exits leave them alone. exit_*: what exits traded.
    mean_qty, mean_cost, mean_value: the same three of the average that a venue keeps: an exit
    leaves the average as it is, an entry after one averages what is left with what is new.
    margin: isolated margin of a perpetual, account currency; added: the part added by hand, less
    what settlements took of it (then < 0).
    history: (ts_ns, qty from then on), for settlements that are heard of later.
    realised: accrued funding that a change of position realised: end of that hour, venue ms ->
    until when (our ns) it is paid.
    """

    role: str  # "long" or "short"
    instrument: str
    market: str  # "spot" or "perp"
    quote: str = ""
    fx: Decimal = Decimal(1)
    qty: Decimal = Decimal(0)
    entry_qty: Decimal = Decimal(0)
    entry_cost: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)
    exit_qty: Decimal = Decimal(0)
    exit_cost: Decimal = Decimal(0)
    exit_value: Decimal = Decimal(0)
    mean_qty: Decimal = Decimal(0)
    mean_cost: Decimal = Decimal(0)
    mean_value: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    added: Decimal = Decimal(0)
    history: list[tuple[int, Decimal]] = msgspec.field(default_factory=list)
    realised: dict[int, int] = msgspec.field(default_factory=dict)

    @property
    def entry_price(self) -> Decimal:
        """Average price of all entries, quote."""
        return self.entry_cost / self.entry_qty if self.entry_qty else Decimal(0)

    @property
    def exit_price(self) -> Decimal | None:
        """Average price of the exits so far, quote."""
        return self.exit_cost / self.exit_qty if self.exit_qty else None

    @property
    def entry_worth(self) -> Decimal:
        """Average price of all entries, account currency at the middle of the cross rate."""
        return self.entry_value / self.entry_qty if self.entry_qty else Decimal(0)

    @property
    def exit_worth(self) -> Decimal | None:
        """Average price of the exits so far, account currency."""
        return self.exit_value / self.exit_qty if self.exit_qty else None

    @property
    def held_price(self) -> Decimal:
        """Average price of what is held as the venue keeps it, quote: for margin formulas."""
        return self.mean_cost / self.mean_qty if self.mean_qty else Decimal(0)

    @property
    def held_cost(self) -> Decimal:
        """What is held, at its average price, quote."""
        return abs(self.qty) * self.held_price

    @property
    def held_worth(self) -> Decimal:
        """Average price of what is held, account currency at the middle of the entries' rates."""
        return self.mean_value / self.mean_qty if self.mean_qty else Decimal(0)

    def qty_before(self, ns: int) -> Decimal:
        """Signed quantity held just before a moment: what a settlement at `ns` is paid on."""
        return next((qty for since, qty in reversed(self.history) if since < ns), Decimal(0))

    def held(self, since_ns: int, until_ns: int) -> list[tuple[Decimal, int]]:
        """(signed quantity, ns held) of each stretch between two moments in which it held any."""
        stretches = (
            (qty, min(end, until_ns) - max(start, since_ns))
            for start, end, qty in self.stretches(until_ns)
        )
        return [(qty, ns) for qty, ns in stretches if ns > 0]

    def stretches(self, until_ns: int) -> list[tuple[int, int, Decimal]]:
        """(from, to, signed quantity) of each stretch in which it held any, ns."""
        starts = [start for start, _ in self.history]
        ends = zip(self.history, [*starts[1:], until_ns], strict=False)
        return [(start, end, qty) for (start, qty), end in ends if qty]

    def opens(self, fill: Fill) -> bool:
        """Whether a fill adds to this leg: a buy of the long leg, a sale of the short one."""
        return (fill.side == "buy") == (self.role == "long")

    def take(self, fill: Fill) -> None:
        """Fold one fill in; `fx` is its outcome's already."""
        cost = fill.qty * fill.price
        if self.opens(fill):
            self._average(fill.qty, cost)
            self.entry_qty += fill.qty
            self.entry_cost += cost
            self.entry_value += cost * self.fx
        else:
            self.exit_qty += fill.qty
            self.exit_cost += cost
            self.exit_value += cost * self.fx
        if fill.side == "buy":
            in_base = fill.fee if fill.fee_currency != self.quote else Decimal(0)
            self.qty += fill.qty - in_base - fill.dust
        else:
            self.qty -= fill.qty
        self.history.append((fill.ts_ns, self.qty))

    def give_up(self, before: Decimal) -> None:
        """Release margin after a close; before: size held until then, without its sign."""
        if not before:
            self.added = Decimal(0)
            return
        part = before - abs(self.qty)
        self.margin -= share_of(self.margin, part, before)
        self.added -= share_of(self.added, part, before)

    def _average(self, qty: Decimal, cost: Decimal) -> None:
        """Move the average on, before the fill is counted. Exact until an exit came between."""
        if self.exit_qty and self.mean_qty:
            with decimal.localcontext(_ROUNDED):
                held = abs(self.qty)
                self.mean_cost = held * self.mean_cost / self.mean_qty
                self.mean_value = held * self.mean_value / self.mean_qty
                self.mean_qty = held
        self.mean_qty += qty
        self.mean_cost += cost
        self.mean_value += cost * self.fx
