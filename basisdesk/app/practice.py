"""Practising faults: the demo exchange commits them, the log and the status line say so."""

from PySide6.QtCore import QObject, QTimer

from basisdesk.app.exchange_process import ExchangeProcess
from basisdesk.clock import Clock
from basisdesk.engine import Engine, LogLine
from basisdesk.ui.context import PracticeFault, Status


def practice_faults() -> tuple[PracticeFault, ...]:
    """Name and one sentence of each fault, as the exchange knows them."""
    from basisdesk.demo.faults import fault_kinds

    return tuple(PracticeFault(kind.name, kind.about, kind.on) for kind in fault_kinds())


class Practice(QObject):
    """Hands faults to the exchange of a simulated desk; on real venues it does nothing."""

    def __init__(
        self, exchange: ExchangeProcess | None, engine: Engine, clock: Clock, status: Status
    ) -> None:
        super().__init__()
        self._exchange = exchange
        self._engine = engine
        self._clock = clock
        self._status = status
        self._over = QTimer(self)
        self._over.setSingleShot(True)
        self._over.timeout.connect(self._on_over)

    @property
    def possible(self) -> bool:
        """Whether there is an exchange that can fail on request."""
        return self._exchange is not None

    def practise(self, kind: str, conn: str, for_s: float) -> None:
        """Let the exchange commit a fault. The newest stands in the status until it is over."""
        if self._exchange is None:
            return
        self._exchange.tell({"fault": {"kind": kind, "conn": conn, "for_s": for_s}})
        where = "everywhere" if conn == "*" else f"on {conn}"
        said = f"Practice: {kind.replace('_', ' ')} {where} for {for_s:g} s."
        self._say("warn", said)
        self._status.practice = said
        self._over.start(int(for_s * 1000))

    def stop(self) -> None:
        """End every fault."""
        if self._exchange is None:
            return
        self._exchange.tell({"clear": True})
        self._over.stop()
        self._status.practice = ""
        self._say("info", "Practice: all faults ended.")

    def _say(self, level: str, text: str) -> None:
        self._engine.log.append(LogLine(self._clock.now_ns(), level, "practice", text))

    def _on_over(self) -> None:
        self._status.practice = ""
