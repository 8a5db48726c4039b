"""The desk as a process: no fonts, no OpenGL, no right to write, signals, a native abort."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from basisdesk.ledger.check import check_journal

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(150)]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and modes")

DESK = [sys.executable, "-m", "basisdesk", "--demo"]


def environment(**more):
    return os.environ | {"QT_QPA_PLATFORM": "offscreen"} | more


def desk(profile, *arguments, **more):
    """Run a desk to its end; what it said on stderr comes with it."""
    command = [*DESK, "--profile", str(profile), *map(str, arguments)]
    return subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, timeout=90, check=False
    )


def picture(path):
    from PySide6.QtGui import QImage

    image = QImage(str(path))
    return image, {image.pixel(x, y) for x in range(0, 1600, 40) for y in range(0, 1000, 40)}


def test_it_starts_without_any_font(tmp_path):
    (tmp_path / "fonts").mkdir()
    config = tmp_path / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/fonts</cachedir></fontconfig>"
    )
    shot = tmp_path / "desk.png"
    ended = desk(
        tmp_path / "profile",
        *("--exit-after", 2, "--screenshot", shot),
        FONTCONFIG_FILE=str(config),
        QT_QPA_FONTDIR=str(tmp_path / "fonts"),
    )
    assert ended.returncode == 0, ended.stderr
    image, colours = picture(shot)
    assert (image.width(), image.height()) == (1600, 1000)
    assert len(colours) > 3


def test_it_draws_without_any_opengl(tmp_path):
    shot = tmp_path / "desk.png"
    broken = {"QT_OPENGL": "software", "LIBGL_DRIVERS_PATH": str(tmp_path), "GALLIUM_DRIVER": "no"}
    ended = desk(tmp_path / "profile", "--exit-after", 2, "--screenshot", shot, **broken)
    assert ended.returncode == 0, ended.stderr
    assert len(picture(shot)[1]) > 3
    code = (
        "import basisdesk.app.running, pyqtgraph as pg\n"
        "assert not pg.getConfigOption('useOpenGL')\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)


AS_NOBODY = """
import os, sys
import basisdesk.app.desk, basisdesk.cli
if os.geteuid() == 0:  # root may write everywhere
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(basisdesk.cli.main(["--demo", "--profile", sys.argv[1], "--exit-after", "1"]))
"""


@posix
def test_a_profile_that_cannot_be_written_is_one_sentence():
    profile = Path(tempfile.mkdtemp(prefix="basisdesk-read-only-"))
    profile.chmod(0o555)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(profile)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2, ended.stderr
        assert ended.stderr.count("\n") == 1
        assert ended.stderr.startswith("basisdesk: No permission to write")
        assert str(profile) in ended.stderr
        assert list(profile.iterdir()) == []
    finally:
        profile.rmdir()


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_desk_in_order_within_five_seconds(tmp_path, number):
    running = started(tmp_path)
    try:
        asked_s = time.monotonic()
        running.send_signal(number)
        _, said = running.communicate(timeout=30)
        took_s = time.monotonic() - asked_s
    finally:
        running.kill()
    assert running.returncode == 0, said
    assert took_s < 5.0
    assert "Traceback" not in said
    assert check_journal(tmp_path / "simulated" / "journal.db").problems == []
    assert not (tmp_path / "simulated" / "journal.db-wal").exists()  # closed, not cut
    assert (tmp_path / "layout.json").exists()
    again = desk(tmp_path, "--exit-after", 1)  # nothing holds the profile any more
    assert again.returncode == 0, again.stderr


@posix
def test_a_native_abort_leaves_its_trace_and_a_clean_journal(tmp_path):
    running = started(tmp_path)
    try:
        running.send_signal(signal.SIGABRT)
        running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == -signal.SIGABRT
    trace = (tmp_path / "simulated" / "crash.log").read_text()
    assert "Fatal Python error: Aborted" in trace
    assert "basisdesk" in trace
    assert check_journal(tmp_path / "simulated" / "journal.db").problems == []
    again = desk(tmp_path, "--exit-after", 1)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "simulated" / "crash-last.log").read_text() == trace
    assert "native crash" in (tmp_path / "simulated" / "basisdesk.log").read_text()


def started(profile):
    """A desk that has journaled its session and takes signals."""
    running = subprocess.Popen(
        [*DESK, "--profile", str(profile)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    tapes = profile / "simulated" / "tapes"
    for _ in range(1_500):
        if running.poll() is not None:
            raise AssertionError(running.communicate()[1])
        # A tape that has a first block behind its head: the loop runs, feeds are connected.
        if tapes.is_dir() and any(t.stat().st_size > 30_000 for t in tapes.iterdir()):
            return running
        time.sleep(0.02)
    running.kill()
    raise AssertionError("the desk did not start")
