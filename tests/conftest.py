"""What all tests share: no screen, no network, the real captures where they are at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def bybit_capture() -> Path:
    """The folder of the real Bybit capture; the test is skipped where it is not at hand."""
    folder = SHARED / "captures" / "bybit_v5_20260809"
    if not folder.is_dir():
        pytest.skip("the real Bybit capture (../shared/data) is not on this machine")
    return folder


@pytest.fixture(autouse=True)
def no_window_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test left on the screen: it would catch the pointer of the next one."""
    yield
    if request.node.get_closest_marker("gui") is not None:
        from PySide6.QtWidgets import QApplication

        for window in QApplication.topLevelWidgets():
            if window.isVisible():
                window.close()


# Files that take longest, the longest first: begun last they would keep one worker alone.
LONGEST = (
    "test_kill.py",
    "test_forecast_study.py",
    "test_session.py",
    "test_faults_desk.py",
    "test_soak.py",
    "test_replaying.py",
    "test_golden_time.py",
    "test_golden_tapes.py",
    "test_capture_binance_trade.py",
    "test_crash.py",
    "test_scanning.py",
    "test_captures.py",
    "test_league.py",
    "test_sweep_workers.py",
    "test_forecasting.py",
    "test_faults_process.py",
    "test_playbook_golden.py",
    "test_playbook_scenarios.py",
)


@pytest.hookimpl(trylast=True)  # behind the plugin that shuffles
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use a QApplication; put the longest files first, else keep the order."""
    for item in items:
        if {"qtbot", "qapp"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("gui")
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))
