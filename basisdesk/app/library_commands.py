"""`basisdesk sessions` and `basisdesk import-trades FILE`: the session library without a window."""

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basisdesk.config import Settings
from basisdesk.errors import UserError

if TYPE_CHECKING:
    from basisdesk.app.lab_commands import Ends

LINES_MAX = 60  # of sessions on a terminal; --json has them all
KEPT = "clean"
TRADES_SAID = """\
Price the convergence script's trade_log.csv again and show what it left out.

The first line names the columns, in any order; all of these, more are passed over:
  timestamp_utc   2026-01-31 09:14:22, or ISO 8601: 2026-01-31T09:14:22Z (+01:00);
                  UTC where no zone is written
  action          ENTER or EXIT; an EXIT belongs to the ENTER before it
  basis_pct       (perpetual - spot) / spot, percent
  spot_price, perp_price   fill prices of the row
  qty             coins of each leg
  realized_pnl    the perpetual's leg, USDT
  fees            of both legs in this row, USDT
  usdt_balance, base_balance   cash and coins after the row
  perp_qty        coins of the perpetual, negative where short; 0 after an exit
  perp_entry, perp_margin   its entry price, and its margin in USDT
  note            text; reason=WORD and pnl=1.23USDT are read

A line that cannot be read is named and left out. Where none can be read, nothing is shown and
the program ends with 2.
"""


def add_library(
    commands: Any, ends: "Ends", settings: Callable[[argparse.Namespace], Settings]
) -> None:
    """Add both commands to the program's own. settings: those that a command line names."""
    keep = argparse.SUPPRESS
    sessions = commands.add_parser("sessions", help="past sessions of a profile, newest first")
    trades = commands.add_parser(
        "import-trades",
        help="the founding notes' script's trade_log.csv, re-priced: what it left out",
        description=TRADES_SAID,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trades.add_argument("file", type=Path, metavar="FILE")
    trades.add_argument("--out", type=Path, metavar="DIR", help="write page and JSON there")
    trades.add_argument(
        "--funding", metavar="PERCENT",
        help="funding rate to assume at every 8 h settlement, percent, above 0 where longs pay; "
        "default: unknown",
    )  # fmt: skip
    for parser in (sessions, trades):
        parser.add_argument("--profile", metavar="DIR", default=keep)
        parser.add_argument("--config", metavar="FILE", default=keep)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    sessions.set_defaults(run=partial(_sessions, ends, settings))
    trades.set_defaults(run=partial(_trades, ends, settings))


def _sessions(
    ends: "Ends",
    settings: "Callable[[argparse.Namespace], Settings]",
    arguments: argparse.Namespace,
) -> int:
    from basisdesk.lab.library import Shelf
    from basisdesk.lab.library_marks import Marks

    profile = ends.profile(arguments)
    own = settings(arguments).tape.folder
    found = Shelf(profile, Path(own).expanduser() if own else None).look()
    marks = Marks(profile)
    rows = [_row(each, marks) for each in found]
    lines = [_line(row) for row in rows[:LINES_MAX]]
    if len(rows) > LINES_MAX:
        lines.append(f"... {len(rows) - LINES_MAX:,} more; --json has them all")
    if marks.problem:
        lines.append(marks.problem)
    return ends.show({"sessions": rows}, lines or ["No sessions yet."], as_json=arguments.json)


def _row(session: Any, marks: Any) -> dict[str, Any]:
    from basisdesk.lab.replay import text
    from basisdesk.lab.stamp import utc_text

    mark = marks.of(session.mark)
    return {
        "key": session.key,
        "account": session.place.account,
        "mode": session.place.mode,
        "archive": session.place.archived,
        "session": session.session,
        "status": session.status,
        "begun_utc": utc_text(session.begun_ns),
        "ended_utc": utc_text(session.ended_ns),
        "pairs_opened": session.pairs_opened,
        "pairs_closed": session.pairs_closed,
        "pairs_open": session.pairs_open,
        "fills": session.fills,
        "refusals": session.refusals,
        "currency": session.currency,
        "net": text(session.net),
        "terms": {name: text(amount) for name, amount in session.terms.items()},
        "version": session.version,
        "tapes": [str(tape.path) for tape in session.tapes],
        "tape_bytes": session.tape_bytes,
        "tags": list(mark.tags),
        "note": mark.note,
    }


def _line(row: dict[str, Any]) -> str:
    if row["status"] != KEPT and not row["session"]:
        return f"{row['key']}  NOT READ: {row['status']}"
    traded = f"{row['pairs_opened']} opened, {row['pairs_closed']} closed"
    tags = f"  [{', '.join(row['tags'])}]" if row["tags"] else ""
    net = Decimal(row["net"])
    return (
        f"{row['begun_utc'][:19].replace('T', ' ')}  {row['account']:12} {row['mode']:10} "
        f"{traded:22} net {net:+,.2f} {row['currency']}{tags}  {row['key']}"
    )


def _trades(
    ends: "Ends",
    settings: Callable[[argparse.Namespace], Settings],
    arguments: argparse.Namespace,
) -> int:
    from basisdesk.lab.trade_log_study import import_trade_log
    from basisdesk.lab.words import plain

    funding = None if arguments.funding is None else _percent(arguments.funding)
    found = import_trade_log(arguments.file, settings(arguments), funding)
    lines = [*found["sentences"], ""]
    lines += [
        f"{name:28}{amount:>14,.4f} USDT  {why}" for name, amount, why in found["tables"][0]["rows"]
    ]
    lines += [
        f"{what:28}{amount:>14} USDT  {why}" for what, amount, why in found["tables"][1]["rows"]
    ]
    lines += [said for _, said in found["tables"][3]["rows"]]
    if arguments.out is not None:
        from basisdesk.lab.pages import write_study

        lines += ["", f"Page: {write_study(found, arguments.out)[0]}"]
    return ends.show(plain(found), lines, as_json=arguments.json)


def _percent(typed: str) -> Decimal:
    try:
        return Decimal(typed) / 100
    except InvalidOperation:
        raise UserError(f"--funding {typed!r} is no number: write percent, such as 0.01.") from None
