"""One timer, one refresh a beat, hidden panels wait."""

import pytest

from basisdesk.clock import mono_s
from basisdesk.events import Changed
from basisdesk.ui.pulse import Panel, Pulse


class CountingPanel(Panel):
    cares_about = Changed.BASIS

    def __init__(self, busy_s: float = 0.0) -> None:
        super().__init__()
        self.refreshed = 0
        self._busy_s = busy_s

    def refresh(self) -> None:
        self.refreshed += 1
        until = mono_s() + self._busy_s
        while mono_s() < until:
            pass


@pytest.fixture
def panel(qtbot):
    panel = CountingPanel()
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def pulse(panel):
    pulse = Pulse([panel], interval_ms=10_000, parent=panel)  # tests call beat() by hand
    yield pulse
    pulse.stop()


def test_a_burst_of_messages_repaints_once_and_only_while_visible(panel, pulse):
    for _ in range(10_000):
        pulse.mark(Changed.BASIS)
    pulse.beat()
    assert panel.refreshed == 0  # never shown
    panel.show()
    pulse.beat()
    pulse.beat()
    assert panel.refreshed == 1


def test_a_panel_hears_only_of_what_it_cares_about(panel, pulse):
    panel.show()
    pulse.beat()
    pulse.mark(Changed.LEDGER | Changed.LOG)
    pulse.beat()
    assert panel.refreshed == 1
    pulse.mark(Changed.LEDGER | Changed.BASIS)
    pulse.beat()
    assert panel.refreshed == 2


def test_a_panel_that_comes_back_catches_up(panel, pulse):
    panel.show()
    pulse.beat()
    panel.hide()
    pulse.mark(Changed.BASIS)
    pulse.beat()
    assert panel.refreshed == 1
    panel.show()
    pulse.beat()
    assert panel.refreshed == 2


def test_everything_is_stale_after_a_jump(panel, pulse):
    panel.show()
    pulse.beat()
    pulse.mark_all()
    pulse.beat()
    assert panel.refreshed == 2


def test_a_removed_panel_is_left_alone(panel, pulse):
    panel.show()
    pulse.remove(panel)
    pulse.mark(Changed.BASIS)
    pulse.beat()
    assert panel.refreshed == 0


def test_the_longest_refresh_is_measured(qtbot):
    slow = CountingPanel(busy_s=0.02)
    qtbot.addWidget(slow)
    pulse = Pulse([slow], 10_000, parent=slow)
    slow.show()
    pulse.beat()
    assert pulse.slowest_ms >= 20.0
    assert pulse.worst_ms == {"CountingPanel": pulse.slowest_ms}
    pulse.forget_worst()
    assert pulse.slowest_ms == 0.0


def test_the_timer_beats_by_itself_and_runs_what_comes_before(qtbot):
    panel, before = CountingPanel(), []
    qtbot.addWidget(panel)
    pulse = Pulse([panel], 20, parent=panel, before=lambda: before.append(panel.refreshed))
    panel.show()
    qtbot.waitUntil(lambda: panel.refreshed == 1, timeout=2000)
    assert before[0] == 0
    pulse.stop()
    pulse.set_interval(-5)  # a negative interval would be a busy loop
    pulse.start()
    pulse.stop()


def test_busy_panels_share_a_beat_over_several_turns_of_the_loop(qtbot):
    panels = [CountingPanel(busy_s=0.01) for _ in range(3)]
    for panel in panels:
        qtbot.addWidget(panel)
        panel.show()
    pulse = Pulse(panels, interval_ms=10_000, parent=panels[0])
    pulse._on_beat()
    assert [panel.refreshed for panel in panels] == [1, 0, 0]  # the rest after the loop's turn
    qtbot.waitUntil(lambda: all(panel.refreshed == 1 for panel in panels))
    pulse.stop()


def test_what_is_urgent_does_not_wait_for_the_beat(qtbot):
    calm, urgent = CountingPanel(), CountingPanel()
    urgent.urgent = Changed.BASIS
    for panel in (calm, urgent):
        qtbot.addWidget(panel)
        panel.show()
    pulse = Pulse([calm, urgent], interval_ms=10_000, parent=calm)
    pulse.beat()
    pulse.mark(Changed.BASIS)
    qtbot.waitUntil(lambda: urgent.refreshed == 2)
    assert calm.refreshed == 1
    pulse.stop()
