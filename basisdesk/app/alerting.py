"""Alerts at work: readings once a second, judged, logged, told, and kept on the disk.

A storm is told in few words: a bounded number of notifications a minute and of log lines a look;
what does not fit is counted, and the count is told. The file is written beside the loop, in one
step, at most once a look.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from basisdesk.clock import mono_s
from basisdesk.events import Changed
from basisdesk.feed.tasks import spawn
from basisdesk.feed.webhook import Webhook
from basisdesk.scan.alert_book import (
    AlertBook,
    open_book,
    payload_of,
    told_of,
    trial_of,
)
from basisdesk.scan.alert_readings import DeskView, Reader
from basisdesk.scan.alert_watch import Fired
from basisdesk.scan.alerts import AlertRule
from basisdesk.scan.view import ScanView

NOTES_A_MINUTE = 6  # notifications on the screen; the rest is counted
LINES_A_LOOK = 50  # log lines of one look
BEEP_S_MIN = 2.0  # between two sounds
FILE_BYTES_MAX = 16 << 20
BROKEN_MAX = 99  # files put aside, then the last of them is replaced
S = 1_000_000_000
MINUTE_NS = 60 * S
# What concerns nobody's money. At a first start it leaves a newcomer in peace for a while: both
# rules are shown as snoozed until then, and can be woken.
AT_LARGE = ("funding-gap", "btc-eth")
# Of several alerts the one on the screen: what can cost the position goes first.
_FIRST = {"liq_distance": 0, "stale_feed": 1, "settlement_in_min": 2, "win_rate": 3}

OnDead = Callable[[str, BaseException], None]


class Outlets(Protocol):
    """How a person is reached on this machine."""

    def notify(self, title: str, text: str) -> bool:
        """Show a message; False where nothing could be shown."""
        ...

    def beep(self) -> None:
        """Make a short sound."""
        ...


class Silent:
    """Reaches nobody: for tests and for a desk without a screen."""

    def notify(self, title: str, text: str) -> bool:  # noqa: ARG002
        """Show nothing."""
        return False

    def beep(self) -> None:
        """Make no sound."""


class Alerting:
    """The alerts of one desk. The constructor reads the book; `beat` does the rest.

    calm_s: how long what concerns nobody's money keeps silent in a new profile, market seconds.
    book: for the screen. reader: its `sector_of` may be replaced when the sector map changes.
    refused: the last sentence why a rule was not taken, "" when it was.
    """

    def __init__(
        self,
        folder: Path,
        desk: DeskView,
        view: ScanView,
        outlets: Outlets,
        speed: float = 1.0,
        calm_s: float = 0.0,
    ) -> None:
        self._path = folder / "alerts.json"
        self._desk = desk
        self._view = view
        self._outlets = outlets
        self.settings = desk.settings.alerts
        self.reader = Reader(speed=speed)
        self.refused = ""
        self._calm_s = calm_s
        self._first = False  # start of this profile
        self.book = view.alerts = self._open()
        self._kept = -1 if self.book.said else self.book.version
        self._now_ns = 0
        self._notes: deque[float] = deque(maxlen=NOTES_A_MINUTE)
        self._beeped_s = -BEEP_S_MIN
        self._writing: asyncio.Task[Any] | None = None
        self._unsaved = ""
        self._shown_version = -1
        self.webhook: Webhook | None = None
        self._task: asyncio.Task[Any] | None = None
        self._on_dead: OnDead | None = None
        if self.settings.webhook:
            self.webhook = Webhook(self.settings.webhook, self.settings.webhook_hosts)
            self.webhook.on_said = self._on_webhook_said
            self.book.webhook_said = self.webhook.problem

    # --- life ------------------------------------------------------------------------------------

    def start(self, on_dead: OnDead | None = None) -> None:
        """Begin to send to the webhook; needs a running loop. on_dead: as `spawn` has it."""
        self._on_dead = on_dead
        if self.webhook is not None and not self.webhook.problem:
            self._task = spawn(self.webhook.run(), "alerts webhook", on_dead)

    async def stop(self) -> None:
        """No more calls; the book is on the disk when this returns."""
        if self._task is not None:
            self._task.cancel()
        waits = [task for task in (self._task, self._writing) if task is not None]
        await asyncio.gather(*waits, return_exceptions=True)
        self._task = self._writing = None
        self.save()

    def beat(self, now_ns: int) -> Changed:
        """One look, about once a second: read, judge, tell, keep. What it changed for panels."""
        self._now_ns = now_ns
        book = self.book
        if self._first and self._calm_s:
            self._first = False
            for rule_id in AT_LARGE:
                book.snooze(rule_id, now_ns + int(self._calm_s * S))
        wanted = book.wanted
        if wanted:
            readings = self.reader.read(self._view, self._desk, wanted, now_ns)
            self.tell(book.judge(readings, now_ns))
        else:
            self.tell(())
        if self.webhook is not None:
            self.webhook.tick(mono_s())
        self._keep()
        changed = book.version != self._shown_version
        self._shown_version = book.version
        return Changed.ALERTS if changed else Changed.NOTHING

    # --- what a person does ----------------------------------------------------------------------

    def set_rule(self, rule: AlertRule) -> str:
        """Add or replace a rule; the sentence why not, "" when done."""
        self.refused = self.book.put(rule)
        return self.refused

    def drop_rule(self, rule_id: str) -> None:
        """Forget a rule."""
        self.book.drop(rule_id)

    def snooze(self, rule_id: str, minutes: int) -> None:
        """Keep a rule, or all with "*", silent for so long; 0 wakes it."""
        now_ns = self._now_ns or getattr(self._desk, "now_ns", 0)
        self.book.snooze(rule_id, now_ns + minutes * MINUTE_NS if minutes > 0 else 0)

    def mute(self, muted: bool) -> None:
        """No sound, or sound again."""
        self.book.mute(muted)

    def test_webhook(self) -> str:
        """Send a test to the webhook; the sentence that says what became of it so far."""
        said = "No webhook is set. Session > Settings\u2026, Alerts has a line for its address."
        if self.webhook is not None:
            taken = self.webhook.offer(payload_of(trial_of(self._now_ns)))
            said = f"Sending to {self.webhook.host}." if taken else self.webhook.problem
            said = said or "Too many wait to be sent. Try again in a minute."
        self._on_webhook_said(said)
        return said

    # --- telling ---------------------------------------------------------------------------------

    def tell(self, fired: Sequence[Fired]) -> None:
        """Log and deliver what one look found. Bounded work, however many they are."""
        now_s = mono_s()
        lead = min(fired, key=lambda each: _FIRST.get(each.quantity, 9), default=None)
        shown = self._notify(lead, [each for each in fired if "notify" in each.channels], now_s)
        heard = self._sound(fired, now_s)
        lines = []
        for each in fired[:LINES_A_LOOK]:
            by_note = ("notify",) if each is shown else ()
            by_ear = ("sound",) if heard and "sound" in each.channels else ()
            lines.append(told_of(each, (*by_note, *by_ear, *self._hook(each))))
        left = len(fired) - len(lines)
        if left:
            lines[-1] = msgspec.structs.replace(lines[-1], more=left)
        if fired:
            self.book.note(lines, len(fired))

    def _notify(self, lead: Fired | None, wishes: Sequence[Fired], now_s: float) -> Fired | None:
        """At most one message a look and NOTES_A_MINUTE a minute; the one that was shown."""
        book = self.book
        if not self.settings.notify:
            return None
        due = len(self._notes) < NOTES_A_MINUTE or now_s - self._notes[0] >= 60.0
        if not due or not (wishes or book.unsaid):
            book.unsaid += len(wishes)
            return None
        first = lead if lead in wishes else (wishes[0] if wishes else None)
        more = book.unsaid + max(0, len(wishes) - 1)
        told = self._outlets.notify(*_message(first, more))
        self._notes.append(now_s)
        book.unsaid = 0
        return first if told else None

    def _sound(self, fired: Sequence[Fired], now_s: float) -> bool:
        wanted = self.settings.sound and not self.book.muted
        if not wanted or now_s - self._beeped_s < BEEP_S_MIN:
            return False
        if not any("sound" in each.channels for each in fired):
            return False
        self._beeped_s = now_s
        self._outlets.beep()
        return True

    def _hook(self, fired: Fired) -> tuple[str, ...]:
        if self.webhook is None or "webhook" not in fired.channels:
            return ()
        return ("webhook",) if self.webhook.offer(payload_of(told_of(fired))) else ()

    def _on_webhook_said(self, sentence: str) -> None:
        self.book.webhook_said = sentence
        self._shown_version = -1

    # --- the disk --------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the book now, here."""
        if self.book.version == self._kept and self._path.exists():
            return
        self._kept = self.book.version
        self._after(self._write(self.book.to_bytes(self._now_ns)))

    def _keep(self) -> None:
        """Write the book beside the loop, when there is something new and no write is under way."""
        under_way = self._writing is not None and not self._writing.done()
        if under_way or self.book.version == self._kept:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.save()
            return
        self._kept = self.book.version
        data = self.book.to_bytes(self._now_ns)
        self._writing = spawn(self._write_beside(data), "alerts file", self._on_dead)

    async def _write_beside(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._after(await loop.run_in_executor(None, self._write, data))

    def _write(self, data: bytes) -> str:
        """Put the bytes in place in one step; the sentence why not."""
        part = self._path.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as exc:
            return f"Alerts cannot be saved: {exc.strerror}. They go on, and are lost at the end."
        return ""

    def _after(self, said: str) -> None:
        """What a write came to; one that failed is tried again at the next look."""
        if said:
            self._kept = -1
        if said != self._unsaved:
            self._unsaved = self.book.said = said
            self._shown_version = -1

    def _open(self) -> AlertBook:
        """The book of the profile; a file that cannot be used is put aside, never overwritten."""
        data: bytes | None = None
        try:
            small = self._path.stat().st_size <= FILE_BYTES_MAX
            data = self._path.read_bytes() if small else b""
        except FileNotFoundError:
            self._first = True
        except OSError:
            data = b""
        book, said = open_book(data)
        if said:
            book.said = said
            with contextlib.suppress(OSError):
                self._path.replace(_aside(self._path))
        return book


def _aside(path: Path) -> Path:
    """Where a file is put aside: "alerts.broken.json", then "alerts.broken-2.json" and so on."""
    names = (f".broken{f'-{at}' if at > 1 else ''}.json" for at in range(1, BROKEN_MAX + 1))
    places = [path.with_suffix(name) for name in names]
    return next((place for place in places if not place.exists()), places[-1])


def _message(first: Fired | None, more: int) -> tuple[str, str]:
    """Title and text of a notification. more: alerts that are not in it."""
    count = f"{more:,} more alert{'' if more == 1 else 's'} in the log."
    if first is None:
        return "basisdesk alerts", count
    return first.name, f"{first.text} {count}" if more else first.text
