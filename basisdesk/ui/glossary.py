"""Every term of the desk in one sentence and a figure. Tooltips and Help > Glossary read it.

Pure text: no Qt. A figure that a place on the screen may have a live one of stands behind "for
example": a tooltip over a live figure must not look like another one.
"""

from basisdesk.ui.glossary_forecast import FORECAST_TERMS
from basisdesk.ui.glossary_program import PROGRAM_TERMS

TERMS: dict[str, str] = {
    "Basis": (
        "How far the perpetual stands above spot, in bp of spot; for example perp 0.3665, spot "
        "0.3640 is +68.7 bp."
    ),
    "bp": "One hundredth of a percent: 10,000 USDT at 1 bp is 1 USDT.",
    "Open basis": (
        "The basis you would lock in now at the ticket's size, spot bought from the asks and "
        "perp sold into the bids; for example +68.4 bp."
    ),
    "Close basis": (
        "The basis you would pay to leave now at the ticket's size; it is above the open basis "
        "by both spreads; for example +70.6 bp."
    ),
    "Fair basis": (
        "Where the venue's funding rule lets the basis rest, about −4.5 bp at 5 % a year for "
        "money; it is not zero."
    ),
    "z": "Distance from the mean in standard deviations; for example +2.7 is seen 1 % of the time.",
    "Round trip": (
        "Everything an entry and an immediate exit cost together, four fees, spreads and depth; "
        "for example 35.1 bp."
    ),
    "Funding": (
        "What longs of the perpetual pay shorts at each settlement, on the mark price; for "
        "example 0.0184 % of 3,660 USDT is 0.67 USDT."
    ),
    "Cross rate": (
        "What one unit of a leg's currency is worth in the account's; for example at 0.9996 USD "
        "for a USDT, 1,000 USD are 1,000.40 USDT. It is a leg of its own and never taken as 1."
    ),
    "Conversion": (
        "What changing money for a spot leg in another currency costs against the middle of the "
        "cross rate, in and out; for example 1,000 USD at half a spread of 1 bp cost 0.20 USD "
        "there and back."
    ),
    "Combo": (
        "The venue's own book for both legs in one order; its bid and ask, in bp of spot, are "
        "what the venue itself asks for the basis; for example +6.1 / +7.0 bp."
    ),
    "Clock offset": (
        "Our clock less the venue's, from its HTTP time, at most one trip off; for example "
        "−1,270 ms means ours runs behind."
    ),
    "To engine": (
        "How long a message waited between the socket and the engine, on this machine; for "
        "example 4 ms."
    ),
    "Velocity": (
        "How fast the coming funding rate moves, in bp per hour; for example from 0.02 % to "
        "0.08 % in two hours is +3.0 bp/h."
    ),
    "Size": (
        "How much of the coin the long leg buys; the other leg follows after lots and fees; for "
        "example 10,000 ADA."
    ),
    "Leverage": (
        "Notional of the perpetual per unit of its margin; for example at 2 it is 5,000 USDT of "
        "margin for 10,000. The desk stops at 5."
    ),
    "Target basis": (
        "Leave with the profit when the close basis is here; for example 3 bp, from an entry at "
        "68 bp, captures 65 bp before costs."
    ),
    "Stop basis": (
        "Leave with the loss when the close basis is here; for example 120 bp, from an entry at "
        "68 bp, loses 52 bp and the fees."
    ),
    "Time stop": (
        "Leave after this many hours whatever the basis does; for example 72 h is nine settlements."
    ),
    "Net profit target": (
        "Leave when closing now would net this much, exit fees, slippage and conversion paid; "
        "for example 25 USDT."
    ),
    "Funding exit": (
        "Leave when funding has turned by this much, was so at the last two settlements, and "
        "staying should cost more than leaving; for example 3 bp per 8 h. A change of sign "
        "alone is none."
    ),
    "Execution": (
        "How the order meets the books, and what happens when one leg fills and the other does "
        "not; for example market, 5 slices, hedge now."
    ),
    "Limit basis": (
        "The worst basis you accept for both legs together, at the ticket's size; for example "
        "68 bp waits until selling perp and buying spot locks in 68 bp or more."
    ),
    "Pay-up": (
        "How many ticks beyond the best price the following leg may pay; for example 5 ticks of "
        "0.0001 are 0.0005, 14 bp at 0.3640."
    ),
    "Slices": (
        "Equal parts an order is cut into, so that each meets a book that has filled up again; "
        "for example 5."
    ),
    "Slice gap": "Pause between two slices; for example 30 s, so 5 slices take 2 min.",
    "Good for": (
        "How long an order works before what is left of it is withdrawn; for example 600 s is "
        "10 min. What is filled stays, and is hedged."
    ),
    "Suggested size": (
        "The largest size that keeps every rule of sizing at once: account risk, volatility, "
        "depth, cash and reserve; the one that binds is named; for example 2,900 ADA, depth "
        "binds."
    ),
    "Entry rule": (
        "Enter only when the convergence pays fees, the worst slippage and one funding interval "
        "against you; for example 65.4 bp against 37.0 and 1.8 leaves 26.6 bp."
    ),
    "Margin": (
        "Cash set aside for the perpetual at the venue, lost first; for example 1,830 USDT for "
        "3,660 at 2x."
    ),
    "Free after": (
        "Cash left to spend once the entry is paid, and what of it the reserve keeps idle; for "
        "example 4,528 USDT, 500 kept."
    ),
    "Chance of liquidation": (
        "How likely the mark touches the liquidation price within the hold at today's "
        "volatility, if prices wander without drift; for example 0.3 %."
    ),
    "Fees": (
        "Taker fees of all four fills, spot and perp, in and out; for example 0.10 % and 0.055 "
        "% make 31.0 bp."
    ),
    "Slippage": (
        "Fills against the mid at the decision, half spreads and depth included; for example "
        "1.49 USDT on 3,640 USDT."
    ),
    "Borrow": (
        "Interest on coins borrowed for a spot short, per hour; for example 0.00015 % is 0.04 "
        "USDT a day on 1,000 USDT."
    ),
    "Break-even basis": (
        "The close basis at which the pair ends at zero after the four fees; for example entry "
        "68.4 bp less 31.0 bp is 37.4 bp."
    ),
    "Payments to break even": (
        "How many settlements like the next one pay the round trip; for example 12.8 USDT at "
        "0.67 USDT each is 20."
    ),
    "Capital used": (
        "Cash the entry takes: the spot leg, its fees and the perpetual's margin; for example "
        "5,472 of 10,000 USDT."
    ),
    "Liquidation": (
        "The mark price at which the venue closes the perpetual and keeps its margin: at 2x a "
        "short has about 49 % of room."
    ),
    "Stress": (
        "The loss if one leg moves 1 % before the other follows; for example 36.40 USDT on "
        "3,640 USDT of notional."
    ),
    "Hedge": (
        "What the legs do not cancel after lots and fees in coins; for example 0 is fully "
        "hedged, 10 ADA moves with the price."
    ),
    "Net now": (
        "Profit if both legs were worth their mids, all fees so far taken; for example −35.67 USDT."
    ),
    "If closed": (
        "Profit if the pair were closed at once over the displayed depth, exit fees taken; for "
        "example −41.90 USDT. This is the one you can have."
    ),
    "Unhedged delta": (
        "Profit of the coins the other leg does not cancel; after a liquidation this is the "
        "naked leg; for example +1.20 USDT."
    ),
    "Left over": "What no term explains. It is 0.00 exactly, or the desk has a fault.",
    "Net delta": "Coins held long minus coins held short over all pairs; 0.0 is neutral.",
    "Gross exposure": "Notional of all legs held, long and short, at mids; for example 18.9k USDT.",
    "Drawdown": (
        "How far equity is below its highest point in this journal; for example 0.31 %. At 10 % "
        "the desk halts."
    ),
    "Grade": (
        "How real a paper fill is, A to D, with its reason: A took the displayed top level of a "
        "quote under 250 ms old, C leans on a queue estimate."
    ),
    "Risk state": (
        "Active, reducing (no new pairs, what is held goes on) or halted (a person has to "
        "resume); it survives a restart; for example halted since 09:14."
    ),
    "Reducing": (
        "No new pairs while a cause lasts, such as quotes older than 60 s; exits, plans and "
        "hedges go on, and it ends by itself 30 s after the cause."
    ),
    "Legging": (
        "One leg of an order fills and the other comes late, short or never; for example bought "
        "5,000 ADA, sold none yet."
    ),
    "Unhedged": (
        "A leg is missing by more than the tolerance, so the pair moves with the price; the "
        "order's policy is at work on it; for example 1,820 USDT for 3.2 s."
    ),
    "Naked": (
        "One leg is gone for good, liquidated, deleveraged or closed alone, and nothing mends "
        "the other; for example 1,820 USDT stay exposed until it is closed."
    ),
    "Queue estimate": (
        "A resting order joins the back of the displayed size and fills only after trades have "
        "eaten what stood ahead; for example 12,000 ADA ahead, 3,100 traded."
    ),
    "ADL": (
        "Auto-deleveraging: the venue closes a winning perpetual at its mark to balance another "
        "trader's bankruptcy, without a fee; the spot leg stays naked. Expect 1 in years."
    ),
    "Reserve": (
        "Part of equity that entries leave idle, for margin when it is needed; for example 5 % "
        "of 10,000 USDT is 500."
    ),
    "Stress loss": (
        "The loss in the worse of a leg naked for a minute at 3 sigma, an ADL gap, or a "
        "liquidation; for example 61 USDT on 3,640 USDT."
    ),
    "Maintenance margin": (
        "The least margin the venue wants behind the perpetual, by tier of its notional, on the "
        "mark; for example 0.5 % of 10,000 USDT is 50 USDT."
    ),
    "Drill": (
        "A failure of execution you order for practice, on the demo only, once; for example the "
        "next short leg fills half, say 5,000 of 10,000."
    ),
    "Paper account": (
        "A journal of its own with its own money and plans; a reset puts it aside in an archive "
        "and begins with the starting cash again; for example 10,000 USDT."
    ),
    "Age": (
        "Time since the venue last confirmed this quote; above 2.0 s it is stale and no order "
        "is taken."
    ),
    "Delay over best": (
        "How much later messages came than the quickest of this connection in the last 5 to 10 "
        "minutes, median and 99 of 100; for example 12 and 85 ms."
    ),
    "Gap": (
        "A missing number in the venue's sequence; the book is dropped and asked for anew. 0 is "
        "usual."
    ),
    "Opening": (
        "One combination of legs that could be entered now, such as long OKX perp and short "
        "Bybit perp of ADA; 60 coins on 4 venues make some 2,600."
    ),
    "Funding /8h": (
        "What the combination receives per 8 h, rate of the short leg less that of the long "
        "one, each by its true interval; for example 0.02 % an hour is +0.16 %."
    ),
    "True interval": (
        "Hours between settlements as each venue says for this symbol, long leg first; a rate "
        "per 4 h is worth twice the same one per 8 h."
    ),
    "To fair": (
        "What convergence to the fair basis would earn from here: basis of mids less fair, for "
        "example +25.5 bp; below zero it costs."
    ),
    "Net /8h": (
        "Expected over the hold, per 8 h: funding by the calendar and convergence, less four "
        "fees, spreads, depth and borrow; for example +7.4 bp."
    ),
    "Break-even": (
        "How many settlements, and days, until the expected funding has paid the round trip; "
        "for example 3 payments · 1.0 d. At target: the convergence counted on pays alone."
    ),
    "Half-life": (
        "Time in which such a funding gap has halved, from our own history; long is good; for "
        "example 11 h. A dash is no half-life found."
    ),
    "Reversal hazard": (
        "Share of like gaps in our history that changed sign within the hold, and of how many; "
        "for example 12 % of 40."
    ),
    "Sector flag": (
        "Whether the coin's sector speaks for this direction: confirmed, contradicted (then the "
        "ticket gets half the size) or neutral; for example z over 1.5 confirms."
    ),
    "Worth trading": (
        "Fresh openings that net more than nothing after all costs, carry the scanner's size "
        "and are not contradicted by their sector; often 0."
    ),
    "Funding gap": (
        "Rate of one venue's perpetual less another's of the same coin, per 8 h; the trigger is "
        "0.06 %, before any cost."
    ),
    "Market funding": (
        "Median over all perpetuals watched, per 8 h, and its percentile in our own history; "
        "for example +0.0094 %, 61st."
    ),
    "Composite": (
        "Basis and funding of a coin over all venues, each weighted by its depth; a stale venue "
        "is dropped and its weight is 0."
    ),
    "Percentile": (
        "Share of the days kept that were below this figure: the 90th was topped on one day in 10."
    ),
    **FORECAST_TERMS,
    **PROGRAM_TERMS,
    "Autopilot": (
        "A playbook that looks at a pair each second: off, suggest (it says what it would do) "
        "or auto (it does it on paper). Halt silences it; it holds 5 pairs at once at most."
    ),
    "Playbook": (
        "One of five systems with all of its rules as numbers that can be set, each with range "
        "and source; for example an entry at z 1.5."
    ),
    "Override": (
        "A person does otherwise than the autopilot says, with a reason; it is noted beside the "
        "decision, so that both can be scored later, and the pair rests 5 min."
    ),
    "Late": (
        "A settlement that passed while the desk was closed or silent, paid from the venue's "
        "history; for example 16:00, booked 2 h later."
    ),
    "Replay": (
        "A recording walked through the same desk again, at 0.1 to 1,000 times its pace: an "
        "hour takes 36 s at 100×. Trades go to an account of their own; live feeds record on."
    ),
    "Tape time": (
        "The moment of the recording that stands on the screen, UTC. Ages and countdowns are "
        "counted in it: a quote 0.4 s old was that old then."
    ),
    "Warm-up": (
        "A long jump walks only the last 5 minutes before its target and leaves the rest out "
        "where nobody traded: prices and funding are known again, depth with its next snapshot."
    ),
    "Step": (
        "Go on by 1 message, to the next change of a leg's best price, or to the next settlement, "
        "and stand there."
    ),
    "Run": (
        "What one study of the lab found, kept with its plan, data, tables and page, never "
        "written over; for example 2026-11-22 00:02, leverage."
    ),
    "Plan hash": (
        "What was fixed before a result was seen, as 12 digits; for example df39c2496156. Two "
        "runs with the same digits had the same plan; a plan changed afterwards shows."
    ),
    "Trial": (
        "One configuration that a sweep tries. Of 1,000 worthless ones the best looks good, so "
        "their number is fixed beforehand and counted against it."
    ),
    "Claim": (
        "A sentence of the founding notes and what became of it here: reproduced where the "
        "measured interval holds the claimed figure, such as 61 % within 51 to 67 %."
    ),
    "Session compare": (
        "Two saved session logs side by side, money summed exactly; for example B less A is "
        "−10.00 USDT; the same digest means the same ledger to the last posting."
    ),
}


def term(name: str) -> str:
    """The sentence of a term. Raises KeyError for one that is not explained."""
    return TERMS[name]
