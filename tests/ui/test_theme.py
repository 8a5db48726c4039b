"""Colours by meaning, and text that stays text."""

import dataclasses
import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QWidget

from basisdesk.config import Ui
from basisdesk.ui.resources import resource
from basisdesk.ui.theme import (
    CONTRAST,
    DARK,
    LIGHT,
    PlainLabel,
    contrast,
    safe,
    set_tip,
    theme_for,
)

THEMES = [
    theme_for(Ui(theme=name, colour_blind=blind))
    for name, blind in itertools.product(("dark", "light", "contrast"), (False, True))
]


def test_the_tokens_are_those_of_the_design():
    assert (DARK.background, DARK.surface, DARK.muted) == ("#0F1318", "#151A21", "#8792A2")
    assert (LIGHT.gain, LIGHT.loss, LIGHT.warn) == ("#0B7F68", "#C22F3E", "#946200")
    assert theme_for(Ui(colour_blind=True)).gain == "#4C9AFF"
    assert theme_for(Ui(colour_blind=True)).loss == "#F2A33A"


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: f"{t.name}-{t.gain}")
def test_text_can_be_read_on_its_surface(theme):
    least = 7.0 if theme.name == "contrast" else 4.5
    surface = theme.qcolor("surface")
    for name in ("text", "muted", "gain", "loss", "warn", "accent", "stale"):
        assert contrast(theme.qcolor(name), surface) >= least, name
    assert contrast(QColor(theme.ink), QColor(theme.action)) >= 4.5
    for curve in ("spot", "perp", "basis", "close", "warn"):
        assert contrast(theme.ink_on(curve), theme.qcolor(curve)) >= 4.0, curve


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: f"{t.name}-{t.gain}")
def test_every_word_of_the_style_sheet_has_a_colour(theme):
    sheet = theme.style_sheet()
    assert "$" not in sheet
    assert theme.surface in sheet


def test_the_style_sheet_is_valid_and_reaches_widgets(qtbot, qapp):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.setStyleSheet(DARK.style_sheet())  # Qt warns, and the test fails, if it cannot parse
    widget.show()


def test_a_missing_resource_says_so():
    assert resource("desk.qss").is_file()
    with pytest.raises(FileNotFoundError, match="Install basisdesk again"):
        resource("no/such.svg")


def test_fonts_are_scaled_and_their_figures_have_one_width(qapp):
    font = theme_for(Ui(font_scale=1.5)).font(12, 600)
    assert font.pixelSize() == 18
    assert font.weight() == QFont.Weight.DemiBold
    assert font.families()[0] == "Inter"
    assert [bytes(tag.toString().data()).decode() for tag in font.featureTags()] == ["tnum"]


def test_colours_mix_and_fade():
    assert DARK.blend("text", 0.0).name() == DARK.surface.lower()
    assert DARK.blend("text", 1.0).name() == DARK.text.lower()
    assert DARK.qcolor("text", 0.5).alpha() == 128
    assert [DARK.gain_or_loss(v) for v in (1.0, -1.0, 0.0, float("nan"))] == [
        "gain", "loss", "text", "text",
    ]  # fmt: skip
    assert dataclasses.is_dataclass(CONTRAST)


HOSTILE = '<img src="file:///etc/passwd"><table><table>' * 40


def test_a_label_shows_markup_as_characters(qtbot):
    label = PlainLabel(HOSTILE)
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == HOSTILE
    assert label.sizeHint().width() > 2000  # laid out as one long line of characters


def test_a_tooltip_shows_markup_as_characters(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    set_tip(widget, "<b>x</b>\ny")
    assert widget.toolTip() == "<qt>&lt;b&gt;x&lt;/b&gt;<br>y</qt>"
    assert safe("") == ""


def test_only_a_label_for_names_may_be_cut(qtbot):
    figure, name = PlainLabel("0.36398 / 0.36402"), PlainLabel("long " * 40, elide=True)
    for label in (figure, name):
        qtbot.addWidget(label)
    assert figure.minimumSizeHint().width() == figure.sizeHint().width()
    assert name.minimumSizeHint().width() < 40
    name.resize(80, 20)
    name.show()
    name.grab()
    assert "long long" in name.toolTip()


def test_a_label_takes_a_colour_by_its_palette(qtbot):
    label = DARK.label("x", "gain", 14, 600)
    qtbot.addWidget(label)
    assert label.palette().windowText().color() == DARK.qcolor("gain")
    label.set_colour(DARK.qcolor("loss"))
    assert label.palette().windowText().color() == DARK.qcolor("loss")


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_what_the_style_sheet_does_not_reach_is_readable_too(name):
    palette = theme_for(Ui(theme=name)).palette()
    role = QPalette.ColorRole
    for ink, field in (
        (role.Text, role.Base),
        (role.WindowText, role.Window),
        (role.ButtonText, role.Button),
        (role.ToolTipText, role.ToolTipBase),
    ):
        assert contrast(palette.color(ink), palette.color(field)) >= 4.5
