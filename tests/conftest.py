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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use a QApplication are marked by themselves."""
    for item in items:
        if {"qtbot", "qapp"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("gui")
