"""What can be practised: drills of execution, faults of the exchange, and switching both off."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from ui_rig import PERP, SPOT, THEME, Rig

from basisdesk.events import Drill, ExitPlan, OpenPair
from basisdesk.ui.accounts_menu import AccountsMenu
from basisdesk.ui.context import PracticeFault
from basisdesk.ui.practice_menu import PracticeMenu, one_legged

D = Decimal
FAULTS = (
    PracticeFault("disconnect", "Every socket is cut."),
    PracticeFault("gap", "A message is lost.", ("bybit.linear",)),
)


@pytest.fixture
def rig():
    rig = Rig().begin()
    rig.deaf = True
    rig.context.faults = FAULTS
    rig.context.conns = ("bybit.spot", "bybit.linear")
    return rig


@pytest.fixture
def menu(qtbot, rig):
    menu = PracticeMenu(rig.context)
    qtbot.addWidget(menu)
    return menu


def leaf(menu, *names):
    """The action under these texts."""
    for name in names[:-1]:
        menu = next(a.menu() for a in menu.actions() if a.menu() and a.text() == name)
    return next(a for a in menu.actions() if a.text() == names[-1])


@pytest.mark.parametrize(
    ("text", "drill"),
    [
        ("The short leg is rejected", Drill("reject", "short")),
        ("The long leg is rejected", Drill("reject", "long")),
        ("The short leg fills half", Drill("half", "short")),
        ("The long leg fills half", Drill("half", "long")),
        ("The short leg comes 5 s late", Drill("late", "short", seconds=D(5))),
        ("The long leg comes 5 s late", Drill("late", "long", seconds=D(5))),
        ("Nothing goes wrong", Drill("off")),
    ],
)
def test_each_drill_of_the_next_order_is_a_command(rig, menu, text, drill):
    leaf(menu, "With the next order", text).trigger()
    assert [replace(c, t_ns=0) for c in rig.orders(Drill)] == [drill]


def test_adl_names_the_open_pairs_of_the_moment(rig, menu):
    menu.fill_adl()
    (nothing,) = menu.adl.actions()
    assert not nothing.isEnabled()
    rig.deaf = False
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), ExitPlan(D(3), D(150), D(72))))
    rig.deaf = True
    menu.fill_adl()
    (action,) = menu.adl.actions()
    assert action.text().startswith("ADA #1")
    action.trigger()
    assert rig.orders(Drill) == [Drill("adl", pair=1)]


def test_faults_of_the_exchange_are_still_there(rig, menu):
    leaf(menu, "Bybit linear", "Gap").trigger()
    leaf(menu, "A fault lasts", "2 minutes").trigger()
    leaf(menu, "Everywhere", "Disconnect").trigger()
    assert rig.practised == [("gap", "bybit.linear", 30.0), ("disconnect", "*", 120.0)]
    assert [a.text() for a in leaf(menu, "Bybit spot", "Disconnect").parent().actions()]


def test_one_click_takes_the_venue_away_while_one_leg_stands_alone(rig, menu, monkeypatch):
    leaf(menu, "Venue down with one leg open").trigger()
    (late,) = rig.orders(Drill)
    assert (late.kind, late.leg) == ("late", "short")
    menu.venue_down.look()
    assert rig.practised == []  # nothing has filled yet
    assert menu.venue_down.armed
    half = SimpleNamespace(
        pair=1,
        long=SimpleNamespace(qty=D(1000), instrument=SPOT),
        short=SimpleNamespace(entry_qty=D(0), instrument=PERP),
    )
    monkeypatch.setattr(type(rig.engine.desk), "pairs", {1: half})
    menu.venue_down.look()
    assert rig.practised == [("disconnect", "bybit.linear", 30.0)]
    assert not menu.venue_down.armed


def test_pairs_of_before_and_whole_pairs_are_not_one_legged():
    def pair(number, long, short):
        return SimpleNamespace(
            pair=number,
            long=SimpleNamespace(qty=D(long), instrument=SPOT),
            short=SimpleNamespace(entry_qty=D(short), instrument=PERP),
        )

    def engine(*pairs):
        return SimpleNamespace(desk=SimpleNamespace(pairs={p.pair: p for p in pairs}))

    assert one_legged(engine(pair(3, 5, 0)), 3) == ""
    assert one_legged(engine(pair(4, 5, 5)), 3) == ""
    assert one_legged(engine(pair(4, 0, 0)), 3) == ""
    assert one_legged(engine(pair(3, 5, 0), pair(4, 5, 0)), 3) == PERP


def test_everything_can_be_switched_off(rig, menu):
    leaf(menu, "Venue down with one leg open").trigger()
    leaf(menu, "Stop all practice").trigger()
    assert rig.practised == ["stop"]
    assert not menu.venue_down.armed
    leaf(menu, "Venue down with one leg open").trigger()
    leaf(menu, "With the next order", "Nothing goes wrong").trigger()
    assert not menu.venue_down.armed


# --- accounts -------------------------------------------------------------------------------------


class Asked:
    """The actions of the rig, and what is asked of accounts."""

    def __init__(self, rig):
        self.rig = rig
        self.switched = []
        self.resets = 0

    def submit(self, command):
        self.rig.submit(command)

    def switch_account(self, name):
        self.switched.append(name)

    def reset_account(self):
        self.resets += 1


@pytest.fixture
def accounts(qtbot, rig):
    from PySide6.QtWidgets import QWidget

    owner = QWidget()
    qtbot.addWidget(owner)
    rig.context.accounts = ("main", "scalps")
    rig.context.actions = Asked(rig)
    menu = AccountsMenu(rig.context, THEME, owner)
    return menu, rig.context.actions


def test_the_account_that_trades_is_ticked_and_the_others_are_a_click_away(accounts):
    menu, actions = accounts
    assert leaf(menu, "main").isChecked()
    leaf(menu, "Switch to scalps").trigger()
    assert actions.switched == ["scalps"]


@pytest.mark.parametrize("name", ["main", "SCALPS", "a b", "../x", ".", "\u00e9"])
def test_a_name_that_is_taken_or_cannot_be_is_told_while_it_is_typed(accounts, name):
    menu, actions = accounts
    dialog = menu.ask_new()
    dialog.name.setText(name)
    assert dialog.problem.text()
    assert not dialog.act.isEnabled()
    dialog.close()
    assert actions.switched == []


def test_a_new_account_is_opened_by_its_name(accounts):
    menu, actions = accounts
    dialog = menu.ask_new()
    dialog.name.setText("Five-x")
    assert dialog.problem.text() == ""
    dialog.act.click()
    assert actions.switched == ["Five-x"]


def test_a_reset_says_what_becomes_of_what_is_held_and_asks(rig, accounts):
    menu, actions = accounts
    dialog = menu.ask_reset()
    (said,) = [label.text() for label in dialog.findChildren(type(dialog.wrapped("")))]
    assert "10,000.00 USDT" in said
    assert "nothing is deleted" in said
    dialog.cancel.click()
    assert actions.resets == 0
    menu.ask_reset().act.click()
    assert actions.resets == 1
