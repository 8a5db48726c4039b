"""Makes the pictures of the desk: before, during and after a trade that is clicked like a person's.

usage: python packaging/screenshots.py OUT_DIR [SPEED]

Runs the real program on its demo exchange, presses its real buttons, saves before.png, during.png,
after.png and the session log. With a display it is the real window; without one it draws offscreen.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.config import Demo, Settings
from basisdesk.ui.context import Context
from basisdesk.ui.window import MainWindow

SIZE = (1600, 1000)
RICH_BP = 45.0  # wait for an opening that pays, as a person would
PATIENCE_S = 240.0
HOLD_S = 40.0


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


def picture(window: MainWindow, path: Path) -> None:
    """Save what the window shows now."""
    window.refresh_all()
    if not window.grab().save(str(path)):
        raise SystemExit(f"cannot write {path}")
    print(path)


async def tour(context: Context, window: MainWindow, out: Path) -> None:
    """Wait for an opening, open, hold, close, save the log; a picture at each stop."""
    engine = context.engine
    window.resize(*SIZE)

    def rich() -> bool:
        pair = engine.shown()
        return pair is not None and not pair.now.stale and pair.now.open_bp > RICH_BP

    if not await until(rich):
        print("no rich opening came; trading what there is", file=sys.stderr)
    await asyncio.sleep(2)
    picture(window, out / "before.png")
    press(window, "Open:")
    if not await until(lambda: bool(engine.open_pairs()), 30):
        raise SystemExit(f"the pair did not open: {[line.text for line in engine.log][-3:]}")
    await asyncio.sleep(HOLD_S)
    picture(window, out / "during.png")
    press(window, "Close pair 1")
    if not await until(lambda: not engine.open_pairs(), 30):
        raise SystemExit("the pair did not close")
    await asyncio.sleep(2)
    picture(window, out / "after.png")
    context.actions.save_log(out)
    await until(lambda: bool(context.status.saved), 30)
    print(context.status.saved)


def main() -> int:
    """Run the tour in a profile of its own."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    out.mkdir(parents=True, exist_ok=True)
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    demo = Demo(seed=7, scenario="mixed", speed=speed)
    settings = msgspec.structs.replace(Settings(), demo=demo)

    async def pilot(context: Context, window: MainWindow) -> None:
        await tour(context, window, out)

    with tempfile.TemporaryDirectory() as profile:
        return run_desk(DeskOptions(Path(profile), settings, pilot=pilot))


if __name__ == "__main__":
    sys.exit(main())
