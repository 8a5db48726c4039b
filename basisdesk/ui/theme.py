"""Colours by meaning, fonts with tabular figures, the style sheet, and a label that is plain text.

The only file that writes a colour. A panel asks for "gain" or "stale", never for a green.
"""

import html
from dataclasses import dataclass, replace
from functools import cached_property
from string import Template

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QIcon,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from basisdesk.config import Ui
from basisdesk.ui.figures import gain_text, number_text, places_of, sign_text, triangle
from basisdesk.ui.resources import resource
from basisdesk.ui.tip_menu import offer_tip

__all__ = [
    "PlainLabel",
    "Theme",
    "contrast",
    "gain_text",
    "number_text",
    "places_of",
    "safe",
    "set_tip",
    "sign_text",
    "theme_for",
    "triangle",
]

FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
# How much of its colour a stale figure keeps: dimmed, and still readable.
STALE_SHARE = {"dark": 0.55, "light": 0.65, "contrast": 0.68}
ELIDED_PX_MIN = 24
_SHEET_COLOURS = (
    "background",
    "surface",
    "raised",
    "line",
    "text",
    "muted",
    "accent",
    "spot",
    "perp",
    "basis",
    "gain",
    "loss",
    "warn",
    "action",
    "ink",
)


@dataclass(frozen=True)
class Theme:
    """Every colour of the desk by what it means, as "#RRGGBB", and the scale of its type.

    `action` is the face of the one primary button, `ink` the text on it; `tag_ink` is text on a
    tag filled with a curve's colour.
    """

    name: str
    background: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    spot: str
    perp: str
    basis: str
    gain: str
    loss: str
    warn: str
    action: str
    ink: str
    tag_ink: str
    font_scale: float = 1.0
    reduced_motion: bool = False

    def qcolor(self, name: str, alpha: float = 1.0) -> QColor:
        """A colour by meaning. `alpha` from 0 (clear) to 1. Raises AttributeError if unknown."""
        colour = QColor(getattr(self, name))
        if alpha < 1.0:
            colour.setAlphaF(max(0.0, alpha))
        return colour

    def blend(self, name: str, share: float, over: str = "surface") -> QColor:
        """An opaque mix: `share` of one colour, the rest of the colour under it."""
        top, under = QColor(getattr(self, name)), QColor(getattr(self, over))
        mixed = (
            round(t * share + u * (1.0 - share))
            for t, u in zip(top.getRgb()[:3], under.getRgb()[:3], strict=True)  # type: ignore[index]
        )
        return QColor(*mixed)

    def ink_on(self, name: str) -> QColor:
        """The ink that reads best on a field of this colour."""
        field = QColor(getattr(self, name))
        inks = (QColor(self.tag_ink), QColor(self.background), QColor(self.text))
        return max(inks, key=lambda ink: contrast(ink, field))

    @cached_property
    def stale(self) -> str:
        """The text of a value that is too old to trade on."""
        return self.blend("text", STALE_SHARE[self.name]).name()

    @cached_property
    def close(self) -> str:
        """The close basis: the open basis at 60 %, in high contrast at 75 %."""
        return self.blend("basis", 0.6 if self.name != "contrast" else 0.75).name()

    @cached_property
    def funding(self) -> str:
        """The funding curve and its tag."""
        return self.warn

    def gain_or_loss(self, value: float) -> str:
        """The colour name of a signed figure: "gain", "loss", or "text" at zero and at NaN."""
        if value > 0:
            return "gain"
        return "loss" if value < 0 else "text"

    def px(self, size: float) -> int:
        """A length of the 12 px design in the user's font scale, at least 1."""
        return max(1, round(size * self.font_scale))

    def font(self, size: int = 12, weight: int = 400) -> QFont:
        """The interface font with tabular figures. `size` in px before the font scale."""
        font = QFont()
        font.setFamilies(list(FAMILIES))
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight(weight))
        if hasattr(font, "setFeature"):  # Qt 6.7
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def icon(self, name: str) -> QIcon:
        """A shipped line icon in this theme's ink: "close", "float", "up", "down", "right"."""
        return QIcon(str(resource(f"icons/{name}-{self.name}.svg")))

    def label(
        self, text: str = "", tone: str = "text", size: int = 12, weight: int = 400
    ) -> "PlainLabel":
        """A plain label in this theme's font and colour."""
        label = PlainLabel(text)
        label.setFont(self.font(size, weight))
        label.set_colour(self.qcolor(tone))
        return label

    def palette(self) -> QPalette:
        """The palette behind the style sheet, for what the sheet does not reach."""
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        palette = QPalette()
        for which, name in (
            (role.Window, "background"),
            (role.Base, "surface"),
            (role.Button, "raised"),
            (role.ToolTipBase, "raised"),
            (role.Text, "text"),
            (role.WindowText, "text"),
            (role.ButtonText, "text"),
            (role.ToolTipText, "text"),
            (role.PlaceholderText, "muted"),
            (role.Highlight, "accent"),
            (role.HighlightedText, "ink"),
            (role.Link, "accent"),
            (role.Light, "raised"),
            (role.Mid, "line"),
            (role.Dark, "line"),
        ):
            palette.setColor(which, self.qcolor(name))
        palette.setColor(role.AlternateBase, self.blend("text", 0.025))
        for which in (role.Text, role.WindowText, role.ButtonText):
            palette.setColor(group.Disabled, which, self.blend("muted", 0.7))
        return palette

    def style_sheet(self) -> str:
        """The style sheet of the whole application, from `desk.qss` and these colours."""
        words = {name: getattr(self, name) for name in _SHEET_COLOURS}
        words |= {
            "hover": self.blend("text", 0.07, "raised").name(),
            "pressed": self.blend("text", 0.14, "raised").name(),
            "action_hover": self.blend("text", 0.12, "action").name(),
            "action_pressed": self.blend("background", 0.2, "action").name(),
            "disabled": self.blend("muted", 0.6).name(),
            "alternate": self.blend("text", 0.025).name(),
            "selected": self.blend("accent", 0.22).name(),
            "handle": self.blend("muted", 0.45).name(),
            "warn_soft": self.blend("warn", 0.2).name(),
            "warn_line": self.blend("warn", 0.55).name(),
            "loss_soft": self.blend("loss", 0.24).name(),
            "loss_hover": self.blend("loss", 0.36).name(),
            "loss_line": self.blend("loss", 0.8).name(),
            "gain_soft": self.blend("gain", 0.2).name(),
            "gain_line": self.blend("gain", 0.55).name(),
            "spot_soft": self.blend("spot", 0.2).name(),
            "spot_line": self.blend("spot", 0.5).name(),
            "accent_soft": self.blend("accent", 0.18).name(),
            "size": self.px(12),
            "caption": self.px(11),
            "row": self.px(28),
            "menu_air": self.px(5),
            "arrow": self.px(11),
            "tick": self.px(14),
            "tick_round": (self.px(14) + 2) // 2,  # half of it with its border
        }
        for icon in ("up", "down", "right", "close", "float", "check"):
            words[f"icon_{icon}"] = resource(f"icons/{icon}-{self.name}.svg").as_posix()
        return Template(resource("desk.qss").read_text("utf-8")).substitute(words)

    def apply(self, app: QApplication) -> None:
        """Dress the whole application in this theme."""
        app.setStyle("Fusion")
        app.setFont(self.font())
        app.setPalette(self.palette())
        app.setStyleSheet(self.style_sheet())


