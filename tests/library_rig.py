"""A profile with sessions in it, written by dice: no desk has to run."""

from decimal import Decimal

from ledger.ledger_cases import Dice

from basisdesk.events import Refused, SessionStarted
from basisdesk.ledger.books import Books
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.rules import transactions

DAY_NS = 86_400_000_000_000
T0_NS = 1_789_722_862_000_000_000


def write_sessions(folder, names, seed=3, trades=2, split=False):
    """A journal with these sessions. split: the last pair of each is closed in the next one."""
    folder.mkdir(parents=True)
    books, dice, late, booked = Books(), Dice(seed), [], []
    dice.ts_ns = T0_NS + seed * DAY_NS
    for name in names:
        dice.ts_ns += 1_000_000_000
        begun = SessionStarted(dice.ts_ns, name, "demo", "0.1", "USDT", Decimal(1_000_000))
        traded = [each for _ in range(trades) for each in dice.trade()]
        mine, late = [begun, *late], [traded.pop()] if split and name != names[-1] else []
        refused = Refused(dice.ts_ns, "max_qty", "9", "1", "=1+1 <i>too much</i>")
        for outcome in [*mine, *traded, refused]:
            txns = transactions(outcome, books)
            booked.append((outcome, txns))
            books.apply(outcome, txns)
    with Journal.open(folder / "journal.db") as journal:
        journal.append_many(booked)
    return books


def put_tape(folder, session, size=1_000):
    tapes = folder / "tapes"
    tapes.mkdir(exist_ok=True)
    (tapes / f"{session}.tape").write_bytes(b"x" * size)


def small_profile(profile):
    """main with two sessions and tapes, "other" with one, an archive with one."""
    for at, (place, names) in enumerate(
        (
            ("simulated", ["one", "two"]),
            ("accounts/other/live", ["three"]),
            ("archive/main-20260101T000000Z/simulated", ["four"]),
        )
    ):
        write_sessions(profile / place, names, seed=at + 3, split=True)
        for name in names:
            put_tape(profile / place, name)
    return profile
