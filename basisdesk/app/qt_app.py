"""The one Qt application of this process, with its name and its icon."""

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.ui.resources import resource

DESKTOP_ID = "io.github.basisdesk.basisdesk"  # of the desktop file; by it Wayland finds the icon


def qt_app() -> QApplication:
    """Qt's application, made where there is none. Raises UserError if another kind runs here."""
    app = QApplication.instance() or QApplication(["basisdesk"])
    if not isinstance(app, QApplication):
        raise UserError("Another kind of Qt program runs in this process.")
    app.setApplicationName("basisdesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName(DESKTOP_ID)
    app.setWindowIcon(QIcon(str(resource("icons/desk.svg"))))
    app.setQuitOnLastWindowClosed(False)  # leave by returning, so that every `finally` runs
    return app
