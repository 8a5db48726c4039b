"""A newcomer's first minutes in the real program, by mouse alone: at most 12 clicks and 3 minutes.

    .venv/bin/python packaging/newcomer.py OUT --size 1280x800 --theme dark --scale 1.0

Starts Xvfb and the program on a fresh profile, reads the screen, and moves and presses the mouse
with xdotool: welcome, tour, open, wait, close, save the log, read its report. Nothing of the
program is imported or called. A picture of each step goes into OUT; then the journal is checked
from outside. Prints one JSON object; ends with 1 where a step, a check or a limit failed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from screen import Area, Found, NotSeenError, Screen, Word

CLICKS_MAX, SECONDS_MAX = 12, 180.0
STEPS = 5  # of the tour
SAME = 0.975  # words that differ from others by one figure
START_S, SOON_S, AGAIN_S = 90.0, 30.0, 8.0  # patience, for a machine that has other work
LEAVE_S = 20.0
PANEL_PX = 380  # no part of the tour's panel is farther from another
PROGRAM = (sys.executable, "-m", "basisdesk")


@dataclass
class Walk:
    """One walk: the screen, where pictures go, and what was seen on the way."""

    screen: Screen
    out: Path
    scale: float
    hold_s: float
    began_s: float = 0.0
    pictures: list[str] = field(default_factory=list)
    steps: dict[str, float] = field(default_factory=dict)

    def px(self, size: int) -> int:
        """A length at the font scale of this walk."""
        return max(1, round(size * self.scale))

    def word(self, text: str, px: int = 12, weight: int = 400) -> Word:
        """Words at the font scale of this walk."""
        return Word(text, self.px(px), weight)

    def press(self, place: Found, shown: Word, area: Area) -> None:
        """Click, and once more where nothing comes of it.

        A slow machine has old quotes, and an order on those is refused.
        """
        self.screen.click(place)
        try:
            self.screen.wait(shown, AGAIN_S, area)
        except NotSeenError:
            self.note("again")
            self.screen.click(place)
            self.screen.wait(shown, SOON_S, area)

    def note(self, name: str) -> None:
        """Keep a picture, and when it was."""
        self.steps[name] = round(time.monotonic() - self.began_s, 1)
        path = self.out / f"{len(self.pictures) + 1:02d}-{name}.png"
        self.screen.picture(path)
        self.pictures.append(path.name)


def walk(made: Walk) -> None:
    """The path itself. Raises NotSeenError where the screen does not show what it should."""
    screen, word = made.screen, made.word
    start = screen.wait(word("Start on the demo exchange", weight=600), START_S)
    made.note("welcome")
    screen.click(start)
    for step in range(1, STEPS + 1):
        head = screen.wait(word(f"Step {step} of {STEPS}", 11)._replace(alike=SAME), SOON_S)
        panel = head.around(made.px(PANEL_PX), made.px(PANEL_PX))
        button = screen.wait(word("Done" if step == STEPS else "Next", weight=600), SOON_S, panel)
        made.note(f"tour-{step}")
        screen.click(button)
        if step == STEPS:
            screen.wait_gone(word("Done", weight=600), button, SOON_S)
    opening = screen.wait(word("Open: buy spot, short perp", weight=600), SOON_S)
    made.note("desk")
    width, height = screen.size
    below = (0, opening.top + opening.height, width, height)  # where the tables are
    made.press(opening, word("Close"), below)
    made.note("opened")
    time.sleep(made.hold_s)  # a trade is held for a while
    closing = screen.wait(word("Close"), SOON_S, below)
    made.note("held")
    made.press(closing, word("Dismiss"), below)  # what a closed pair offers
    made.note("closed")
    session = screen.wait(word("Session"), SOON_S, (0, 0, width, made.px(60)))
    screen.click(session)
    save = screen.wait(word("Save log"), SOON_S, session.around(made.px(300), made.px(300)))
    made.note("menu")
    screen.click(save)
    report = screen.wait(word("Open report", weight=600), SOON_S)
    made.note("saved")
    screen.click(report)
    screen.wait(word("Attribution of the session", weight=600), SOON_S)
    made.note("report")


def ended(program: "subprocess.Popen[bytes]") -> int:
    """What a program that was asked to leave ended with; -9 where it would not."""
    try:
        return program.wait(LEAVE_S)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait(LEAVE_S)


def cpu_s(process: int) -> float:
    """Processor time that a process has used, s."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 1)


