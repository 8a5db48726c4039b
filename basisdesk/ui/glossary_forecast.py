"""The terms of the forecast, see glossary.py."""

FORECAST_TERMS: dict[str, str] = {
    "Probability": (
        "How often such a candidate nets its profit first, with its 95 % interval; for example "
        "72.4 %, 61 to 81. The model's word and the base rate, each by the weight it has "
        "earned."
    ),
    "p*": (
        "Where gains and losses cancel, mean loss over gain plus loss, of the registered rule, "
        "not of the ticket; for example 51 of 61 bp is 83.6 %. A trade needs a margin above it."
    ),
    "Expected hold": (
        "How long until the target, half of the times and nine of ten; for example 3 h and 7 h: "
        "as like gaps of the last 24 h took, or by the half-life around fair where few have "
        "closed."
    ),
    "Funding over the hold": (
        "What the settlements within the expected hold pay this side, by the calendar and not "
        "pro rata; for example one at 16:00 is +0.92 bp, leaving at 15:59 gets nothing."
    ),
    "Settlement": (
        "When the venue pays funding to whoever holds then; for example 16:00 UTC, +0.92 bp to "
        "the short."
    ),
    "Edge": (
        "What an entry now on this side leaves at its target, fair value as it can be left, "
        "after all costs; for example 68.4 less 3.0 less 31.0 bp is +34.4 bp."
    ),
    "Regime": (
        "Pinned (funding prints its constant, basis within 2 sd and 10 bp of fair), rich or "
        "cheap (over or under fair), or stress (spreads of 5 medians, wild spot, stale quotes)."
    ),
    "Lead-lag": (
        "Which leg moves first, by Hayashi and Yoshida on irregular times with a 95 % interval; "
        "for example the perpetual by 300 ms, 200 to 400. Where the interval holds zero there "
        "is no leader."
    ),
    "Similar cases": (
        "Past candidates that looked alike in five features, and what became of them; for "
        "example of 84, 12 of them independent, 62 % came out."
    ),
    "MA crossover": (
        "The mean basis of 5 min over or under that of 2 h, in deviations, and the band of 2 "
        "deviations around the slower; for example +0.8 sd. It is a measure, not a signal of "
        "its own."
    ),
    "Outside numbers": (
        "Numbers from outside, as flows or sentiment, of a file or an https address you name, "
        "with age and unit; for example 1,250 BTC, 3 h old. Without a source there is none."
    ),
    "Feature": (
        "One of 44 numbers that the forecast is made of, each with formula, window and source; "
        "for example z_2h is +1.6 sd."
    ),
    "Contribution": (
        "What a feature adds to the logit of the model's own probability; for example +0.412. "
        "All of them and the bias sum to it; grey while the model has no weight in what is "
        "told."
    ),
    "Reliability": (
        "What was said against what came true, in bins of 10 %; on the diagonal, of 100 for "
        "which 70 % was said 70 come true. A bar is its 95 % interval."
    ),
    "Effective outcomes": (
        "Outcomes counted by what is independent in them; for example 412 that overlap in time "
        "are worth some 96. Under 200 nothing is claimed."
    ),
    "Base rate": (
        "How often candidates came out well at all; for example 31.2 %. A forecast has to beat it."
    ),
    "z-bins": (
        "The rate among candidates of like z over 24 h: the simple rule that a model has to "
        "beat; for example 0.1449 in Brier."
    ),
    "Brier": (
        "Mean square of probability less outcome, 0 is perfect, always saying 50 % is 0.25; for "
        "example 0.1331."
    ),
    "Skill": (
        "How much of another forecast's Brier score is gone, 0 % is no better; for example +8.2 "
        "%, with 95 % between −1.0 and +15.3. An interval that holds zero proves nothing."
    ),
    "ECE": (
        "Mean distance between what was said and what came true over the bins; 2 % would be good."
    ),
    "AUC": (
        "Chance that a success was given more than a failure; a coin has 0.500. For example 0.749."
    ),
    "Coverage": (
        "Share of candidates whose probability was above p* with its margin; for example 12.4 %."
    ),
    "Drift": (
        "Whether losses of late are larger than those before, on outcomes that do not overlap; "
        "then a trade needs 10 % above p*, and nothing is forgotten silently."
    ),
    "Candidate": (
        "A moment noted before anyone knows its outcome, by a registered rule, at most one in 5 "
        "min for a pair and side; it is told 8 h later, taken or not."
    ),
    "Your word": (
        "What you would do of a candidate, said early enough and with a reason; its net counts "
        "for you where you would trade, 0 where not, beside the forecast's; for example +4.1 "
        "against +2.0 bp."
    ),
}
