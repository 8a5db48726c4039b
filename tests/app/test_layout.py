"""The layout file: whatever stands in it, the window comes up."""

import os
import random

import pytest
from PySide6.QtCore import QObject

from basisdesk.app.layout import (
    CHARTS,
    LAYOUT_BYTES_MAX,
    load_layout,
    restore_window,
    save_layout,
    save_window,
)
from basisdesk.ui.workspace_rows import ChartState

STATE = bytes(range(256)) * 3


def test_a_layout_comes_back_and_replaces_the_old_one_in_one_step(tmp_path):
    path = tmp_path / "layout.json"
    save_layout(path, b"old")
    save_layout(path, STATE)
    assert load_layout(path) == STATE
    assert [p.name for p in tmp_path.iterdir()] == ["layout.json"]


def test_a_layout_file_cut_anywhere_is_the_default_layout(tmp_path):
    path = tmp_path / "layout.json"
    save_layout(path, STATE)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert load_layout(path) == b""


def test_random_bytes_are_the_default_layout(tmp_path):
    path = tmp_path / "layout.json"
    rng = random.Random(50)
    for _ in range(300):
        path.write_bytes(rng.randbytes(rng.randrange(200)))
        assert load_layout(path) == b""


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 99, "state": "AAAA"}',
        '{"version": 1, "state": "not base64!"}',
        '{"version": 1, "state": 7}',
        '{"version": 1}',
        "[]",
        " " * (LAYOUT_BYTES_MAX + 1),
    ],
)
def test_a_layout_of_another_kind_is_the_default_layout(tmp_path, text):
    path = tmp_path / "layout.json"
    path.write_text(text)
    assert load_layout(path) == b""


def test_no_file_and_a_folder_in_its_place_are_the_default_layout(tmp_path):
    assert load_layout(tmp_path / "layout.json") == b""
    os.mkdir(tmp_path / "folder.json")
    assert load_layout(tmp_path / "folder.json") == b""


class Desk(QObject):
    """A window that has a layout and chart windows, and nothing else."""

    scan = None

    def __init__(self, charts=()):
        super().__init__()
        self.chart_windows = self
        self.charts = charts
        self.restored = []

    def save_layout(self):
        return STATE

    def restore_layout(self, saved):
        self.restored.append(saved)

    def states(self):
        return self.charts

    def put(self, charts):
        self.charts = charts


def test_chart_windows_come_back_once_the_desk_stands(qtbot, tmp_path):
    save_window(tmp_path, Desk())
    assert not (tmp_path / CHARTS).exists()
    charts = (ChartState(("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"), False, "6h", b"place"),)
    save_window(tmp_path, Desk(charts))
    desk = Desk()
    restore_window(tmp_path, desk)
    assert (desk.restored, desk.charts) == ([STATE], ())
    qtbot.waitUntil(lambda: desk.charts == charts, timeout=1000)
    save_window(tmp_path, Desk())
    (tmp_path / CHARTS).write_bytes((tmp_path / CHARTS).read_bytes()[:-5])
    restore_window(tmp_path, desk)
    assert desk.restored == [STATE, STATE]
