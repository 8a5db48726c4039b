"""External indicators: their files are read in a thread, each at its own pace."""

import csv
from collections.abc import Mapping
from pathlib import Path

from basisdesk.config import IndicatorSource
from basisdesk.forecast.indicators import BYTES_MAX, NO_SOURCE, BadIndicator, Indicator, newest


class IndicatorFiles:
    """The indicators of the settings. `due` and `look` are asked with monotonic seconds."""

    def __init__(self, sources: Mapping[str, IndicatorSource]) -> None:
        self._sources = dict(sources)
        self._next_s = dict.fromkeys(self._sources, 0.0)
        self.found = {
            name: Indicator(name, each.unit, every_s=each.every_s, source=each.file, why="not read")
            for name, each in self._sources.items()
        }

    @property
    def all(self) -> tuple[Indicator, ...]:
        """Every indicator as it was last read."""
        return tuple(self.found.values())

    def due(self, now_s: float) -> tuple[str, ...]:
        """Names whose file should be read now; each is given once."""
        names = tuple(name for name, at_s in self._next_s.items() if now_s >= at_s)
        for name in names:
            self._next_s[name] = now_s + self._sources[name].every_s
        return names

    def look(self, names: tuple[str, ...], now_ns: int) -> dict[str, Indicator]:
        """Read these files, in any thread. now_ns: later rows are not known yet."""
        return {name: _read(self.found[name], now_ns) for name in names}


def _read(kept: Indicator, now_ns: int) -> Indicator:
    """The indicator anew. Where that fails the last value stays, with its age and the reason."""
    path = Path(kept.source).expanduser()
    try:
        if not path.is_file():
            return kept._replace(why=f"{NO_SOURCE}: {path} is not a file that exists")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
        t_ns, value = newest(data.decode("utf-8-sig"), now_ns)
    except OSError as exc:
        return kept._replace(why=f"cannot be read: {exc.strerror}")
    except UnicodeDecodeError:
        return kept._replace(why="it is not UTF-8 text")
    except (BadIndicator, csv.Error) as exc:
        return kept._replace(why=str(exc))
    return kept._replace(value=value, t_ns=t_ns, why="")