DARK = Theme(
    name="dark",
    background="#0F1318",
    surface="#151A21",
    raised="#1B222B",
    line="#28303A",
    text="#E3E8EF",
    muted="#8792A2",
    accent="#4C9AFF",
    spot="#58B6E8",
    perp="#F2A33A",
    basis="#B794F6",
    gain="#2FB89A",
    loss="#F0616D",
    warn="#E8B23A",
    action="#1F5FC4",
    ink="#FFFFFF",
    tag_ink="#0F1318",
)
LIGHT = Theme(
    name="light",
    background="#F4F6F9",
    surface="#FFFFFF",
    raised="#EDF0F4",
    line="#D8DEE6",
    text="#1A212B",
    muted="#5A6675",
    accent="#1766D1",
    spot="#1B7FB8",
    perp="#B66A00",
    basis="#6D45C8",
    gain="#0B7F68",
    loss="#C22F3E",
    warn="#946200",
    action="#1766D1",
    ink="#FFFFFF",
    tag_ink="#FFFFFF",
)
CONTRAST = Theme(
    name="contrast",
    background="#000000",
    surface="#000000",
    raised="#1A1A1A",
    line="#8C96A3",
    text="#FFFFFF",
    muted="#D0D6DE",
    accent="#7FB8FF",
    spot="#7FD0FF",
    perp="#FFB955",
    basis="#D3BBFF",
    gain="#4FE0BC",
    loss="#FF9AA2",
    warn="#FFD15C",
    action="#FFFFFF",
    ink="#000000",
    tag_ink="#000000",
)
_THEMES = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}
# Blue for gain, orange for loss; on a white page darker, so that text keeps 4.5:1.
_COLOUR_BLIND = {
    "dark": ("#4C9AFF", "#F2A33A"),
    "light": ("#1766D1", "#A85F00"),
    "contrast": ("#7FB8FF", "#FFB955"),
}


