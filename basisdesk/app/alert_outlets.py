"""How alerts reach a person on this machine: the tray where there is one, else the banner."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from basisdesk.clock import mono_s
from basisdesk.scan.alerts import clean
from basisdesk.ui.context import Status
from basisdesk.ui.resources import resource
from basisdesk.ui.theme import safe

SHOWN_MS = 10_000
BANNER_S = 30.0
TITLE_MAX, TEXT_MAX = 80, 400


class DesktopOutlets(QObject):
    """Tray icon with messages; where the desktop has no tray, the banner over the window.

    clicked: called when a person clicks the icon or a message. Texts are cleaned of markup: some
    desktops read it in notifications.
    """

    def __init__(self, status: Status, clicked: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._status = status
        self._clicked = clicked
        self._banner = ""
        self._banner_until_s = 0.0
        self._tray: QSystemTrayIcon | None = None
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._tray = QSystemTrayIcon(QIcon(str(resource("icons/desk.svg"))), self)
            self._tray.setToolTip(safe("basisdesk, paper trading"))
            self._tray.activated.connect(self._on_clicked)
            self._tray.messageClicked.connect(self._on_clicked)
            self._tray.show()

    def notify(self, title: str, text: str) -> bool:
        """Show a message; the banner takes it where there is no tray and nothing worse stands."""
        title, text = clean(title, TITLE_MAX), clean(text, TEXT_MAX)
        if self._tray is not None and QSystemTrayIcon.supportsMessages():
            icon = QSystemTrayIcon.MessageIcon.Information
            self._tray.showMessage(title, text, icon, SHOWN_MS)
            return True
        if self._status.banner not in ("", self._banner):
            return False
        self._banner = self._status.banner = f"{title}: {text}"
        self._status.banner_level = "warn"
        self._banner_until_s = mono_s() + BANNER_S
        return True

    def beep(self) -> None:
        """The desktop's own short sound."""
        QApplication.beep()

    def tick(self, now_s: float) -> bool:
        """Take the banner away when its time is over; True when it went."""
        if not self._banner or now_s < self._banner_until_s:
            return False
        gone = self._status.banner == self._banner
        if gone:
            self._status.banner = ""
        self._banner = ""
        return gone

    def close(self) -> None:
        """Take the icon away."""
        if self._tray is not None:
            self._tray.hide()

    # --- slots ------------------------------------------------------------------------------------

    def _on_clicked(self) -> None:
        self._clicked()
