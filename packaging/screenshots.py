"""Makes the pictures of the program: a trade clicked like a person's, the scanner, the sessions.

usage: python packaging/screenshots.py OUT_DIR [SPEED]

Runs the real program on its demo exchange, presses its real buttons, and saves into OUT_DIR
before.png, desk.png (a pair is held), after.png, scanner.png, sessions.png and guide.png, all of
one size, and the session log. With a display it is the real window; without one it draws offscreen.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Demo, Settings
from basisdesk.ui.context import Context
from basisdesk.ui.window import MainWindow

Pilot = Callable[[Context, MainWindow], Awaitable[None]]

SIZE = (1600, 1000)
GUIDE_SIZE = (1000, 700)
RICH_BP = 45.0  # wait for an opening that pays, as a person would
PATIENCE_S = 240.0
HOLD_S = 40.0
SPEED = 4.0  # the opening pays in the fourth minute of the market
SCAN_S = 20.0  # until the scanner has looked at every pair again


async def until(what: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    """Whether `what` came true within the patience."""
    for _ in range(int(patience_s / 0.05)):
        if what():
            return True
        await asyncio.sleep(0.05)
    return False


def button(window: MainWindow, name: str) -> QAbstractButton:
    """The visible button whose text or accessible name starts so."""
    for found in window.findChildren(QAbstractButton):
        named = found.text().startswith(name) or found.accessibleName().startswith(name)
        if named and found.isVisible():
            return found
    raise SystemExit(f"no button {name!r} is on the screen")


def press(window: MainWindow, name: str) -> None:
    """Click a button in its middle with the left mouse button."""
    QTest.mouseClick(button(window, name), Qt.MouseButton.LeftButton)


def picture(window: QWidget, path: Path) -> None:
    """Save what a window shows now."""
    if not window.grab().save(str(path)):
        raise SystemExit(f"cannot write {path}")
    print(path)


async def tour(context: Context, window: MainWindow, out: Path) -> None:
    """Wait for an opening, open, hold, close, save the log; then the windows beside the desk."""
    engine = context.engine
    window.resize(*SIZE)

    def rich() -> bool:
        pair = engine.shown()
        return pair is not None and not pair.now.stale and pair.now.open_bp > RICH_BP

    def take(name: str) -> None:
        window.refresh_all()
        picture(window, out / name)

    if not await until(rich):
        print("no rich opening came; trading what there is", file=sys.stderr)
    await asyncio.sleep(2)
    take("before.png")
    press(window, "Open:")
    if not await until(lambda: bool(engine.open_pairs()), 30):
        raise SystemExit(f"the pair did not open: {[line.text for line in engine.log][-3:]}")
    await asyncio.sleep(HOLD_S)
    take("desk.png")
    press(window, "Close pair 1")
    if not await until(lambda: not engine.open_pairs(), 30):
        raise SystemExit("the pair did not close")
    await asyncio.sleep(2)
    take("after.png")
    context.actions.save_log(out)
    await until(lambda: bool(context.status.saved), 30)
    print(context.status.saved)
    await beside(window, out)


async def scan(context: Context, window: MainWindow, out: Path) -> None:
    """The scanner at the market's own pace, once the past of every leg is known."""
    scanner = window.show_scanner()
    scanner.resize(*SIZE)

    def whole() -> bool:
        strip = context.scan.strip if context.scan is not None else None
        return strip is not None and 0 < strip.past_wanted <= strip.past_done

    if not await until(whole):
        print("the past is not filled in yet; the picture says so", file=sys.stderr)
    await asyncio.sleep(SCAN_S)
    scanner.refresh_all()
    picture(scanner, out / "scanner.png")


async def beside(window: MainWindow, out: Path) -> None:
    """The report of the session, and the guide."""
    library = window.bars.library
    library.open_running()
    sessions = library.window
    if sessions is None:
        raise SystemExit("there is no session library")
    sessions.resize(*SIZE)
    await until(lambda: bool(sessions.view.tables), 30)
    sessions.view.finish()
    await asyncio.sleep(1)
    picture(sessions, out / "sessions.png")
    sessions.close()
    guide = window.bars.help.open_for("charts")
    guide.resize(*GUIDE_SIZE)
    await asyncio.sleep(1)
    picture(guide, out / "guide.png")
    guide.close()


def main() -> int:
    """A desk that trades, then one that scans."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    out.mkdir(parents=True, exist_ok=True)
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else SPEED

    async def pilot(context: Context, window: MainWindow) -> None:
        await tour(context, window, out)

    async def scanning(context: Context, window: MainWindow) -> None:
        await scan(context, window, out)

    return run(speed, pilot) or run(1.0, scanning)


def run(speed: float, pilot: Pilot) -> int:
    """One desk in a profile of its own. speed: market seconds in one of ours."""
    demo = Demo(seed=7, scenario="mixed", speed=speed)
    settings = msgspec.structs.replace(Settings(), demo=demo)
    with tempfile.TemporaryDirectory() as profile:
        return run_desk(DeskOptions(Path(profile), settings, pilot=pilot))


if __name__ == "__main__":
    sys.exit(main())
