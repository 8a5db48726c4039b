"""Pools of workers: the same bits everywhere, a batch again where its worker died, no orphans."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sweep_rig import square, swept, wrong

import basisdesk.lab.sweep as sweep
from basisdesk.errors import UserError
from basisdesk.lab import workers
from basisdesk.lab.workers import Pool, Work, open_pool

BATCHES = {i: np.arange(i, i + 3, dtype=float)[:, None] / 7.0 for i in range(0, 30, 3)}


def ran(pool: Pool, beats: int = 0) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    seen = [0]

    def beat() -> None:
        seen[0] += 1
        if beats and seen[0] > beats:
            raise KeyboardInterrupt

    def answer(number: int, rows: Any) -> None:
        assert number not in found
        found[number] = rows.tobytes()

    pool.run(BATCHES, answer, beat)
    return found


HERE = ran(open_pool(Work(square, (1.0 / 3.0, "")), 0))


def test_a_worker_that_dies_costs_nothing_but_time(tmp_path: Path) -> None:
    marker = tmp_path / "died"
    with open_pool(Work(square, (1.0 / 3.0, str(marker))), 1) as pool:
        assert ran(pool) == HERE
        assert marker.exists()
        assert ran(pool) == HERE  # and the pool is good for the next round
        with pytest.raises(KeyboardInterrupt):
            ran(pool, beats=1)
        assert ran(pool) == HERE


def test_a_bug_in_the_work_is_no_dead_worker() -> None:
    with pytest.raises(ValueError, match="a bug in the work"):
        ran(open_pool(Work(wrong, None), 0))


class Dying(workers._Handing):
    """Workers that always die, without any process."""

    def __init__(self) -> None:
        self.renewed = 0

    def _submit(self, rows: Any) -> Any:
        raise workers.BrokenProcessPool("died")

    def _broken(self) -> tuple[type[BaseException], ...]:
        return (workers.BrokenProcessPool,)

    def _renew(self) -> None:
        self.renewed += 1


def test_workers_that_die_for_ever_end_in_a_sentence() -> None:
    pool = Dying()
    with pytest.raises(UserError, match="Workers die one after the other"):
        pool.run(BATCHES, lambda _number, _rows: None, lambda: None)
    assert pool.renewed == workers.DEATHS_MAX


@pytest.mark.parametrize("count", [-1, 257])
def test_the_number_of_workers_has_limits(count: int) -> None:
    with pytest.raises(UserError, match="--workers"):
        open_pool(Work(square, None), count)


def test_without_dask_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"pip install basisdesk\[cluster\]"):
        open_pool(Work(square, None), 1, "tcp://127.0.0.1:1")


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from basisdesk.lab.workers import Work, open_pool
from sweep_rig import square
import numpy as np
if __name__ == "__main__":
    pool = open_pool(Work(square, (0.0, "")), 1)
    rows = {{0: np.ones((1, 1))}}
    def answer(number, found):
        print(*pool._executor._processes, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    pool.run(rows, answer, lambda: None)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_workers_leave_with_a_desk_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "desk.py"
    root = Path(__file__).parents[2]
    script.write_text(KILLED.format(path=[str(root), str(Path(__file__).parent)]), "utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as desk:
        assert desk.stdout is not None
        pids = [int(pid) for pid in desk.stdout.readline().split()]
        assert desk.wait(30) == -signal.SIGKILL
    assert pids
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(left, timeout=10)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


# --- a Dask cluster -------------------------------------------------------------------------------


def test_two_dask_workers_give_the_bits_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=":0",
        worker_dashboard_address=":0",
        memory_limit=None,
        silence_logs=50,
    ) as cluster:
        address = cluster.scheduler_address
        local = swept()
        monkeypatch.setattr(sweep, "BATCH_TRIALS_MAX", 4)
        assert json.dumps(swept(scheduler=address)) == json.dumps(local)
        poison = tmp_path / "poison"
        assert json.dumps(swept(scheduler=address, poison=poison)) == json.dumps(local)
        assert poison.exists()
