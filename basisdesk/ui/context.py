"""What a panel is handed: the engine to read, a status to show, and what a person can ask for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from basisdesk.clock import Clock
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.events import Command

Mode = Literal["simulated", "live", "replay"]


class Actions(Protocol):
    """What a person can ask for. Panels call these and never learn who does it."""

    def submit(self, command: Command) -> None:
        """Send a command through the inbox; `t_ns` is stamped on the way."""
        ...

    def save_log(self, folder: Path) -> None:
        """Write CSV, JSON and HTML of this session into a new folder inside `folder`."""
        ...

    def reconnect(self, conn: str) -> None:
        """Drop one connection and connect it again."""
        ...

    def quit(self) -> None:
        """Leave the program in order."""
        ...


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
    saved: str = ""  # where the last session log went
    session: str = ""
    profile: str = "default"
    speed: float = 1.0


@dataclass
class Context:
    """Handed to every panel's constructor."""

    engine: Engine
    settings: Settings
    clock: Clock
    actions: Actions
    mode: Mode
    status: Status = field(default_factory=Status)
