"""External indicators: files are read in a thread, addresses asked from the loop, at their pace.

What an address said is written down (`outside/NAME.csv` in the account's folder, the newest values
only), so that its next value can be compared with those before it after a restart too. A file holds
its own past. What may be a feature of a pair, `told` says: fresh, of the pair's coin, comparable.
"""

import asyncio
import csv
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING

from basisdesk.config import IndicatorSource
from basisdesk.feed.faults import Fault
from basisdesk.feed.number_call import EVERY_S_MIN, ask, host_of
from basisdesk.forecast.indicators import (
    BYTES_MAX,
    KEPT,
    NO_SOURCE,
    BadIndicator,
    Indicator,
    answered,
    values,
)
from basisdesk.forecast.outside import Told, extra, unusual

if TYPE_CHECKING:
    from basisdesk.forecast.table import Feature

MS_NS = 1_000_000


class IndicatorSources:
    """The indicators of the settings. `due` and `ask` are given monotonic seconds.

    folder: for what addresses said; None keeps it in memory only.
    """

    def __init__(self, sources: Mapping[str, IndicatorSource], folder: Path | None = None) -> None:
        self._sources = dict(sources)
        self._next_s = dict.fromkeys(self._sources, 0.0)
        self._folder = folder
        self._heard: dict[str, list[tuple[int, float]]] = {}  # of addresses, oldest first
        self.extras: tuple[Feature, ...] = tuple(
            extra(name, signed=each.signed) for name, each in self._sources.items() if each.feature
        )
        self.found = {
            name: Indicator(
                name,
                each.unit,
                every_s=each.every_s,
                source=each.file or host_of(each.url),
                why="not read" if each.file else "not asked yet",
                fresh_s=nan if each.fresh_s is None else each.fresh_s,
            )
            for name, each in self._sources.items()
        }

    @property
    def all(self) -> tuple[Indicator, ...]:
        """Every indicator as it was last read."""
        return tuple(self.found.values())

    def due(self, now_s: float) -> tuple[str, ...]:
        """Names whose source should be read now; each is given once."""
        names = tuple(name for name, at_s in self._next_s.items() if now_s >= at_s)
        for name in names:
            each = self._sources[name]
            every_s = max(each.every_s, EVERY_S_MIN) if each.url else each.every_s
            self._next_s[name] = now_s + every_s
        return names

    def told(self, coin: str, now_ns: int) -> Told:
        """What is a feature of this coin's pairs now. What is late is not."""
        if not self.extras:
            return ()
        return tuple(
            (f"ext_{name}", each.z)
            for name, each in self.found.items()
            if self._sources[name].feature
            and self._sources[name].coin in ("", coin)
            and isfinite(each.z)
            and not each.late(now_ns)
        )

    # --- reading ---------------------------------------------------------------------------------

    async def read(self, names: tuple[str, ...], now_ns: int) -> dict[str, Indicator]:
        """Read these files and ask these addresses. Must be awaited in the loop."""
        loop = asyncio.get_running_loop()
        urls = tuple(name for name in names if self._sources[name].url)
        files = tuple(name for name in names if name not in urls)
        answers = await asyncio.gather(*(ask(self._sources[name].url) for name in urls))
        found = await loop.run_in_executor(None, self.look, files, now_ns)
        for name, answer in zip(urls, answers, strict=True):
            if isinstance(answer, Fault):
                found[name] = self._failed(name, answer)
            else:
                found[name] = await loop.run_in_executor(None, self.heard, name, answer, now_ns)
        return found

    def look(self, names: tuple[str, ...], now_ns: int) -> dict[str, Indicator]:
        """Read these files, in any thread. now_ns: later rows are not known yet."""
        return {name: _read(self.found[name], now_ns) for name in names}

    def heard(self, name: str, answer: bytes, now_ns: int) -> Indicator:
        """The indicator after its address answered so; in any thread."""
        kept, source = self.found[name], self._sources[name]
        try:
            t_ns, value = answered(answer, source.path, source.time_path, now_ns)
            t_ns = _whole_ms(t_ns)
        except BadIndicator as exc:
            return kept._replace(why=str(exc))
        past = self._heard.get(name)
        if past is None:
            past = self._heard[name] = self._restored(name, now_ns)
        if not past or t_ns > past[-1][0]:
            past.append((t_ns, value))
            del past[:-KEPT]
            self._write(name, past)
        elif t_ns == past[-1][0]:
            past[-1] = t_ns, value
        else:
            return kept._replace(why="the answer is older than the one before")
        return kept._replace(value=value, t_ns=t_ns, why="", z=_z(past))

    def _failed(self, name: str, fault: Fault) -> Indicator:
        """A value that was heard once stays, with its age and the reason."""
        kept = self.found[name]
        if fault.after_s:  # the source asked for a pause
            self._next_s[name] += fault.after_s
        none = f"{NO_SOURCE}: " if not kept.t_ns else ""
        return kept._replace(why=f"{none}{kept.source}: {fault.reason}")

    # --- what addresses said, on the disk --------------------------------------------------------

    def _head(self, name: str) -> str:
        """Names the number: another address or pointer is another one, and its past is not used."""
        source = self._sources[name]
        what = "\n".join((source.url, source.path, source.time_path))
        return f"time_ms,value,{hashlib.blake2b(what.encode(), digest_size=8).hexdigest()}"

    def _restored(self, name: str, now_ns: int) -> list[tuple[int, float]]:
        if self._folder is None:
            return []
        path = self._folder / f"{name}.csv"
        try:
            with path.open("rb") as file:
                text = file.read(BYTES_MAX).decode("utf-8")
            if not text.startswith(f"{self._head(name)}\n"):
                return []
            return [(_whole_ms(t_ns), value) for t_ns, value in values(text, now_ns)]
        except (OSError, UnicodeDecodeError, BadIndicator, csv.Error):
            return []

    def _write(self, name: str, past: list[tuple[int, float]]) -> None:
        """All that is kept, whole or not at all; where that fails it is remembered here only."""
        if self._folder is None:
            return
        rows = "".join(f"{t_ns // MS_NS},{value!r}\n" for t_ns, value in past)
        new = self._folder / f"{name}.new"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(new, flags, 0o600), "w", encoding="utf-8", newline="\n") as out:
                out.write(f"{self._head(name)}\n{rows}")
            new.replace(self._folder / f"{name}.csv")


def _read(kept: Indicator, now_ns: int) -> Indicator:
    """The indicator anew. Where that fails the last value stays, with its age and the reason."""
    path = Path(kept.source).expanduser()
    try:
        if not path.is_file():
            return kept._replace(why=f"{NO_SOURCE}: {path} is not a file that exists")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
        known = values(data.decode("utf-8-sig"), now_ns)
    except OSError as exc:
        return kept._replace(why=f"cannot be read: {exc.strerror}")
    except UnicodeDecodeError:
        return kept._replace(why="it is not UTF-8 text")
    except (BadIndicator, csv.Error) as exc:
        return kept._replace(why=str(exc))
    t_ns, value = known[-1]
    return kept._replace(value=value, t_ns=t_ns, why="", z=_z(known))


def _whole_ms(t_ns: int) -> int:
    """What is written is read again as the same time."""
    return round(t_ns / MS_NS) * MS_NS


def _z(known: list[tuple[int, float]]) -> float:
    return unusual([value for _, value in known])
