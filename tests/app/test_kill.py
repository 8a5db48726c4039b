"""kill -9 at random moments of a trading desk: nothing a user saw is lost, no leg stands alone."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from basisdesk.events import PairOpened, PairReduced
from basisdesk.ledger.check import check_journal, journal_entries

KILLS = int(os.environ.get("BASISDESK_KILLS", "50"))
START_WAIT_S = 60
SCRIPT = Path(__file__).parents[1] / "scripted_desk.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(30 * KILLS),
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX"),
]


class Desk:
    """One run of the scripted desk; `lines` fills from a thread while it runs."""

    def __init__(self, profile):
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(profile)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.lines = []
        self.traded = threading.Event()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            if line.endswith("\n"):  # a line cut by the kill was never shown
                self.lines.append(line.split())
                if line.startswith("fill"):
                    self.traded.set()
        self.traded.set()

    def kill(self, after_s):
        """Let it trade, wait a little longer, and end it as a power cut would."""
        assert self.traded.wait(START_WAIT_S)
        time.sleep(after_s)  # the random moment is the point of the test
        alive = self.process.poll() is None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        said = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        assert alive, f"the desk ended by itself: {said[-2000:]}"


def test_killed_at_random_moments_nothing_shown_is_lost(tmp_path):
    rng = random.Random(20261121)
    journal = tmp_path / "simulated" / "journal.db"
    shown = set()
    for _ in range(KILLS):
        desk = Desk(tmp_path)
        desk.kill(after_s=rng.uniform(0.0, 1.5))
        shown |= {tuple(line[1:]) for line in desk.lines if line[0] == "fill"}
        report = check_journal(journal)
        assert report.problems == []
        booked = set()
        open_legs = {}
        for _, outcome, _ in journal_entries(journal):
            if isinstance(outcome, PairOpened | PairReduced):
                for f in outcome.fills:
                    row = (outcome.pair, f.leg, f.side, f.qty, f.price, f.ts_ns)
                    booked.add(tuple(map(str, row)))
                legs = {f.leg for f in outcome.fills}
                assert legs == {"long", "short"}
                open_legs[outcome.pair] = isinstance(outcome, PairOpened) or not outcome.closed
        assert shown <= booked
        resumed = desk.lines[0][1:]
        assert all(state.endswith(":open") for state in resumed)
    assert len(shown) >= 4 * KILLS
