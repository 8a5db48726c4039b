"""A desk comes back soon: a journal of thousands of outcomes costs little of a start."""

import time
from decimal import Decimal

import pytest

from basisdesk.app.desk import DeskOptions
from basisdesk.app.taping import start_tape
from basisdesk.config import Paper, Risk, Settings
from basisdesk.engine import Engine, MemoryJournal
from basisdesk.events import ClosePair, ExitPlan, OpenPair, SessionStarted, SetPlan
from basisdesk.ledger.journal import Journal
from basisdesk.ui.context import Status
from basisdesk.venues import known_venues
from tests.ui import ui_rig
from tests.ui.ui_rig import PERP, SPOT, Rig

OUTCOMES = 2_000
CPU_S_MAX = 1.0  # of the two seconds that a whole start may take; a fifth of it was measured
NEVER = Risk(win_rate_min=0, rolling_loss_max=1, drawdown_max=1, daily_loss_max=1)
SETTINGS = Settings(paper=Paper(latency_ms=0), risk=NEVER)
D = Decimal
PLAN = ExitPlan(D(-900), D(900), D(72))


class Keeping(MemoryJournal):
    """Remembers what a journal on disk would hold."""

    def __init__(self):
        self.rows = []

    def append(self, outcome, txns=()):
        self.rows.append((outcome, tuple(txns)))
        return len(self.rows)


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """A journal of a busy account: pairs opened, replanned and closed, the last two open."""
    kept = Keeping()
    monkeypatch.setattr(ui_rig, "MemoryJournal", lambda: kept)
    rig = Rig(SETTINGS).begin()
    while len(kept.rows) < OUTCOMES:
        rig.submit(OpenPair(SPOT, PERP, D(100), D(2), PLAN))
        newest = max(rig.engine.desk.pairs)
        for _ in range(3):
            rig.submit(SetPlan(newest, PLAN))
        if len(kept.rows) < OUTCOMES - 10:
            rig.submit(ClosePair(newest))
        rig.move(0.364, 68.0)
    (tmp_path / "simulated").mkdir()
    path = tmp_path / "simulated" / "journal.db"
    journal = Journal.open(path)
    journal.append_many(kept.rows)
    journal.close()
    return path


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_thousands_of_outcomes_are_read_folded_audited_and_taped_in_a_moment(journal, tmp_path):
    began_s = time.process_time()
    opened = Journal.open(journal)
    try:
        engine = Engine(SETTINGS, known_venues(), opened)
        engine.restore(opened.entries())
        start_ns = engine.now_ns + 1
        engine.start_session(SessionStarted(start_ns, "s2", "demo", "0", "USDT", D(10_000)))
        tape = start_tape(DeskOptions(tmp_path, SETTINGS), opened, Status(session="s2"), start_ns)
        tape.close()
    finally:
        opened.close()
    spent_s = time.process_time() - began_s
    assert opened.seq > OUTCOMES
    assert engine.open_pairs()
    assert all(pair.plan == PLAN for pair in engine.open_pairs())
    assert engine.desk.risk.state == "active"  # the audit found nothing
    assert spent_s < CPU_S_MAX
