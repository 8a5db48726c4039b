"""The replay beside a desk, and a replay alone: `basisdesk --replay TAPE` without a live desk."""

import asyncio
import gc
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import qasync
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from basisdesk.app.crash import CrashHandler, start_log, stop_log
from basisdesk.app.qt_app import qt_app
from basisdesk.app.replay_parts import ReplayOptions
from basisdesk.app.replaying import Replaying
from basisdesk.app.saving import save_picture
from basisdesk.app.until_one import until_one
from basisdesk.config import Settings
from basisdesk.errors import ProfileError, UserError
from basisdesk.feed.tasks import spawn
from basisdesk.ui.theme import theme_for

if TYPE_CHECKING:
    from basisdesk.app.desk import DeskOptions

OFFSCREEN_SIZE = (1600, 1000)  # of a picture drawn without a display, pixels


class Replays(QObject):
    """The replay beside a desk, at most one. gone: a person closed its window.

    settings: the user's. profile: folder of the user's data.
    """

    gone = Signal()

    def __init__(self, settings: Settings, profile: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._profile = profile
        self.replay: Replaying | None = None

    def open(self, tape: Path, speed: float = 1.0, *, play: bool = False) -> Replaying:
        """Open a tape; one that plays already goes. Raises UserError with nothing changed."""
        options = ReplayOptions(tape, self._settings, self._profile, speed, play)
        made = Replaying(options, self)
        self._drop()
        self.replay = made
        made.closed.connect(self._on_closed)
        made.opens.connect(self._on_opens)
        made.start()
        return made

    async def close(self) -> None:
        """Close the replay, if there is one."""
        if (replay := self._taken()) is not None:
            await replay.close()

    def _taken(self) -> Replaying | None:
        replay, self.replay = self.replay, None
        return replay

    def _drop(self) -> None:
        if (replay := self._taken()) is not None:
            spawn(replay.close(), "close a replay")

    def _on_closed(self, replay: object) -> None:
        if replay is self.replay:
            self._drop()
            self.gone.emit()

    def _on_opens(self, path: object) -> None:
        try:
            self.open(Path(str(path)))
        except UserError as exc:
            if self.replay is not None:
                self.replay.warn(str(exc))


def run_alone(options: "DeskOptions") -> int:
    """Play a tape without a desk beside it, until its window is closed. Returns 0."""
    app = qt_app()
    theme_for(options.settings.ui).apply(app)
    folder = options.profile / "replay"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = start_log(folder)
    except OSError as exc:
        raise ProfileError(
            f"Cannot write the log in {folder}: {exc.strerror}. Make room for it."
        ) from exc
    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            runner.run(_play_alone(options, folder))
    finally:
        stop_log(handler)
    return 0


async def _play_alone(options: "DeskOptions", folder: Path) -> None:
    assert options.replay is not None
    over = asyncio.Event()
    replays = Replays(options.settings, options.profile)
    replays.gone.connect(over.set)
    crash = CrashHandler(folder, lambda sentence: _told(replays, sentence))
    loop = asyncio.get_running_loop()
    crash.watch_loop(loop)
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, over.set)
    try:
        replay = replays.open(options.replay, options.replay_speed, play=options.replay_plays)
        if QApplication.platformName() == "offscreen":
            replay.window.resize(*OFFSCREEN_SIZE)  # its screen is a fiction of 800 x 800
        gc.freeze()  # modules and widgets stay for good: later collections need not look at them
        await _wait(options, over, replay)
        if options.screenshot is not None and replays.replay is not None:
            save_picture(replays.replay.window, replays.replay.pulse, options.screenshot)
    finally:
        await replays.close()
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        crash.close()


async def _wait(options: "DeskOptions", over: asyncio.Event, replay: Replaying) -> None:
    """Until the window is gone, the time is up, or the pilot has done."""
    waits: set[asyncio.Task[None]] = {asyncio.ensure_future(_set(over))}
    if options.exit_after_s is not None:
        waits.add(asyncio.ensure_future(asyncio.sleep(options.exit_after_s)))
    if options.pilot is not None:
        waits.add(asyncio.ensure_future(options.pilot(replay.context, replay.window)))
    await until_one(waits)


async def _set(over: asyncio.Event) -> None:
    await over.wait()


def _told(replays: Replays, sentence: str) -> None:
    """A fault that escaped: the replay stands, and says so."""
    if replays.replay is not None:
        replays.replay.player.pause()
        replays.replay.warn(sentence)
