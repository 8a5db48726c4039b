"""Where the command palette's entries come from: the menus, the chart, pairs, the lab's studies."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMenu, QMenuBar

from basisdesk.ui.basis_panel import RANGES, BasisPanel
from basisdesk.ui.context import Context
from basisdesk.ui.lab_view import LabView
from basisdesk.ui.palette_rows import PaletteEntry, Sources
from basisdesk.ui.picker_rows import PairIndex

if TYPE_CHECKING:
    from basisdesk.ui.lab_window import LabWindow

PAIRS_MAX = 20
DEPTH_MAX = 5  # of menus inside menus
PALETTE = "Command palette\u2026"
INSIDE = " \u203a "  # a menu in a menu
TRADE, HALT = "Trade", "Halt"  # all else in this menu opens or closes positions


def menu_entries(bar: QMenuBar) -> list[PaletteEntry]:
    """Every action of the menus, in their order; one that is off only where it says why.

    What stands in a menu itself comes before what stands in menus inside: faults to practise, each
    on each connection, are hundreds. Those of one name in several menus have their menu's in
    front: "Practise Binance spot: Close".
    """
    found: list[tuple[int, PaletteEntry]] = []
    for top in bar.actions():
        menu = _menu_of(top)
        if menu is not None:
            found += _entries(menu, _plain(top.text()), 0)
    return _told_apart([entry for _, entry in sorted(found, key=itemgetter(0))])


def _told_apart(entries: list[PaletteEntry]) -> list[PaletteEntry]:
    names = Counter(entry.text for entry in entries)
    told = []
    for entry in entries:
        if names[entry.text] > 1:
            front = f"{entry.group.replace(INSIDE, ' ')}: "
            told.append(replace(entry, text=front + entry.text, front=len(front)))
        else:
            told.append(entry)
    return told


def _entries(menu: QMenu, group: str, depth: int) -> Iterator[tuple[int, PaletteEntry]]:
    menu.aboutToShow.emit()  # what is in it, or can be done, may have changed since it was opened
    for action in menu.actions():
        inner = _menu_of(action)
        text = _plain(action.text())
        if inner is not None:
            if depth < DEPTH_MAX and inner.menuAction().isEnabled():
                yield from _entries(inner, f"{group}{INSIDE}{text}", depth + 1)
        elif action.isVisible() and not action.isSeparator() and text and text != PALETTE:
            why = "" if action.isEnabled() else action.statusTip()
            if action.isEnabled() or why:
                trades = group == TRADE and text != HALT
                yield depth, PaletteEntry(_named(action, text), group, action.trigger,
                                   _keys(action), why, trades)  # fmt: skip


def _menu_of(action: QAction) -> QMenu | None:
    menu = action.menu()
    return menu if isinstance(menu, QMenu) else None


def _plain(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def _named(action: QAction, text: str) -> str:
    # alone, "Funding" does not say that this opens or closes a panel
    if isinstance(action.parent(), QDockWidget):
        return f"{'Close' if action.isChecked() else 'Show'} panel {text}"
    return text


def _keys(action: QAction) -> str:
    keys = action.shortcuts()
    return keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""


def chart_entries(charts: BasisPanel) -> tuple[PaletteEntry, ...]:
    """What the chart's own keys and buttons do."""
    ranges = tuple(
        PaletteEntry("Show all rows held" if name == "All" else f"Show the last {name}", "Chart",
                     partial(charts.show_range, name))
        for name, _ in RANGES
    )  # fmt: skip
    return (
        PaletteEntry("Follow the newest point, or pause", "Chart", charts.toggle_follow, "F"),
        PaletteEntry("Zoom in", "Chart", partial(charts.zoom, 0.8), "+"),
        PaletteEntry("Zoom out", "Chart", partial(charts.zoom, 1.25), "\u2212"),
        PaletteEntry("Reset zoom", "Chart", charts.reset_zoom, "Home"),
        *ranges,
    )


class PairSource:
    """The pairs of the picker that fit what is typed. Nothing is listed before that."""

    def __init__(self, context: Context, show: Callable[[object], None]) -> None:
        self._context = context
        self._show = show
        self._index = PairIndex({})
        self._count = 0

    def __call__(self, typed: str) -> Iterable[PaletteEntry]:
        """At most PAIRS_MAX pairs, best first."""
        instruments = self._context.engine.market.instruments
        if len(instruments) != self._count:  # thousands: indexed once per list, not per key
            self._index, self._count = PairIndex(instruments), len(instruments)
        if not typed.strip():
            return ()
        return tuple(
            PaletteEntry(
                f"{row.coin}  {row.first_name} / {row.second_name}",
                f"Pair \u203a {row.kind}",
                partial(self._show, row.key),
            )
            for row in self._index.search(typed, PAIRS_MAX)
        )


def study_entries(
    view: LabView | None, open_lab: Callable[[], "LabWindow | None"]
) -> tuple[PaletteEntry, ...]:
    """A new run of each study of the lab."""
    if view is None:
        return ()
    return tuple(
        PaletteEntry(f"Study {study}", "Lab", partial(_set_up, open_lab, study))
        for study in sorted(view.studies)
    )


def _set_up(open_lab: Callable[[], "LabWindow | None"], study: str) -> None:
    lab = open_lab()
    if lab is not None:
        lab.finish()
        lab.tabs.setCurrentWidget(lab.runs)
        lab.runs.setup.choose(study)
        lab.runs.show_setup()


def sources(
    context: Context,
    bar: QMenuBar,
    charts: BasisPanel,
    show_pair: Callable[[object], None],
    open_lab: Callable[[], "LabWindow | None"],
) -> Sources:
    """All sources of a desk's palette, in the order in which equals are listed."""
    lists = (
        lambda: menu_entries(bar),
        lambda: chart_entries(charts),
        lambda: study_entries(context.lab, open_lab),
    )
    return Sources(lists, (PairSource(context, show_pair),))
