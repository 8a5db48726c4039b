"""Every term of the desk in one sentence and a figure. Tooltips and Help > Glossary read it.

Pure text: no Qt. A figure is an example, never a promise.
"""

TERMS: dict[str, str] = {
    "Basis": (
        "How far the perpetual stands above spot, in bp of spot: perp 0.3665, spot 0.3640 is "
        "+68.7 bp."
    ),
    "bp": "One hundredth of a percent: 10,000 USDT at 1 bp is 1 USDT.",
    "Open basis": (
        "The basis you would lock in now at the ticket's size, spot bought from the asks and "
        "perp sold into the bids: +68.4 bp."
    ),
    "Close basis": (
        "The basis you would pay to leave now at the ticket's size; it is above the open "
        "basis by both spreads: +70.6 bp."
    ),
    "Fair basis": (
        "Where the venue's funding rule lets the basis rest, about −4.5 bp at 5 % a year for "
        "money; it is not zero."
    ),
    "z": "Distance from the mean in standard deviations: +2.7 was seen in under 1 % of the time.",
    "Round trip": (
        "Everything an entry and an immediate exit cost together, four fees, spreads and "
        "depth: 35.1 bp."
    ),
    "Funding": (
        "What longs of the perpetual pay shorts at each settlement, on the mark price: 0.0184 "
        "% of 3,660 USDT is 0.67 USDT."
    ),
    "Cross rate": (
        "What one unit of a leg's currency is worth in the account's: at 0.9996 USD for a USDT, "
        "1,000 USD are 1,000.40 USDT. It is a leg of its own and never taken as 1."
    ),
    "Conversion": (
        "What changing money for a spot leg in another currency costs against the middle of the "
        "cross rate, in and out: 1,000 USD at half a spread of 1 bp cost 0.20 there and back."
    ),
    "Combo": (
        "The venue's own book for both legs in one order; its bid and ask, in bp of spot, are "
        "what the venue itself asks for the basis: +6.1 / +7.0 bp."
    ),
    "Clock offset": (
        "Our clock less the venue's, from its HTTP time, at most one trip off: "
        "\u22121,270 ms means ours runs behind."
    ),
    "To engine": (
        "How long a message waited between the socket and the engine, on this machine: 4 ms."
    ),
    "Velocity": (
        "How fast the coming funding rate moves, in bp per hour: from 0.02 % to 0.08 % in two "
        "hours is +3.0 bp/h."
    ),
    "Size": (
        "How much of the coin the long leg buys; the other leg follows after lots and fees: 10,000."
    ),
    "Leverage": (
        "Notional of the perpetual per unit of its margin; 2 means 5,000 USDT of margin for "
        "10,000. The desk stops at 5."
    ),
    "Target basis": (
        "Leave with the profit when the close basis is here: 3 bp, from an entry at 68 bp, "
        "captures 65 bp before costs."
    ),
    "Stop basis": (
        "Leave with the loss when the close basis is here: 120 bp, from an entry at 68 bp, "
        "loses 52 bp and the fees."
    ),
    "Time stop": "Leave after this many hours whatever the basis does: 72 h is nine settlements.",
    "Fees": (
        "Taker fees of all four fills, spot and perp, in and out: 0.10 % and 0.055 % make 31.0 bp."
    ),
    "Slippage": (
        "Fills against the mid at the decision, half spreads and depth included: 1.49 USDT on "
        "3,640."
    ),
    "Borrow": (
        "Interest on coins borrowed for a spot short, per hour: 0.00015 % is 0.04 USDT a day "
        "on 1,000."
    ),
    "Break-even basis": (
        "The close basis at which the pair ends at zero after the four fees: entry 68.4 bp "
        "less 31.0 bp is 37.4 bp."
    ),
    "Payments to break even": (
        "How many settlements like the next one pay the round trip: 12.8 USDT at 0.67 each is 20."
    ),
    "Capital used": (
        "Cash the entry takes: the spot leg, its fees and the perpetual's margin, 5,472 of 10,000."
    ),
    "Liquidation": (
        "The mark price at which the venue closes the perpetual and keeps its margin: at 2x a "
        "short has about 49 % of room."
    ),
    "Stress": (
        "The loss if one leg moves 1 % before the other follows: 36.40 USDT on 3,640 of notional."
    ),
    "Hedge": (
        "What the legs do not cancel after lots and fees in coins: 0 is fully hedged, 10 ADA "
        "moves with the price."
    ),
    "Net now": "Profit if both legs were worth their mids, all fees so far taken: −35.67 USDT.",
    "If closed": (
        "Profit if the pair were closed at once over the displayed depth, exit fees taken: "
        "−41.90 USDT. This is the one you can have."
    ),
    "Unhedged delta": (
        "Profit of the coins the other leg does not cancel; after a liquidation this is the "
        "naked leg: +1.20 USDT."
    ),
    "Left over": "What no term explains. It is 0.00 exactly, or the desk has a fault.",
    "Net delta": "Coins held long minus coins held short over all pairs: 0.0 is neutral.",
    "Exposure": "Notional of all pairs, one leg each, at mids: 18.9k USDT.",
    "Drawdown": "How far equity is below its highest point since this desk started: 0.31 %.",
    "Grade": (
        "How real a paper fill is, A to D: A took the displayed top level of a quote under "
        "250 ms old."
    ),
    "Age": (
        "Time since the venue last confirmed this quote; above 2.0 s it is stale and no order "
        "is taken."
    ),
    "Delay over best": "How much later messages came than the quickest of this connection in the "
    "last 5 to 10 minutes, median and 99 of 100: 12 and 85 ms.",
    "Gap": "A missing number in the venue's sequence; the book is dropped and asked for anew: 0.",
    "Late": (
        "A settlement that passed while the desk was closed or silent, paid from the venue's "
        "history: 16:00, booked 2 h later."
    ),
}


def term(name: str) -> str:
    """The sentence of a term. Raises KeyError for one that is not explained."""
    return TERMS[name]
