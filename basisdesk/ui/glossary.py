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
    "Net profit target": (
        "Leave when closing now would net this much, exit fees, slippage and conversion paid: "
        "25 USDT."
    ),
    "Funding exit": (
        "Leave when funding has turned against the pair by this much, was so at the last two "
        "settlements, and staying is expected to cost more than leaving: 3 bp per 8 h. A change "
        "of sign alone is none."
    ),
    "Execution": (
        "How the order meets the books, and what happens when one leg fills and the other does "
        "not: market, 5 slices, hedge now."
    ),
    "Limit basis": (
        "The worst basis you accept for both legs together, at the ticket's size: 68 bp waits "
        "until selling perp and buying spot locks in 68 bp or more."
    ),
    "Pay-up": (
        "How many ticks beyond the best price the following leg may pay: 5 ticks of 0.0001 are "
        "0.0005, 14 bp at 0.3640."
    ),
    "Slices": (
        "Equal parts an order is cut into, so that each meets a book that has filled up again: 5."
    ),
    "Slice gap": "Pause between two slices: 30 s, so 5 slices take 2 min.",
    "Good for": (
        "How long an order works before what is left of it is withdrawn: 600 s is 10 min. What "
        "is filled stays, and is hedged."
    ),
    "Suggested size": (
        "The largest size that keeps every rule of sizing at once: account risk, volatility, "
        "depth, cash and reserve; the one that binds is named: 2,900 ADA, depth binds."
    ),
    "Entry rule": (
        "Enter only when the convergence pays fees, the worst slippage and one funding interval "
        "against you: 65.4 bp against 37.0 and 1.8 leaves 26.6 bp."
    ),
    "Margin": (
        "Cash set aside for the perpetual at the venue, lost first: 1,830 USDT for 3,660 at 2x."
    ),
    "Free after": (
        "Cash left to spend once the entry is paid, and what of it the reserve keeps idle: "
        "4,528 USDT, 500 kept."
    ),
    "Chance of liquidation": (
        "How likely the mark touches the liquidation price within the hold at today's "
        "volatility, if prices wander without drift: 0.3 %."
    ),
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
    "Gross exposure": "Notional of all legs held, long and short, at mids: 18.9k USDT.",
    "Drawdown": (
        "How far equity is below its highest point in this journal; at 10 % the desk halts: 0.31 %."
    ),
    "Grade": (
        "How real a paper fill is, A to D, with its reason: A took the displayed top level of a "
        "quote under 250 ms old, C leans on a queue estimate."
    ),
    "Risk state": (
        "Active, reducing (no new pairs, what is held goes on) or halted (a person has to "
        "resume); it survives a restart: halted since 09:14."
    ),
    "Reducing": (
        "No new pairs while a cause lasts, such as quotes older than 60 s; exits, plans and "
        "hedges go on, and it ends by itself 30 s after the cause."
    ),
    "Legging": (
        "One leg of an order fills and the other comes late, short or never: bought 5,000 ADA, "
        "sold none yet."
    ),
    "Unhedged": (
        "A leg is missing by more than the tolerance, so the pair moves with the price; the "
        "order's policy is at work on it: 1,820 USDT for 3.2 s."
    ),
    "Naked": (
        "One leg is gone for good, liquidated, deleveraged or closed alone, and nothing mends "
        "the other: 1,820 USDT stay exposed until it is closed."
    ),
    "Queue estimate": (
        "A resting order joins the back of the displayed size and fills only after trades have "
        "eaten what stood ahead: 12,000 ADA ahead, 3,100 traded."
    ),
    "ADL": (
        "Auto-deleveraging: the venue closes a winning perpetual at its mark to balance another "
        "trader's bankruptcy, without a fee; the spot leg stays naked: 1 in years."
    ),
    "Reserve": (
        "Part of equity that entries leave idle, for margin when it is needed: 5 % of 10,000 "
        "USDT is 500."
    ),
    "Stress loss": (
        "The loss in the worse of a leg naked for a minute at 3 sigma, an ADL gap, or a "
        "liquidation: 61 USDT on 3,640."
    ),
    "Maintenance margin": (
        "The least margin the venue wants behind the perpetual, by tier of its notional, on the "
        "mark: 0.5 % of 10,000 USDT is 50."
    ),
    "Drill": (
        "A failure of execution you order for practice, on the demo only, once: the next short "
        "leg fills half, say 5,000 of 10,000."
    ),
    "Paper account": (
        "A journal of its own with its own money and plans; a reset puts it aside in an "
        "archive and begins with the starting cash again: 10,000 USDT."
    ),
    "Age": (
        "Time since the venue last confirmed this quote; above 2.0 s it is stale and no order "
        "is taken."
    ),
    "Delay over best": "How much later messages came than the quickest of this connection in the "
    "last 5 to 10 minutes, median and 99 of 100: 12 and 85 ms.",
    "Gap": "A missing number in the venue's sequence; the book is dropped and asked for anew: 0.",
    "Opening": (
        "One combination of legs that could be entered now, such as long OKX perp and short Bybit "
        "perp of ADA; 60 coins on 4 venues make some 2,600."
    ),
    "Funding /8h": (
        "What the combination receives per 8 h, rate of the short leg less that of the long one, "
        "each by its true interval: 0.02 % an hour is +0.16 %."
    ),
    "True interval": (
        "Hours between settlements as each venue says for this symbol, long leg first; a rate per "
        "4 h is worth twice the same one per 8 h."
    ),
    "To fair": (
        "What convergence to the fair basis would earn from here: basis of mids less fair, +25.5 "
        "bp; below zero it costs."
    ),
    "Net /8h": (
        "Expected over the hold, per 8 h: funding by the calendar and convergence, less four fees, "
        "spreads, depth and borrow: +7.4 bp."
    ),
    "Break-even": (
        "How many settlements, and days, until the expected funding has paid the round trip: 3 "
        "payments \u00b7 1.0 d; at target: the convergence counted on pays alone."
    ),
    "Half-life": (
        "Time in which such a funding gap has halved, from our own history; long is good: 11 h. "
        "A dash is no half-life found."
    ),
    "Reversal hazard": (
        "Share of like gaps in our history that changed sign within the hold, and of how many: "
        "12 % of 40."
    ),
    "Sector flag": (
        "Whether the coin's sector speaks for this direction: confirmed, contradicted (then the "
        "ticket gets half the size) or neutral: z over 1.5."
    ),
    "Worth trading": (
        "Fresh openings that net more than nothing after all costs, carry the scanner's size and "
        "are not contradicted by their sector: 2, and often 0."
    ),
    "Funding gap": (
        "Rate of one venue's perpetual less another's of the same coin, per 8 h; the trigger is "
        "0.06 %, before any cost."
    ),
    "Market funding": (
        "Median over all perpetuals watched, per 8 h, and its percentile in our own history: "
        "+0.0094 %, 61st."
    ),
    "Composite": (
        "Basis and funding of a coin over all venues, each weighted by its depth; a stale venue "
        "is dropped and its weight is 0."
    ),
    "Percentile": (
        "Share of the days kept that were below this figure: the 90th was topped on one day in 10."
    ),
    "Probability": (
        "How often such a candidate reaches its net profit before stop and horizon, calibrated on "
        "outcomes that are known, with its 95 % interval: 72.4 %, 61.0 to 81.2."
    ),
    "p*": (
        "The probability at which gains and losses cancel, mean loss over mean gain plus mean "
        "loss: 51 of 61 bp is 83.6 %. A trade needs a margin above it."
    ),
    "Expected hold": (
        "How long until the target is reached, half of the times and nine of ten: 3 h 20 min, 7 h."
    ),
    "Funding over the hold": (
        "What the settlements within the expected hold pay this side, by the calendar and not pro "
        "rata: one at 16:00 is +0.92 bp, leaving at 15:59 gets nothing."
    ),
    "Settlement": (
        "When the venue pays funding to whoever holds then: 16:00 UTC, +0.92 bp to the short."
    ),
    "Edge": (
        "What an entry now leaves at its target after all costs: 68.4 less 3.0 less 31.0 bp is "
        "+34.4 bp."
    ),
    "Regime": (
        "Pinned (funding prints its constant), rich or cheap (above or below fair), or stress "
        "(spreads of 5 medians, wild spot, stale quotes), with hysteresis."
    ),
    "Lead-lag": (
        "Which leg moves first, by Hayashi and Yoshida on irregular times with a 95 % interval: "
        "the perpetual by 300 ms, 200 to 400. Where the interval holds zero there is no leader."
    ),
    "Similar cases": (
        "Past candidates that looked alike in five features, and what became of them: of 84, 12 of "
        "them independent, 62 % came out."
    ),
    "MA crossover": (
        "The mean basis of 5 min over or under that of 2 h, in deviations, and the band of 2 "
        "deviations around the slower: +0.8 sd. It is a measure, not a signal of its own."
    ),
    "External indicators": (
        "Numbers from outside, as flows or sentiment, read from a file you name, with age and "
        "unit. Without a source there is none: 1,250 BTC, 3 h old."
    ),
    "Feature": (
        "One of 44 numbers that the forecast is made of, each with formula, window and source: "
        "z_2h is +1.6 sd."
    ),
    "Contribution": (
        "What a feature adds to the logit of the probability; all of them and the bias sum to it: "
        "+0.412."
    ),
    "Reliability": (
        "What was said against what came true, in bins of 10 %; on the diagonal 70 % means 70 of "
        "100. A bar is its 95 % interval."
    ),
    "Effective outcomes": (
        "Outcomes counted by what is independent in them: 412 that overlap in time are worth some "
        "96. Under 200 nothing is claimed."
    ),
    "Base rate": "How often candidates came out well at all: 31.2 %. A forecast has to beat it.",
    "z-bins": (
        "The rate among candidates of like z over 24 h: the simple rule that a model has to beat, "
        "0.1449 in Brier."
    ),
    "Brier": (
        "Mean square of probability less outcome, 0 is perfect, always saying 50 % is 0.25: 0.1331."
    ),
    "Skill": (
        "How much of another forecast's Brier score is gone, 0 % is no better: +8.2 %, with 95 % "
        "between \u22121.0 and +15.3. An interval that holds zero proves nothing."
    ),
    "ECE": ("Mean distance between what was said and what came true over the bins: 2.1 % is good."),
    "AUC": "Chance that a success was given more than a failure; a coin has 0.500: 0.749.",
    "Coverage": "Share of candidates whose probability was above p* with its margin: 12.4 %.",
    "Drift": (
        "Whether losses of late are larger than those before, on outcomes that do not overlap; "
        "then a trade needs 10 % above p*, and nothing is forgotten silently."
    ),
    "Candidate": (
        "A moment noted before anyone knows its outcome, by a registered rule, at most one in 5 "
        "min for a pair and side; it is told 8 h later, taken or not."
    ),
    "Autopilot": (
        "A playbook that looks at a pair each second: off, suggest (it says what it would do) or "
        "auto (it does it on paper). Halt silences it; it holds 5 pairs at once at most."
    ),
    "Playbook": (
        "One of five systems with all of its rules as numbers that can be set, each with range "
        "and source: entry_z 1.5 sd, S1."
    ),
    "Override": (
        "A person does otherwise than the autopilot says, with a reason; it is noted beside the "
        "decision, so that both can be scored later, and the pair rests 5 min."
    ),
    "Late": (
        "A settlement that passed while the desk was closed or silent, paid from the venue's "
        "history: 16:00, booked 2 h later."
    ),
}


def term(name: str) -> str:
    """The sentence of a term. Raises KeyError for one that is not explained."""
    return TERMS[name]
