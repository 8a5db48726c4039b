"""A second process adds up the ledger while a desk writes it: every sum it ever reads is whole.

The long run of 100,000 reads: BASISDESK_AUDIT_READS=100000.
"""

import os
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

READS = int(os.environ.get("BASISDESK_AUDIT_READS", "300"))
SEEN_MIN = 10  # reads that find something written since the one before
HERE = Path(__file__).parent


def unbalanced(db, since):
    """Transactions after `since` whose postings do not add up to 0 in each currency; the last."""
    db.execute("BEGIN")  # one snapshot
    sums, last = {}, since
    for txn, currency, amount in db.execute(
        "SELECT txn, currency, amount FROM posting WHERE txn > ? ORDER BY txn, line", (since,)
    ):
        sums[txn, currency] = sums.get((txn, currency), Decimal(0)) + Decimal(amount)
        last = max(last, txn)
    entries = db.execute("SELECT max(seq), count(*) FROM entry").fetchone()
    db.execute("COMMIT")
    assert entries[0] == entries[1]  # no entry is missing between two that are there
    return [each for each, total in sums.items() if total], last


@pytest.mark.slow
@pytest.mark.timeout(120 + READS // 100)
def test_no_read_from_beside_ever_sees_half_a_transaction(tmp_path):
    path = tmp_path / "journal.db"
    writer = subprocess.Popen(
        [sys.executable, HERE / "journal_writer.py", path, "7"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    try:
        writer.stdout.readline()
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        reads, wrong, seen, last, before = 0, 0, 0, 0, -1
        os.set_blocking(writer.stdout.fileno(), False)
        while reads < READS or seen < SEEN_MIN:
            reads += 1
            writer.stdout.read()  # its pipe must not fill up
            bad, last = unbalanced(db, max(0, last - 50))
            wrong += len(bad)
            seen += last > before
            before = last
        db.close()
    finally:
        writer.kill()
        writer.communicate()
    print(f"{reads} reads, {seen} of them of something new, {wrong} wrong totals")
    assert wrong == 0