def after(profile: Path, out: Path) -> list[str]:
    """What is wrong with what the program left on the disk; [] where nothing is."""
    wrong: list[str] = []
    journal = profile / "simulated" / "journal.db"
    checked = subprocess.run(
        [*PROGRAM, "check", str(journal), "--json"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    (out / "check.json").write_text(checked.stdout)
    if checked.returncode:
        wrong.append(f"check: {checked.stdout.strip() or checked.stderr.strip()}")
    reports = sorted((profile / "simulated" / "logs").glob("*/report.html"))
    if len(reports) != 1:
        return [*wrong, f"{len(reports)} reports were saved, not one"]
    pairs = json.loads(next(reports[0].parent.glob("*.json")).read_text()).get("pairs", [])
    if len(pairs) != 1 or not pairs[0].get("closed_utc"):
        wrong.append(f"{len(pairs)} pairs in the saved log; one was to be there, closed")
    return wrong


def run(
    out: Path, size: tuple[int, int], theme: str, scale: float, hold_s: float
) -> dict[str, Any]:
    """One walk on a fresh profile: what is printed."""
    out.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    problem = ""
    with tempfile.TemporaryDirectory(prefix="newcomer-") as home, Screen(*size) as screen:
        profile = Path(home) / "newcomer"
        profile.mkdir(mode=0o700)
        (profile / "settings.toml").write_text(f'[ui]\ntheme = "{theme}"\nfont_scale = {scale}\n')
        made = Walk(screen, out, scale, hold_s, time.monotonic())
        with (out / "program.log").open("wb") as said:
            program = subprocess.Popen(
                [*PROGRAM, "--profile", str(profile), "--demo"],
                env=screen.environment(), stdout=said, stderr=said,
            )  # fmt: skip
            try:
                walk(made)
            except NotSeenError as exc:
                problem = str(exc)
                made.note("stuck")
            finally:
                seconds = time.monotonic() - made.began_s
                used = cpu_s(program.pid)
                program.terminate()
                code = ended(program)
        wrong = [problem] if problem else after(profile, out)
        manager = screen.manager
        if code:
            wrong.append(f"the program ended with {code}")
        if wrong:
            for name in ("crash.log", "basisdesk.log"):
                with suppress(OSError):
                    shutil.copy(profile / "simulated" / name, out / name)
    if screen.clicks > CLICKS_MAX or seconds > SECONDS_MAX:
        wrong.append(f"{screen.clicks} clicks and {seconds:.0f} s are over the limit")
    return {
        "size": f"{size[0]}x{size[1]}", "theme": theme, "scale": scale, "clicks": screen.clicks,
        "seconds": round(seconds, 1), "held_s": hold_s, "steps": made.steps, "load": round(load, 1),
        "reading_s": round(screen.reading_s, 1), "program_cpu_s": used,
        "window_manager": manager, "pictures": made.pictures, "wrong": wrong, "ok": not wrong,
    }  # fmt: skip


def main() -> int:
    """Walk once, as asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--size", default="1280x800", metavar="WxH")
    parser.add_argument("--theme", default="dark", choices=("dark", "light", "contrast"))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--hold", type=float, default=30.0, metavar="SECONDS")
    asked = parser.parse_args()
    width, _, height = asked.size.partition("x")
    size = (int(width), int(height))
    found = run(asked.out.resolve(), size, asked.theme, asked.scale, asked.hold)
    print(json.dumps(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
