"""What the founding notes claim, and what became of each claim here.

A claim is either arithmetic, decided once and for all by working it out; or it names the study
that puts it to the test; or it cannot be tested, and the reason is said. A study answers in its
`claims`: by claim, a status, the sentence with the interval that shows it, and n, of how many
outcomes. Of all runs that answer the one with most outcomes stands on the page, the newest of
equals, and beside it every other series of data with what it said; before the first run the claim
is "untested". Claims are never used as defaults, and never as advertising.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from basisdesk.lab.runs import Head, Runs

Status = Literal[
    "untested",
    "reproduced",
    "compatible, cannot tell",
    "not reproduced",
    "undecided",
    "no test",
]
COMPATIBLE: Status = "compatible, cannot tell"
STATUSES: tuple[Status, ...] = (
    "reproduced", "not reproduced", COMPATIBLE, "undecided", "untested", "no test"
)  # fmt: skip
UNDECIDED_WIDTH = 0.5  # of a share: such an interval holds half of all shares
NARROW = 0.25  # of a claimed share, or of what it leaves: half of an interval that tells it apart
N_MIN = 30  # outcomes, before an interval reproduces anything
OTHERS_SAID = 4  # other data that a claim's sentence names; the page's table has them all


class Claim(NamedTuple):
    """One claim. note: which founding note says it. study: what tests it, "" where nothing can.

    decided: status and reason of a claim that needs no data.
    """

    key: str
    note: str
    text: str
    study: str = ""
    decided: tuple[Status, str] | None = None


class Answer(NamedTuple):
    """A claim as it stands now. run: name of the run that shows it, "" where none did.

    n: outcomes it stands on, 0 unknown. data: what it was measured on. others: what other data
    said, those with most outcomes first.
    """

    claim: Claim
    status: Status
    said: str
    run: str = ""
    n: int = 0
    data: str = ""
    others: tuple["Answer", ...] = ()


CLAIMS = (
    Claim("widening", "S1", "The spread has widened significantly in recent months.", "replicate"),
    Claim(
        "monthly", "S1", "8 to 12 % a month from the spot-perp spread.", "league",
    ),
    Claim(
        "leader", "S1", "Spot leads on project news, the perpetual on macro news.",
        decided=("no test", "No tape here carries news with their times. The forecast panel shows "
                 "the lead of each leg with its interval, \"no stable leader\" included."),
    ),
    Claim("crossover", "S1", "Simple moving-average crossovers on the spread work.", "league"),
    Claim(
        "quit", "S1, S3", "87 % quit within three months (S1); 87 % lose within three months (S3).",
        decided=("no test", "One figure, two meanings, no source: the notes contradict each other. "
                 "Neither is shown anywhere else in this program."),
    ),
    Claim("maximum", "S1", "5 to 10 times leverage at most.", "leverage"),
    Claim("capture_5", "S2", "Five times leverage captures 94 % of the opportunities.", "leverage"),
    Claim("capture_20", "S2", "Twenty times leverage captures 61 % of them.", "leverage"),
    Claim("liquidated_5", "S2", "At five times 12 % of the positions are liquidated.", "leverage"),
    Claim("liquidated_20", "S2", "At twenty times 40 % and more are.", "leverage"),
    Claim(
        "collateral", "S2", "Five times leverage means half of the capital as collateral.",
        decided=("not reproduced", "Spot paid in full and a margin of a fifth of the perpetual: "
                 "(1/5) / (1 + 1/5) = 16.7 % of the capital is collateral."),
    ),
    Claim(
        "move_15", "S2", "A coin can move 15 % at five times, and 10 % ends a position at ten.",
        decided=("reproduced", "Short, isolated, maintenance 0.5 %, no settlement: liquidated at "
                 "+19.4 % at five times and +9.45 % at ten, so the second is a little too kind."),
    ),
    Claim(
        "entry_cost", "S2", "0.05 % and 0.05 % for an entry.",
        decided=("not reproduced", "A regular user's taker pays 0.10 % on spot and 0.05 % on the "
                 "perpetual (Binance, 2026-07): 15 bp to enter, 30 bp for the round trip."),
    ),
    Claim("normalises", "S2", "The basis always comes back to normal.", "replicate"),
    Claim("predictable", "S2", "Funding is predictable.", "velocity"),
    Claim("cycle", "S3", "0.03 to 0.12 % net a cycle after fees.", "venue_spread"),
    Claim("spread", "S3", "Funding differs by 0.03 to 0.08 % between venues; trade at 0.06 %.",
          "venue_spread"),
    Claim("velocity", "S3", "Funding velocity tells structural gaps from passing ones.",
          "velocity"),
    Claim("rotation", "S3", "Funding divergence comes 24 to 48 h before sectors rotate.",
          "rotation"),
    Claim(
        "win_rate", "S3", "A confirmed win rate above 55 % is an edge.",
        decided=("not reproduced", "A rate says nothing without its payoffs. To gain 10 bp or lose "
                 "20 after 31 bp of costs, 83.6 % of the trades must win to come out even."),
    ),
    Claim(
        "worked", "S4", "10,000 ADA, spot 0.3640 to 0.3650, perpetual 0.3665 to 0.3651: 24 gross.",
        decided=("reproduced", "24.00 gross to the cent. After fees +12.69 at Bybit on both legs, "
                 "and a loss of 8.82 on the venues that the note names (Kraken and Binance)."),
    ),
)  # fmt: skip


def answers(heads: Sequence[Head]) -> list[Answer]:
    """All claims as they stand by these runs, newest first, in the order of CLAIMS."""
    found = _found(heads)
    return [_answer(claim, found.get(claim.key, ())) for claim in CLAIMS]


def _found(heads: Sequence[Head]) -> dict[str, list[Answer]]:
    """By claim what each series of data said, most outcomes first; of one series the newest."""
    known = {claim.key: claim for claim in CLAIMS}
    found: dict[str, dict[str, Answer]] = {}
    for head in heads:  # newest first
        for key, (status, said, n) in head.claims.items():
            if key in known and status in STATUSES:
                mine = found.setdefault(key, {})
                had = mine.get(head.about)
                if had is None or n > had.n:
                    mine[head.about] = Answer(known[key], status, said, head.name, n, head.about)
    return {
        key: sorted(mine.values(), key=lambda each: -each.n)  # stable: the newest of equals
        for key, mine in found.items()
    }


def _answer(claim: Claim, found: Sequence[Answer]) -> Answer:
    if claim.decided is not None:
        return Answer(claim, *claim.decided)
    if not found:
        return Answer(claim, "untested", f"Run `basisdesk lab {claim.study.replace('_', '-')}`.")
    first, others = found[0], tuple(found[1:])
    said = f"{first.data}: {first.said}" if first.data and others else first.said
    return first._replace(said=said + _beside(others), others=others)


def _beside(others: Sequence[Answer]) -> str:
    """What other data said, after the sentence of the run with most outcomes."""
    if not others:
        return ""
    parts = [
        f"{each.data or each.run} (n {each.n:,}): {each.status}" for each in others[:OTHERS_SAID]
    ]
    if more := len(others) - OTHERS_SAID:
        parts += [f"{more} more"] if more > 0 else []
    return f" Other data, with fewer outcomes: {'; '.join(parts)}."


def claims_study(runs: Runs) -> dict[str, Any]:
    """The claims page as a study."""
    rows = answers(runs.heads())
    count = {status: sum(row.status == status for row in rows) for status in STATUSES}
    said = "; ".join(f"{count[status]} {status}" for status in STATUSES if count[status])
    each = [one for row in rows if row.others for one in (row, *row.others)]
    return {
        "study": "claims",
        "title": "Claims of the founding notes",
        "sentences": [
            f"{len(rows)} claims: {said}.",
            "No claim is a default of this program, and none is a promise.",
            f"Reproduced: the interval holds the claimed share, half of it is at most {NARROW:.0%} "
            f"of that share (or of what it leaves, if that is less), and it stands on {N_MIN} "
            f"outcomes at least. An interval that holds the share and is wider is "
            f'"{COMPATIBLE}". Of several runs the one with most outcomes answers.',
            "Only runs that are kept in the profile count; those written with --out do not.",
        ],
        "tables": [
            {
                "title": "Claims",
                "columns": ["note", "claim", "status", "what shows it", "run"],
                "rows": [
                    [row.claim.note, row.claim.text, row.status, row.said, row.run] for row in rows
                ],
            },
            {
                "title": "What each of several data said",
                "columns": ["claim", "data", "outcomes", "status", "run"],
                "rows": [
                    [one.claim.text, one.data, one.n or None, one.status, one.run] for one in each
                ],
            },
        ],
    }


VERDICTS: dict[str, Status] = {
    "SUPPORTED": "reproduced",
    "NOT SUPPORTED": "not reproduced",
    "UNDERPOWERED": "undecided",
}


def by_verdict(verdict: str, said: str, n: int = 0) -> dict[str, Any]:
    """Answer of a study that ends in a verdict of its own. n: outcomes it stands on."""
    return {"status": VERDICTS[verdict], "said": said, "n": n}


def judged(
    claimed: float, interval: tuple[float, float], said: str, n: int, *, least: bool = False
) -> dict[str, Any]:
    """Answer of a study to a claim about one share, by its 95 % interval over n outcomes.

    An interval that leaves the figure out does not reproduce it; one that holds it does only where
    it is narrow enough to tell. least: the claim is "so much and more", judged on its side alone:
    reproduced where the whole interval is there.
    """
    return {"status": _status(claimed, interval, n, least=least), "said": said, "n": n}


def _status(claimed: float, interval: tuple[float, float], n: int, *, least: bool) -> Status:
    low, high = interval
    if high < claimed or (low > claimed and not least):
        return "not reproduced"
    if high - low > UNDECIDED_WIDTH:
        return "undecided"
    if least:
        return "reproduced" if low >= claimed and n >= N_MIN else COMPATIBLE
    narrow = (high - low) / 2.0 <= NARROW * min(abs(claimed), abs(1.0 - claimed))
    return "reproduced" if narrow and n >= N_MIN else COMPATIBLE
