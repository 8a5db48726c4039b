"""View > Workspace: the ready-made arrangements of the windows, and those a person saved."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.theme import Theme, safe
from basisdesk.ui.workspace_places import WindowPlaces
from basisdesk.ui.workspace_rows import NAME_MAX, READY, name_problem


class SaveWorkspaceDialog(AskDialog):
    """Asks for a name; one that is there already is overwritten, and says so. chosen: the name."""

    chosen = Signal(object)

    def __init__(self, there: tuple[str, ...], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Save the workspace", "Save", theme, parent)
        self._there = there
        self.name = QLineEdit(self)
        self.name.setMaxLength(NAME_MAX)
        self.name.setAccessibleName("Name of the workspace")
        self.name.setPlaceholderText("Two screens, morning")
        self.name.textChanged.connect(self._on_typed)
        self.said = self.wrapped("", "warn")
        text = (
            "Keeps the panels of the desk, which windows are open and where they stand, and the "
            "pairs of the chart windows. No trade and no setting is part of it."
        )
        self.fill(self.wrapped(text), self.name, self.said)
        self.act.setEnabled(False)
        self.act.setDefault(True)
        self.accepted.connect(self._on_accepted)
        self.name.setFocus()

    def _on_typed(self, text: str) -> None:
        name = " ".join(text.split())
        problem = name_problem(name) if name else ""
        over = name in self._there
        self.said.setText(problem or (f"Overwrites the workspace {name}." if over else ""))
        self.act.setText("Overwrite" if over else "Save")
        self.act.setEnabled(bool(name) and not problem)

    def _on_accepted(self) -> None:
        self.chosen.emit(" ".join(self.name.text().split()))


class WorkspacesMenu(QMenu):
    """Lists the workspaces anew each time it opens. Without `Workspaces` only the ready-made."""

    def __init__(
        self, places: WindowPlaces, context: Context, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__("Workspace", parent)
        self._places = places
        self._context = context
        self._theme = theme
        self._owner = parent
        self._gone = QMenu("Delete", self)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Write the lines of the menu for the workspaces there are now."""
        self.clear()
        on, disk = self._places.on, self._context.workspaces
        for ready in self._places.offered():
            action = self.addAction(ready.name)
            action.setToolTip(safe(ready.about))
            _tick(action, ready.name == on)
            action.triggered.connect(partial(self._places.put_ready, ready))
        if disk is None:
            return
        self.addSeparator()
        names = tuple(disk.names())
        for name in names:
            action = self.addAction(name.replace("&", "&&"))
            _tick(action, name == on)
            action.triggered.connect(partial(self.put, name))
        if names:
            self.addSeparator()
        self.addAction("Save as\u2026").triggered.connect(self.ask_save)
        again = self.addAction(f"Save over {on}" if on in names else "Save over the workspace")
        again.setEnabled(on in names)
        again.setStatusTip("Choose or save a workspace of your own first.")
        again.triggered.connect(partial(self.save, on))
        back = self.addAction(f"Back to {on} as it was" if on else "Back to the workspace")
        back.setEnabled(bool(on))
        back.setStatusTip("Choose a workspace first.")
        back.triggered.connect(self.put_again)
        gone = self._gone
        gone.clear()
        self.addMenu(gone)
        gone.menuAction().setEnabled(bool(names))
        for name in names:
            gone.addAction(f"Delete {name}\u2026".replace("&", "&&")).triggered.connect(
                partial(self.ask_delete, name)
            )

    def put(self, name: str) -> None:
        """Arrange the windows as the workspace of this name."""
        disk = self._context.workspaces
        if disk is not None and not self._places.put_saved(name, disk.load(name)):
            self._say(f"The workspace {name} is damaged; the desk's own layout stands instead.")

    def put_again(self) -> None:
        """The workspace that is on, as it was saved or as it is made."""
        on = self._places.on
        ready = next((each for each in READY if each.name == on), None)
        if ready is not None:
            self._places.put_ready(ready)
        elif on:
            self.put(on)

    def save(self, name: str) -> None:
        """Keep the windows as they are under a name."""
        disk = self._context.workspaces
        if disk is None:
            return
        if problem := disk.save(name, self._places.saved()):
            self._say(problem)
        else:
            self._places.on = name

    def ask_save(self) -> SaveWorkspaceDialog:
        """Ask for a name, then save."""
        dialog = SaveWorkspaceDialog(self._names(), self._theme, self._owner)
        dialog.chosen.connect(self._on_named)
        dialog.open()
        return dialog

    def ask_delete(self, name: str) -> AskDialog:
        """Ask in words, then forget a workspace."""
        dialog = AskDialog("Delete the workspace", f"Delete {name}", self._theme, self._owner)
        said = f"The workspace {name} cannot be brought back. The windows stay as they are."
        dialog.fill(dialog.wrapped(said))
        dialog.act.setProperty("role", "danger")
        dialog.cancel.setDefault(True)
        dialog.accepted.connect(partial(self._drop, name))
        dialog.open()
        return dialog

    def _drop(self, name: str) -> None:
        disk = self._context.workspaces
        if disk is not None and (problem := disk.drop(name)):
            self._say(problem)
        elif self._places.on == name:
            self._places.on = ""

    def _on_named(self, name: object) -> None:
        self.save(str(name))

    def _names(self) -> tuple[str, ...]:
        disk = self._context.workspaces
        return tuple(disk.names()) if disk is not None else ()

    def _say(self, sentence: str) -> None:
        status = self._context.status
        status.banner, status.banner_level = sentence, "warn"


def _tick(action: QAction, on: bool) -> None:
    action.setCheckable(True)
    action.setChecked(on)
