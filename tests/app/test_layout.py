"""The layout file: whatever stands in it, the window comes up."""

import os
import random

import pytest

from basisdesk.app.layout import LAYOUT_BYTES_MAX, load_layout, save_layout

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
