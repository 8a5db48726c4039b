"""View > Appearance: theme, colours, size of type, motion, time zone. Each is a setting.

Colours and fonts are built into every panel when the window is made, so a change writes the
settings file and opens the desk again; nothing that is held is touched by that.
"""

from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from basisdesk.config import Ui
from basisdesk.ui.context import Context
from basisdesk.ui.product_actions import SettingsActions, SettingValue
from basisdesk.ui.theme import safe

REOPENS = (
    "Written into the settings. The desk then opens again, which takes about 2 s; open pairs, "
    "orders at work and the journal are kept."
)
Choices = tuple[tuple[SettingValue, str], ...]
THEMES: Choices = (
    ("dark", "Dark theme"),
    ("light", "Light theme"),
    ("contrast", "High-contrast theme"),
)
SCALES = (0.9, 1.0, 1.25, 1.5)
SWITCHES = (
    ("colour_blind", "Colour-blind pair: blue gains, orange losses"),
    ("reduced_motion", "Reduced motion"),
)
ZONES: Choices = ((True, "Times in UTC"), (False, "Times in local time"))


class AppearanceMenu(QMenu):
    """What stands in the settings is ticked; a click writes it and reopens the desk."""

    def __init__(self, context: Context, actions: SettingsActions, parent: QWidget) -> None:
        super().__init__("Appearance", parent)
        self._context = context
        self._actions = actions
        self._ticks: list[tuple[QAction, str, SettingValue]] = []
        self.setToolTipsVisible(True)
        ui = context.settings.ui
        self._choices("theme", ui.theme, THEMES)
        self.addSeparator()
        self._choices("font_scale", ui.font_scale, scales_of(ui))
        self.addSeparator()
        for key, text in SWITCHES:
            action = self.addAction(text)
            action.setCheckable(True)
            action.setChecked(getattr(ui, key))
            action.setToolTip(safe(REOPENS))
            action.triggered.connect(partial(self._turn, key, action))
            self._ticks.append((action, key, True))
        self.addSeparator()
        self._choices("utc", ui.utc, ZONES)

    def _choices(self, key: str, now: SettingValue, choices: Choices) -> None:
        group = QActionGroup(self)
        for value, text in choices:
            action = self.addAction(text)
            action.setCheckable(True)
            action.setChecked(value == now)
            action.setToolTip(safe(REOPENS))
            action.triggered.connect(partial(self._set, key, value))
            group.addAction(action)
            self._ticks.append((action, key, value))

    def _turn(self, key: str, action: QAction) -> None:
        self._set(key, action.isChecked())

    def _set(self, key: str, value: SettingValue) -> None:
        found = self._actions.read()  # another program may have written it since the desk came up
        if isinstance(found, str):
            self._refused(found)
        elif value == getattr(found.ui, key) == getattr(self._context.settings.ui, key):
            return
        elif problem := self._actions.save({f"ui.{key}": value}):
            self._refused(problem)
        else:
            self._actions.reopen()

    def _refused(self, problem: str) -> None:
        """Say why, and tick again what this desk goes by."""
        status = self._context.status
        status.banner, status.banner_level = problem, "warn"
        for action, key, value in self._ticks:
            action.setChecked(getattr(self._context.settings.ui, key) == value)


def scales_of(ui: Ui) -> Choices:
    """The sizes of type offered, and the one in the settings where it is none of these."""
    scales = sorted({*SCALES, ui.font_scale})
    return tuple((scale, f"Text size {scale * 100:.0f} %") for scale in scales)
