"""What a panel is handed: the engine to read, a status to show, and what a person can ask for."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from basisdesk.clock import Clock
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import Command
from basisdesk.forecast.view import ForecastView
from basisdesk.scan.alerts import AlertRule
from basisdesk.scan.view import ScanView
from basisdesk.ui.autopilot_rows import AutopilotView
from basisdesk.ui.lab_view import LabActions, LabView
from basisdesk.ui.product_actions import (
    Diagnostics,
    FirstRun,
    Library,
    SettingsActions,
    Workspaces,
)
from basisdesk.ui.uptime_rows import UptimeFigures

Mode = Literal["simulated", "live", "replay"]


class Actions(Protocol):
    """What a person can ask for. Panels call these and never learn who does it."""

    def submit(self, command: Command) -> None:
        """Send a command through the inbox; `t_ns` is stamped on the way."""
        ...

    def save_log(self, folder: Path | None) -> None:
        """Write CSV, JSON and HTML of this session into a new folder inside `folder`.

        None: inside the account's own folder for logs.
        """
        ...

    def reconnect(self, conn: str) -> None:
        """Drop one connection and connect it again."""
        ...

    def show_pair(self, first: str, second: str) -> None:
        """Put a pair on the screen: (spot, perp), or the long and the short one of two perps."""
        ...

    def practise(self, kind: str, conn: str, for_s: float) -> None:
        """Let the demo exchange commit a fault. conn: "binance.public", "binance" or "*"."""
        ...

    def stop_practice(self) -> None:
        """End every fault the demo exchange commits."""
        ...

    def switch_account(self, name: str) -> None:
        """Leave this account and open another one, made where there is none of that name."""
        ...

    def reset_account(self) -> None:
        """Put this account's journal and tapes aside and begin it anew. Nothing is deleted."""
        ...

    def open_tape(self, path: Path) -> None:
        """Play a recording in a window of its own."""
        ...

    def quit(self) -> None:
        """Leave the program in order."""
        ...


class ScanActions(Protocol):
    """What a person can ask of the scanner and its alerts."""

    def set_scan_size(self, size: float) -> None:
        """Count the scanner's openings at this size, account currency."""
        ...

    def set_alert_rule(self, rule: AlertRule) -> None:
        """Add an alert rule, or replace the one of the same id."""
        ...

    def drop_alert_rule(self, rule_id: str) -> None:
        """Forget an alert rule."""
        ...

    def snooze_alert(self, rule_id: str, minutes: int) -> None:
        """Silence a rule for so long; 0 wakes it. "*": all rules."""
        ...

    def mute_alerts(self, muted: bool) -> None:
        """No sound of alerts, or sound again."""
        ...

    def test_webhook(self) -> None:
        """Send the shown payload to the webhook once."""
        ...


class ForecastActions(Protocol):
    """What a person can say to the forecast. Each gives why not, in a sentence, or ""."""

    speed: float  # seconds of the market in one of ours

    def override(self, candidate: int, would: bool, reason: str) -> str:
        """Say that one would trade a candidate, or would not."""
        ...

    def end_review(self, reason: str) -> str:
        """End the review of drift."""
        ...


class AutopilotActions(Protocol):
    """What a person can ask of the autopilot. Each gives why not, in a sentence, or ""."""

    def set_pair(
        self, pair: str, mode: str, playbook: str, values: Mapping[str, float], reason: str = ""
    ) -> str:
        """Set a pair "off", "suggest" or "auto", and values of its playbook."""
        ...

    def accept(self, pair: str) -> str:
        """Do what is suggested of a pair."""
        ...

    def override(self, pair: str, what: str, reason: str) -> str:
        """Note that a person does otherwise; the pair cools down."""
        ...

    def reset(self, playbook: str) -> str:
        """Count a playbook's results anew."""
        ...


@dataclass(frozen=True)
class PracticeFault:
    """One fault a person can practise. about: one sentence. on: connections, ("*",) for any."""

    name: str
    about: str
    on: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class LinkNote:
    """What the feeds know of a connection beside the market: counted by the app, shown as it is.

    next_try_s: seconds to the next try, NaN when none is due. asks_hour: subscribes of this hour.
    reason: why it went down, or what it waits for.
    """

    host: str = ""
    renewals: int = 0
    next_try_s: float = math.nan
    asks_hour: int = 0
    messages: int = 0
    reason: str = ""


@dataclass
class Status:
    """Figures of the running program that are not the engine's. The app writes, panels read."""

    loop_lag_ms: float = 0.0
    loop_lag_p99_ms: float = 0.0
    messages_per_s: float = 0.0
    inbox_frames: int = 0
    tape_mb: float = 0.0
    tape_state: str = ""  # "" while recording; else why not, in words
    banner: str = ""  # a sentence over the whole window; "" when all is well
    banner_level: str = "warn"  # "warn" or "error"
    fault_ns: int = 0  # when the desk stopped after a fault of its own; 0 while it runs
    saved: str = ""  # where the last session log went
    session: str = ""
    profile: str = "default"
    account: str = "main"
    speed: float = 1.0
    recorded: bool = False  # a replay: the speed is that of the market when it was recorded
    links: dict[str, LinkNote] = field(default_factory=dict)
    # from our receive stamp to the engine, ms, newest last; bounded by who writes
    engine_ms: dict[str, deque[float]] = field(default_factory=dict)
    practice: str = ""  # the fault under way, in words
    uptime: UptimeFigures = field(default_factory=UptimeFigures)


@dataclass
class Context:
    """Handed to every panel's constructor.

    ticket_direction: the side chosen in the ticket, which writes it; 0 where there is none.
    asks_leave: a person sits here, so leaving with pairs open asks first; the app writes it.
    """

    engine: Engine
    settings: Settings
    clock: Clock
    actions: Actions
    mode: Mode
    status: Status = field(default_factory=Status)
    faults: tuple[PracticeFault, ...] = ()  # what can be practised; none but on the demo exchange
    conns: tuple[str, ...] = ()  # connections of all venues
    accounts: tuple[str, ...] = ()  # paper accounts of the profile, this one included
    scan: ScanView | None = None  # None where no universe is watched
    scan_actions: ScanActions | None = None
    forecast: ForecastView | None = None  # None where nothing is forecast
    forecast_actions: ForecastActions | None = None
    autopilot: AutopilotView | None = None  # None where none runs
    autopilot_actions: AutopilotActions | None = None
    lab: LabView | None = None  # None in a replay, and until the desk stands
    lab_actions: LabActions | None = None
    settings_actions: SettingsActions | None = None
    workspaces: Workspaces | None = None
    library: Library | None = None
    first_run: FirstRun | None = None
    diagnostics: Diagnostics | None = None
    # (name, version, licence, its text) of all that runs here, this program first; takes 0.1 s
    licences: Callable[[], Sequence[tuple[str, str, str, str]]] | None = None
    ticket_direction: int = 0
    asks_leave: bool = False