def theme_for(ui: Ui) -> Theme:
    """The theme a user's settings ask for, with the colour-blind pair and the font scale."""
    theme = replace(_THEMES[ui.theme], font_scale=ui.font_scale, reduced_motion=ui.reduced_motion)
    if ui.colour_blind:
        gain, loss = _COLOUR_BLIND[ui.theme]
        theme = replace(theme, gain=gain, loss=loss)
    return theme


def contrast(one: QColor, other: QColor) -> float:
    """Contrast of two colours as WCAG 2 defines it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: QColor) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def safe(text: str) -> str:
    """A text for a place that reads markup (a tooltip), so that it shows these very characters."""
    return f"<qt>{html.escape(text).replace(chr(10), '<br>')}</qt>" if text else ""


def set_tip(widget: QWidget, text: str) -> None:
    """Give a widget a tooltip that is text and nothing else: Qt would read markup in it."""
    tip = safe(text)
    if widget.toolTip() != tip:
        widget.setToolTip(tip)


class PlainLabel(QLabel):
    """A label that shows exactly the characters it was given. Markup in them stays characters.

    elide: cut a long text with an ellipsis instead of asking for room. For names only, never for
    a figure; the whole text is then in the tooltip. where: the end of a path says most, its middle
    least.
    """

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        elide: bool = False,
        where: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setOpenExternalLinks(False)
        self._elide = elide
        self._where = where
        self._colour: QColor | None = None
        self.setText(text)

    def set_colour(self, colour: QColor) -> None:
        """Show the text in this colour. Does nothing when it is that colour already."""
        if self._colour == colour:
            return
        self._colour = QColor(colour)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self.setPalette(palette)

    # Qt

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        # Without text to copy: what is pointed at explains itself, where it can.
        selects = self.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
        if selects or not offer_tip(self, event):
            super().contextMenuEvent(event)

    def setText(self, text: str) -> None:  # noqa: D102
        super().setText(text)
        if self._elide:
            set_tip(self, text)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        hint = super().minimumSizeHint()
        if self._elide:
            hint.setWidth(min(hint.width(), ELIDED_PX_MIN))
        return hint

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        if not self._elide or self.sizeHint().width() <= self.width():
            super().paintEvent(event)
            return
        room = self.contentsRect()
        text = QFontMetrics(self.font()).elidedText(self.text(), self._where, room.width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(room, int(self.alignment() | Qt.TextFlag.TextSingleLine), text)
        painter.end()
