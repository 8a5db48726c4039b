"""Bombs: what is small on the disk and huge in memory is refused in a sentence, soon and cheaply.

A compressed frame of a venue: test_fault_27_a_compression_bomb_is_not_unpacked, tests/feed.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

GROWTH_MB_MAX = 64.0
TIME_S_MAX = 2.0
SCRIPT = Path(__file__).parent / "bombs.py"
SAID = re.compile(r"of_(\w+): (.*); ([\d.]+) s, ([\d.]+) MB more")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked for as POSIX has it")
def test_no_file_grows_the_process_or_holds_it_up(tmp_path):
    told = subprocess.run(
        [sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, timeout=90, check=False
    )
    assert told.returncode == 0, told.stderr
    bombs = {name: (said, float(s), float(mb)) for name, said, s, mb in SAID.findall(told.stdout)}
    assert set(bombs) == {"a_tape", "a_packed_line", "an_archive", "a_trade_log", "depth"}
    for name, (said, took_s, more_mb) in bombs.items():
        assert "refused" in said
        assert took_s < TIME_S_MAX, name
        assert more_mb < GROWTH_MB_MAX, name
    assert not any("read" in said for name, (said, *_) in bombs.items() if name != "depth")
    growth, took = (max(each[at] for each in bombs.values()) for at in (2, 1))
    print(f"bombs: {growth:.1f} MB more at most, {took:.2f} s at most")
