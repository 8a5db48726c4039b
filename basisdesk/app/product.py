"""What a desk offers about the program itself: settings, workspaces, sessions, the first start."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject

from basisdesk.app.crash import log
from basisdesk.app.desk import DeskOptions, Onward
from basisdesk.app.desk_command import typed_over
from basisdesk.app.first_run import FirstRunFile, Traded
from basisdesk.app.library import Here, Libraries
from basisdesk.app.saving import LOGS
from basisdesk.app.settings_keeping import SettingsKeeping
from basisdesk.app.workspaces_disk import WorkspacesDisk
from basisdesk.errors import SettingsError
from basisdesk.ui.context import Context

if TYPE_CHECKING:
    from basisdesk.app.notices import Notice
    from basisdesk.lab.library_report import Now


class ProductCalls(NamedTuple):
    """What of the desk is used. leave: end it in order and go on there. warn: tell a person."""

    show_pair: Callable[[str, str], None]
    open_tape: Callable[[Path], None]
    leave: Callable[[Onward], None]
    warn: Callable[[str], None]


def _licences() -> "Sequence[Notice]":
    from basisdesk.app.notices import licence_notices  # no start waits for the packages' metadata

    return licence_notices()


class Product(QObject):
    """Makes these parts for one desk and puts them into its context.

    quiet: a script or a test drives the desk, so nobody is welcomed.
    """

    def __init__(
        self, options: DeskOptions, context: Context, calls: ProductCalls, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._options = options
        self._context = context
        self._calls = calls
        scripted = (options.pilot, options.exit_after_s, options.screenshot)
        quiet = any(each is not None for each in scripted)
        context.asks_leave = not quiet
        self._settings = SettingsKeeping(options.settings_path, self.reopen)
        here = Here(options.account, options.mode, context.status.session, self._now)
        self._library = Libraries(options.profile, options.settings, calls.open_tape, here, self)
        context.settings_actions = self._settings
        context.workspaces = disk = WorkspacesDisk(options.profile)
        if disk.problem:
            context.status.banner, context.status.banner_level = disk.problem, "warn"
        context.library = self._library
        context.licences = _licences
        context.first_run = FirstRunFile(
            options.profile,
            options.home,
            options.mode,
            quiet=quiet,
            show_pair=calls.show_pair,
            go_on=self._go_on,
        )

    def log_folder(self, chosen: Path | None) -> Path:
        """Where a session log goes: into the folder a person chose, else into the account's own."""
        return chosen or self._options.folder / LOGS

    def reopen(self) -> None:
        """Leave the desk and open it again as the settings file now says."""
        found = self._settings.read()
        if isinstance(found, str):
            self._calls.warn(found)
            return
        try:
            settings = typed_over(found, self._options.typed)
        except SettingsError as exc:
            self._calls.warn(str(exc))
            return
        self._calls.leave(Onward(self._options.account, settings=settings))

    def close(self) -> None:
        """No more reading of sessions; call it first. `keep` comes after the feeds have ended."""
        self._library.close()

    async def closed(self) -> None:
        """Wait until no session is being moved; the account's lock must not be let go before."""
        await self._library.closed()

    def keep(self) -> None:
        """Keep the feeds' counters of this session, which no journal holds."""
        from basisdesk.lab.library_report import keep_feeds
        from basisdesk.lab.report import feed_counters

        counters = feed_counters(self._context.engine)
        try:
            keep_feeds(self._options.folder, self._context.status.session, counters)
        except OSError as exc:
            log.warning("the feed counters were not kept: %s", exc)

    def _go_on(self, mode: Traded) -> None:
        self._calls.leave(Onward(self._options.account, mode=mode))

    def _now(self) -> "Now":
        from basisdesk.lab.library_report import Now
        from basisdesk.lab.report import feed_counters

        engine = self._context.engine
        return Now(dict(engine.worths()), feed_counters(engine))
