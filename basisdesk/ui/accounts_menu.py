"""Account > list, New, Reset: which paper account trades. The app changes it, this only asks."""

import re
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.figures import number_text
from basisdesk.ui.halt_dialogs import AskDialog
from basisdesk.ui.theme import Theme

NAME_MAX = 32
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class NewAccountDialog(AskDialog):
    """Asks for a name. chosen: the name as text."""

    chosen = Signal(object)

    def __init__(
        self, taken: tuple[str, ...], start: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("New paper account", "Open it", theme, parent)
        self._taken = {name.lower() for name in taken}
        self.name = QLineEdit(self)
        self.name.setMaxLength(NAME_MAX)
        self.name.setAccessibleName("Name of the account")
        self.name.setPlaceholderText("letters, digits, dash, underscore")
        self.name.textChanged.connect(self._on_typed)
        self.problem = self.wrapped("", "warn")
        said = (
            f"It begins with {start} and an empty journal. This account stays as it is: its open "
            "pairs are looked after again when you return."
        )
        self.fill(self.wrapped(said), self.name, self.problem)
        self.act.setEnabled(False)
        self.act.setDefault(True)
        self.accepted.connect(self._on_accepted)
        self.name.setFocus()

    def _on_typed(self, text: str) -> None:
        if text.lower() in self._taken:
            said = f"There is an account {text} already; choose it in the menu."
        elif text and _NAME.fullmatch(text) is None:
            said = "A name has 1 to 32 letters, digits, dashes and underscores."
        else:
            said = ""
        self.problem.setText(said)
        self.act.setEnabled(bool(text) and not said)

    def _on_accepted(self) -> None:
        self.chosen.emit(self.name.text())


class AccountsMenu(QMenu):
    """Every account of the profile, the one that trades ticked."""

    def __init__(self, context: Context, theme: Theme, parent: QWidget) -> None:
        super().__init__("Account", parent)
        self._context = context
        self._theme = theme
        self._owner = parent
        group = QActionGroup(self)
        for name in context.accounts:
            action = self.addAction(f"Switch to {name}")
            action.setCheckable(True)
            group.addAction(action)
            if name == context.status.account:
                action.setText(name)
                action.setChecked(True)
            else:
                action.triggered.connect(partial(self._switch, name))
        self.addSeparator()
        self.addAction("New\u2026").triggered.connect(self.ask_new)
        self.addAction("Reset\u2026").triggered.connect(self.ask_reset)

    def ask_new(self) -> NewAccountDialog:
        """Ask for a name, then leave for an account of that name."""
        account = self._context.settings.account
        start = f"{number_text(account.start, 2)} {account.currency}"
        dialog = NewAccountDialog(self._context.accounts, start, self._theme, self._owner)
        dialog.chosen.connect(self._on_named)
        dialog.open()
        return dialog

    def ask_reset(self) -> AskDialog:
        """Ask in words, then put this account aside and begin it anew."""
        engine, name = self._context.engine, self._context.status.account
        dialog = AskDialog("Reset the account", f"Put {name} aside and begin anew", self._theme,
                           self._owner)  # fmt: skip
        held = len(engine.open_pairs())
        account = self._context.settings.account
        begins = f"{number_text(account.start, 2)} {account.currency}"
        pairs = f"{held} open pair{'' if held == 1 else 's'}"
        lost = f" {pairs} will not be looked after any more." if held else ""
        equity = number_text(engine.funds().equity, 2)
        said = (
            f"The account {name} holds {equity} {account.currency}.{lost} Its journal, mark and "
            "tapes move into the profile's archive folder, named by account and time; nothing is "
            f"deleted. The account then begins anew with {begins}."
        )
        dialog.fill(dialog.wrapped(said))
        dialog.act.setProperty("role", "danger")
        dialog.cancel.setDefault(True)
        dialog.accepted.connect(self._context.actions.reset_account)
        dialog.open()
        return dialog

    def _switch(self, name: str) -> None:
        self._context.actions.switch_account(name)

    def _on_named(self, name: object) -> None:
        self._context.actions.switch_account(str(name))
