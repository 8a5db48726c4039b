"""The tables of a backtest, as plain data."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from basisdesk.lab import kernel_columns as of
from basisdesk.lab.backtest_nulls import luck
from basisdesk.lab.backtest_words import MONEY
from basisdesk.lab.kernel import WHYS, Table
from basisdesk.lab.series import Floats, Ints
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import table

if TYPE_CHECKING:
    from basisdesk.lab.backtest_study import Run, Studied

WORST = 5
LISTED = 500  # trades of a table; the best and the worst are always among them
KEPT = 20_000  # trades of a run in study.json
TERMS = ("basis", "funding", "fees", "slippage", "borrow", "liquidation", "net")
ON_CLOSE = ", on the deciding close"

COLUMNS = (
    ("entry", "UTC"), ("exit", "UTC"), ("direction", ""), ("exit by", ""), ("net", MONEY),
    ("among", ""), ("spot in", ""), ("perp in", ""), ("spot out", ""), ("perp out", ""),
    *((name, MONEY) for name in TERMS[:-1]), ("widest against", "bp"),
)  # fmt: skip


def terms_of(made: Table, trades: NDArray[np.void]) -> dict[str, Floats]:
    """TERMS of each trade, costs negative; they sum to its net.

    A forced close is no slippage: of a liquidated trade what the ledger has under slippage beyond
    the half-spreads of its three own fills, and the residual of the leg that was left alone, are
    one term, `liquidation`.
    """
    entry, leave = (
        np.searchsorted(made.view.t_ns, trades[f"{end}_ns"]) for end in ("entry", "exit")
    )
    spot, perp = made.columns.rows[of.R_SPOT_MID], made.columns.rows[of.R_PERP_MID]
    own = spot[entry] - trades["spot_in"] + trades["perp_in"] - perp[entry]
    own = trades["direction"] * trades["qty"] * (own + trades["spot_out"] - spot[leave])
    forced = trades["why"] == of.LIQUIDATED
    slippage = np.where(forced, own, trades["slippage"])
    return {
        "basis": trades["basis"],
        "funding": trades["funding"],
        "fees": -trades["fees"],
        "slippage": slippage,
        "borrow": -trades["borrow"],
        "liquidation": trades["slippage"] - slippage + trades["residual"],
        "net": trades["net"],
    }


def backtest_tables(found: "Studied") -> list[dict[str, Any]]:
    """Trades and costs, attribution, exits, comparisons, every trade."""
    runs = [*found.runs, found.carry]
    if found.bars:
        runs.insert(1, found.main._replace(name=found.main.name + ON_CLOSE))
    said = [_counts(found), _attribution(runs), _exits(runs), _nulls(found)]
    if found.slips:
        said.append(_slips(found))
    said += [_worst(found), _every(found.head, "All trades" + (LATER if found.bars else ""))]
    return said + ([_every(found.main, f"All trades{ON_CLOSE}")] if found.bars else [])


LATER = ", filled one bar later"


def every_trade(found: "Studied") -> dict[str, Any]:
    """All trades of the rule for study.json: by how they were filled, up to KEPT of each."""
    runs = {"head": found.head} | ({"on_the_deciding_close": found.main} if found.bars else {})
    return {
        "columns": [name for name, _ in COLUMNS],
        **{key: _rows(run, np.arange(len(run.trades))[:KEPT]) for key, run in runs.items()},
        "left_out": {key: max(0, len(run.trades) - KEPT) for key, run in runs.items()},
    }


def minute(t_ns: int) -> str:
    """A moment as a reader wants it."""
    return utc_text(t_ns)[:16].replace("T", " ")


def worst_of(run: "Run") -> Ints:
    """The worst trades of a run, worst first."""
    return np.argsort(run.trades["net"], kind="stable")[:WORST]


def _counts(found: "Studied") -> dict[str, Any]:
    capital, t_ns = found.options.size.capital, found.table.view.t_ns
    span_h = float(t_ns[-1] - t_ns[0]) / 3.6e12
    both = [*zip(found.runs, found.close, strict=True), (found.carry, found.carry)]
    rows = [
        [
            run.name,
            len(run.trades),
            run.costs.round_trip_bp,
            run.net,
            *([close.net, len(close.trades)] if found.bars else []),
            1e2 * run.net / capital,
            float(run.summary["max_drawdown"]),
            1e2 * float(run.summary["hours"]) / span_h if span_h else 0.0,
            "yes" if run.summary["refused"] else "no",
        ]
        for run, close in both
    ]
    more = [("net" + ON_CLOSE, MONEY), ("trades" + ON_CLOSE, "")] if found.bars else []
    columns = [
        ("costs", ""), ("trades", ""), ("round trip", "bp"), ("net", MONEY), *more,
        ("of capital", "%"), ("drawdown", MONEY), ("in the market", "% of time"), ("ruined", ""),
    ]  # fmt: skip
    note = (
        "Drawdown between daily marks at mids. Ruined: the account could not pay an entry, which "
        "ended the run."
    )
    if found.bars:
        note += (
            " Every order is decided on a bar's close and filled at the next bar's that trades. On "
            "the deciding close: filled at the prices that decided, which nobody can do. Always-on "
            "carry decides nothing: it is filled at the first bar."
        )
    if found.engine is not None:
        which = "the first row on the deciding close" if found.bars else "the first row"
        note += f" Through the engine went {which}; the kernel made the others."
    return table("Trades and net by costs", columns, rows, note)


def _attribution(runs: list["Run"]) -> dict[str, Any]:
    rows = [[run.name, *(float(run.terms[name].sum()) for name in TERMS)] for run in runs]
    note = (
        "Costs are negative; the terms sum to net. Slippage holds half the spread of each fill. "
        "Liquidation: the perpetual closed by force and the coin sold or bought back at that "
        "row's prices, against the middles that were known before."
    )
    columns = [("costs", ""), *((name, MONEY) for name in TERMS)]
    return table("Where it came from", columns, rows, note)


def _exits(runs: list["Run"]) -> dict[str, Any]:
    rows = [[run.name, *(int(run.summary[why]) for why in WHYS)] for run in runs]
    return table("Exits", [("costs", ""), *((why, "trades") for why in WHYS)], rows)


def _nulls(found: "Studied") -> dict[str, Any]:
    net = found.head.net
    rows: list[list[Any]] = [["the rule", net, None, None, None]]
    if found.bars:
        rows.append(["the rule" + ON_CLOSE, found.main.net, None, None, None])
    rows += [
        ["never trade", 0.0, None, None, None],
        ["cash at money_rate", found.cash, None, None, None],
        ["always-on carry", found.carry.net, None, None, None],
    ]
    for name, drawn in (("random entries", found.random), ("shuffled funding", found.shuffled)):
        if len(drawn):
            low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
            rows.append([name, float(drawn.mean()), low, high, luck(net, drawn)])
    columns = [
        ("against", ""), ("net", MONEY), ("2.5 %", MONEY), ("97.5 %", MONEY), ("p, at most", ""),
    ]  # fmt: skip
    note = (
        "Draws hold each trade for its time, without stop, target or liquidation; p counts the "
        "rule itself among the draws that did as well. Cash: the whole capital at "
        f"{found.table.costs.money_rate:.1%} a year over the same time, simple interest; it is in "
        "no other row and no other term."
    )
    return table("Against luck and doing nothing", columns, rows, note)


def _slips(found: "Studied") -> dict[str, Any]:
    rows = [[bp, len(run.trades), run.net] for bp, run in found.slips]
    columns = [("slippage", "bp a leg and fill"), ("trades", ""), ("net", MONEY)]
    note = "Entry and exit are measured on the prices that are filled, slippage in them."
    return table("By slippage", columns, rows, note)


# --- trade by trade -------------------------------------------------------------------------------


def _worst(found: "Studied") -> dict[str, Any]:
    rows = _rows(found.head, worst_of(found.head))
    return table(f"The {WORST} worst trades", COLUMNS, rows)


def _every(run: "Run", title: str) -> dict[str, Any]:
    count = len(run.trades)
    if count <= LISTED:
        return table(title, COLUMNS, _rows(run, np.arange(count)), "Oldest first.")
    order = np.argsort(run.trades["net"], kind="stable")
    marked = np.concatenate((order[:WORST], order[-WORST:]))
    others = np.setdiff1d(np.arange(count), marked)[: LISTED - len(marked)]
    note = (
        f"Oldest first; the oldest {LISTED:,} of {count:,}, the best and the worst {WORST} among "
        "them. study.json has more under trades."
    )
    return table(title, COLUMNS, _rows(run, np.sort(np.concatenate((marked, others)))), note)


def _rows(run: "Run", chosen: Ints) -> list[list[Any]]:
    order = np.argsort(run.trades["net"], kind="stable").tolist()
    many = min(WORST, len(order) // 2)
    among = {at: f"worst {place}" for place, at in enumerate(order[:many], 1)}
    among |= {at: f"best {place}" for place, at in enumerate(order[::-1][:many], 1)}
    return [
        [
            minute(int(run.trades["entry_ns"][at])),
            minute(int(run.trades["exit_ns"][at])),
            int(run.trades["direction"][at]),
            WHYS[int(run.trades["why"][at])],
            float(run.trades["net"][at]),
            among.get(at, ""),
            *(
                float(run.trades[name][at])
                for name in ("spot_in", "perp_in", "spot_out", "perp_out")
            ),
            *(float(run.terms[name][at]) for name in TERMS[:-1]),
            float(run.trades["mae_bp"][at]),
        ]
        for at in chosen.tolist()
    ]
