"""What the replication says to two claims: that spreads widened, and that they always come back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.statistics import DAY_NS, Interval, block_mean, calendar_blocks

RECENT_DAYS = 90
BEFORE_DAYS = 365
BLOCK_DAYS = 10.0  # longer than the basis remembers: its half-life is hours to some days
SEED = 1
RULE_OF_THREE = 3.0  # none of n: at most 3 / n with 95 % (Hanley, Lippman-Hand, 1983)


def replicate_claims(coins: Sequence[Mapping[str, Any]], bound: str) -> dict[str, dict[str, Any]]:
    """Answers by claim. bound: whose excursions count for the second one."""
    return {"widening": _widening(coins), "normalises": _comes_back(coins, bound)}


def recent_change(rho: Floats, t_ns: Ints) -> tuple[Interval, Interval]:
    """Mean absolute deviation of the last 90 days and of the 365 before them, fractions a year."""
    edge = int(t_ns[-1]) - RECENT_DAYS * DAY_NS
    first = edge - BEFORE_DAYS * DAY_NS
    late = t_ns > edge
    early = (t_ns > first) & ~late
    size = np.abs(rho)
    blocks = calendar_blocks(t_ns, BLOCK_DAYS)
    return block_mean(size[late], blocks[late], SEED), block_mean(size[early], blocks[early], SEED)


def _widening(coins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said, wider, narrower = [], 0, 0
    for coin in coins:
        late, early = recent_change(coin["rho"], coin["opened_ns"])
        wider += late.low > early.high
        narrower += late.high < early.low
        said.append(
            f"{coin['name']} {_share(late)} in the last {RECENT_DAYS} days of the data, "
            f"{_share(early)} in the {BEFORE_DAYS} days before"
        )
    status = "reproduced" if wider == len(coins) else "undecided"
    if narrower or not wider:
        status = "not reproduced"
    last = _last_day(coins)
    return {
        "status": status,
        "said": f"Mean absolute deviation a year (95 % interval), up to {last}: {'; '.join(said)}.",
        "n": sum(len(coin["rho"]) for coin in coins),
    }


def _share(interval: Interval) -> str:
    return f"{interval.value:.0%} ({interval.low:.0%} to {interval.high:.0%})"


def _last_day(coins: Sequence[Mapping[str, Any]]) -> str:
    last = max((int(coin["opened_ns"][-1]) for coin in coins), default=0)
    return str(np.datetime64(last, "ns").astype("datetime64[D]"))


def _comes_back(coins: Sequence[Mapping[str, Any]], bound: str) -> dict[str, Any]:
    all_of = [(coin, each) for coin in coins for each in coin["found"][bound]]
    still = sum(each.end < 0 for _, each in all_of)
    if not all_of:
        return {"status": "undecided", "said": "No excursion beyond the bound in these data."}
    longest = max(
        (int(coin["opened_ns"][each.end]) - int(coin["opened_ns"][each.row])) / 3.6e12
        for coin, each in all_of
    )
    n = len(all_of)
    if still:
        said = f"{still} of {n} excursions had not come back when the data ended."
        return {"status": "not reproduced", "said": said, "n": n}
    return {
        "status": "undecided",
        "n": n,
        "said": f"All {n} excursions came back, after up to {longest:,.0f} h; of so few, up to "
        f"{min(RULE_OF_THREE / n, 1.0):.0%} might not (95 %). A perpetual has no expiry that would "
        "force it.",
    }
