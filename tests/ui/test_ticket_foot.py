"""What always stands over the ticket's button, and the scrolled part that is never cut mid-line."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget
from ui_rig import THEME, Rig

from basisdesk.ui.ticket_foot import whole_edge
from basisdesk.ui.ticket_lines import SheetLine, empty_lines, foot_lines
from basisdesk.ui.ticket_panel import TicketPanel


@pytest.fixture
def ticket(qtbot):
    panel = TicketPanel(Rig().begin().context, THEME)
    panel.setStyleSheet(THEME.style_sheet())
    panel.setFont(THEME.font())
    qtbot.addWidget(panel)
    panel.recompute()
    panel.resize(336, 452)  # its dock in a window of 1280 x 800
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_fees_loss_liquidation_and_free_cash_stand_over_the_button(ticket):
    form = ticket.form
    said = form.foot.accessibleDescription()
    for name in ("Fees ", "At stop \u2212", "Liq. ", "Free after "):
        assert name in said
    assert form.foot.mapTo(form, QPoint()).y() < form.open_button.mapTo(form, QPoint()).y()
    assert form.foot.geometry().bottom() < form.height()
    for name, value in form.foot.cells:
        for label in (name, value):
            assert label.width() >= label.sizeHint().width()


def test_no_line_is_struck_through_at_any_place(ticket):
    area = ticket.form.area
    bar = area.verticalScrollBar()
    for place in range(0, bar.maximum() + 1, 7):
        bar.setValue(place)
        edge = place + area.viewport().height()
        if not area.curtain.isHidden():
            edge -= area.curtain.height()
        body = area.widget()
        for part in body.findChildren(QWidget):
            if part.isVisibleTo(body) and part.layout() is None:
                top = part.mapTo(body, QPoint()).y()
                assert not top < edge < top + part.height()


def test_unfolded_the_policy_is_in_sight(qtbot, ticket):
    form = ticket.form
    form.execution.unfold(True)
    policy = form.execution.policy
    view = form.area.viewport()
    qtbot.waitUntil(lambda: view.rect().contains(policy.mapTo(view, policy.rect().bottomLeft())))
    assert view.rect().contains(form.execution.fold.mapTo(view, QPoint()))


def test_an_edge_moves_up_to_the_first_line_it_does_not_cut():
    assert whole_edge([(0, 20), (22, 40)], 30) == 22
    assert whole_edge([(0, 20), (22, 40)], 21) == 21
    assert whole_edge([(0, 20), (15, 40)], 30) == 0


def test_of_two_liquidations_the_nearer_one_stands_there():
    lines = empty_lines()
    (_, _), (liq, _) = foot_lines(lines)
    assert liq.value == "\u2013"
    lines[9] = SheetLine("Liquidation of the short", "0.55", "+48.9 %")
    lines[10] = SheetLine("Liquidation of the long", "0.21", "\u221231.0 %")
    (_, _), (liq, _) = foot_lines(lines)
    assert liq.value == "0.21"


def test_leverage_out_of_bounds_is_named_with_asked_and_allowed(qtbot, ticket):
    ticket.form.leverage.edit.selectAll()
    qtbot.keyClicks(ticket.form.leverage.edit, "6")
    assert "Leverage 6 is outside 1 to 5." in ticket.form.verdict.text()
