"""The settings file as the settings dialog reads and writes it: nothing in it is lost.

Written as a new file that takes the old one's place, mode 0600. A file that somebody else changed
since it was read is left alone.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from basisdesk.app.settings_changes import changed
from basisdesk.config import CHANNELS, Demo, Settings, load_settings, settings_of
from basisdesk.errors import SettingsError
from basisdesk.feed.number_call import url_problem
from basisdesk.feed.shared import check_url
from basisdesk.feed.webhook import address_problem
from basisdesk.ui.product_actions import SettingValue

FILE_BYTES_MAX = 1 << 20
SYMBOLS_NAMED = 5  # of dozens
CHANGED = (
    "{path} was changed by another program since it was read. Read it again: what you typed here "
    "is kept, and nothing in the file is lost."
)


class SettingsKeeping:
    """SettingsActions on a file. reopen: leaves the desk and opens it again.

    path: the file, whether it exists or not. It is read before anything is checked or written,
    once more whenever `read` is called.
    """

    def __init__(self, path: Path, reopen: Callable[[], None]) -> None:
        self.path = path
        self._reopen = reopen
        self._seen: bytes | None = None  # the file as it was last read; None: there was none
        self._was_read = False

    def read(self) -> Settings | str:
        """The settings as the file has them now, or why it cannot be read, in a sentence."""
        try:
            self._seen = _bytes_of(self.path)
            self._was_read = True
            return _settings(self._text(), self.path, {})
        except SettingsError as exc:
            return str(exc)

    def check(self, changes: Mapping[str, SettingValue]) -> str:
        """Why these changes (dotted key to value) cannot be made; "" where they can."""
        if not self._was_read and isinstance(found := self.read(), str):
            return found
        try:
            settings = _settings(self._text(), self.path, changes)
        except SettingsError as exc:
            return str(exc)
        return start_problem(settings)

    def save(self, changes: Mapping[str, SettingValue]) -> str:
        """Write these changes; nothing else in the file moves. Why not, or ""."""
        if problem := self.check(changes):
            return problem
        from basisdesk.app.settings_toml import written  # a start does not wait for tomlkit

        try:
            if _bytes_of(self.path) != self._seen:
                return CHANGED.format(path=self.path)
            made = written(self._text(), changes).encode()
            if len(made) > FILE_BYTES_MAX:
                return _too_large(self.path)
            _put(self.path, made)
        except SettingsError as exc:
            return str(exc)
        self._seen = made
        return ""

    def reopen(self) -> None:
        """Leave the desk in order and open it again, with the settings as they are on disk."""
        self._reopen()

    def _text(self) -> str:
        return (self._seen or b"").decode()


def start_problem(settings: Settings) -> str:
    """Why a desk would not start, or not do what it is told, with these settings; or ""."""
    try:
        _check_demo(settings.demo)
        for venue, channels in settings.feeds.items():
            for channel in CHANNELS[venue]:
                if url := channels.get(channel):
                    schemes = ("https", "http") if channel == "rest" else ("wss", "ws")
                    check_url(f"{venue}.{channel}", url, *schemes)
    except SettingsError as exc:
        return str(exc)
    if settings.alerts.webhook:
        hosts = settings.alerts.webhook_hosts
        if problem := address_problem(settings.alerts.webhook, hosts):
            return problem
    for name, each in settings.forecast.indicators.items():
        if each.url and (problem := url_problem(each.url)):
            return f"Outside number {name}: {problem}"
    folder = settings.tape.folder
    if folder and not Path(folder).expanduser().is_absolute():
        return "The tape folder must be an absolute path."
    return ""


def _check_demo(demo: Demo) -> None:
    """Raises SettingsError for what no type can refuse and the demo exchange does."""
    from basisdesk.demo.listings import by_symbol  # a start does not wait for the demo's market
    from basisdesk.demo.scenarios import find_scenario

    find_scenario(demo.scenario)
    if demo.symbol != Demo().symbol and demo.symbol not in (known := by_symbol("bybit", "perp")):
        raise SettingsError(
            f"The demo exchange has no {demo.symbol}. Take a perpetual that it lists: "
            f"{', '.join(list(known)[:SYMBOLS_NAMED])} or one of {len(known) - SYMBOLS_NAMED} more."
        )


def _settings(text: str, path: Path, changes: Mapping[str, SettingValue]) -> Settings:
    """As `load_settings` does, of a text."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return load_settings(path)  # says what is wrong with it
    return settings_of(changed(raw, changes), path)


def _bytes_of(path: Path) -> bytes | None:
    """The file's bytes, None where there is none. Raises SettingsError."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise SettingsError(_too_large(path))
        found = path.read_bytes()
        found.decode()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SettingsError(f"Cannot read settings {path}: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"Settings {path} are not UTF-8 text. Mend them.") from exc
    return found


def _too_large(path: Path) -> str:
    return f"Settings {path} are larger than {FILE_BYTES_MAX >> 20} MB. Shorten them."


def _put(path: Path, content: bytes) -> None:
    """In one step: a crash leaves the old file or the new one. Raises SettingsError."""
    home = path.resolve()  # a link stays a link
    part = home.with_name(f".{home.name}.part")
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600) if hasattr(os, "fchmod") else None
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        part.replace(home)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise SettingsError(
            f"Cannot write settings {path}: {exc.strerror}. Nothing was changed."
        ) from exc
