"""What goes into the bundle and what tells of it: trimming, bill of materials, notices, icons."""

import importlib
import json
import os
import struct
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from basisdesk import __version__
from basisdesk.app import notices, own_program
from basisdesk.errors import extra_from

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"


@pytest.fixture
def script(monkeypatch):
    """Imports a script of packaging/ by name."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    return importlib.import_module


# --- trimming -------------------------------------------------------------------------------------


def test_only_plugins_that_the_desk_can_use_are_kept(script):
    trim = script("trim")
    kept = {
        "PySide6/Qt/plugins/platforms/libqxcb.so": True,
        "PySide6\\plugins\\platforms\\qwindows.dll": True,
        "PySide6/Qt/plugins/iconengines/libqsvgicon.so": True,
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so": False,
        "PySide6/Qt/plugins/tls/libqopensslbackend.so": False,
        "libpython3.11.so.1.0": True,
    }
    assert {place: trim.wanted_plugin(place) for place in kept} == kept


def test_a_library_goes_with_the_plugin_that_brought_it(script, monkeypatch):
    trim = script("trim")
    plugin = "PySide6/Qt/plugins/platformthemes/libqgtk3.so"
    needs = {"/q/xcb": [("libX.so", "/q/libX.so")], "/q/gtk3": [("libgtk.so", "/q/libgtk.so")]}
    fake = SimpleNamespace(get_imports=lambda path: needs.get(path, []))
    monkeypatch.setitem(sys.modules, "PyInstaller", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "PyInstaller.depend", SimpleNamespace(bindepend=fake))
    monkeypatch.setitem(sys.modules, "PyInstaller.depend.bindepend", fake)
    rows = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/q/xcb", "BINARY"),
        (plugin, "/q/gtk3", "BINARY"),
        ("libX.so", "/q/libX.so", "BINARY"),
        ("libgtk.so", "/q/libgtk.so", "BINARY"),
        ("_ssl.so", "/q/_ssl.so", "EXTENSION"),
    ]
    left = trim.reachable(rows)
    assert [row[0] for row in left] == [rows[0][0], "libX.so", "_ssl.so"]
    links = [("libgtk.so.0", "libgtk.so", "SYMLINK"), ("libX.so.6", "libX.so", "SYMLINK")]
    assert trim.wanted_data(links, left) == links[1:]


def test_the_spec_keeps_assertions_and_says_what_nobody_tried():
    spec = (PACKAGING / "basisdesk.spec").read_text()
    compile(spec, "basisdesk.spec", "exec")
    assert "optimize=" not in spec
    assert "UNTESTED" in spec
    assert "UNTESTED" in (PACKAGING / "basisdesk.iss").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="the build scripts are of Linux")
def test_the_build_scripts_are_bash():
    scripts = sorted(map(str, PACKAGING.glob("*.sh")))
    assert len(scripts) >= 7
    for each in scripts:
        assert subprocess.run(["bash", "-n", each], check=False).returncode == 0


# --- the bundle's own interpreter -----------------------------------------------------------------


def test_a_bundle_runs_modules_of_ours_and_no_others(monkeypatch):
    ran = []
    monkeypatch.setattr(own_program.runpy, "run_module", lambda name, **_: ran.append(name))
    monkeypatch.setattr(sys, "argv", ["basisdesk", "-m", "basisdesk.app.first_chart", "folder"])
    assert not own_program.ran_own_module(["-m", "os"])
    assert not own_program.ran_own_module(["-m", "basisdesk_else.module"])
    assert not own_program.ran_own_module(["--demo"])
    assert not own_program.ran_own_module(["-m"])
    assert own_program.ran_own_module(sys.argv[1:])
    assert ran == ["basisdesk.app.first_chart"]
    assert sys.argv == ["basisdesk", "folder"]


def test_what_a_bundle_opens_does_not_load_its_libraries(monkeypatch):
    spec = spec_from_file_location("frozen", PACKAGING / "frozen.py")
    frozen = module_from_spec(spec)
    spec.loader.exec_module(frozen)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/bundle/_internal")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/mine")
    frozen._give_back_library_path()
    assert os.environ["LD_LIBRARY_PATH"] == "/opt/mine"
    frozen._give_back_library_path()
    assert "LD_LIBRARY_PATH" not in os.environ


def test_where_there_is_no_pip_the_wheel_is_named(monkeypatch):
    assert extra_from("lab") == "pip install basisdesk[lab]"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert f'pipx install "./basisdesk-{__version__}-py3-none-any.whl[lab]"' in extra_from("lab")


# --- notices and bill -----------------------------------------------------------------------------


def test_the_notices_are_of_the_program_and_not_of_its_tools():
    found = notices.licence_notices()
    names = [each.name.lower().replace("_", "-") for each in found]
    assert names[:2] == ["basisdesk", "python"]
    assert {"numpy", "pyside6-essentials", "h11", "pyqtgraph"} <= set(names)
    assert not {"pytest", "ruff", "mypy"} & set(names)
    assert all(each.version and each.licence and each.text for each in found)
    qt = found[names.index("pyside6-essentials")]
    assert "LGPL-3.0" in qt.licence
    assert "replace them" in qt.text


def test_a_bundle_shows_the_notices_it_was_built_with(monkeypatch, tmp_path):
    made = [notices.Notice("Qt", "6", "LGPL", "text")]
    path = tmp_path / notices.BUNDLED
    path.write_bytes(msgspec.json.encode(made))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(notices, "resource", lambda _: path)
    assert notices.licence_notices() == made
    path.write_text("[[1]]")
    assert notices.licence_notices()[0].name == "basisdesk"
    monkeypatch.setattr(notices, "FILE_BYTES_MAX", 2)
    with pytest.raises(OSError, match="too large"):
        notices.read_notices(path)


def test_the_bill_names_each_part_with_its_wheels_hash_and_is_the_same_twice(script):
    sbom, part = script("sbom"), script("inventory").Part
    rows = [
        part(notices.Notice("basisdesk", "1.0", "MIT", ""), "pkg:pypi/basisdesk@1.0"),
        part(notices.Notice("a", "2", "MIT OR Apache-2.0", ""), "pkg:pypi/a@2", "0f" * 32),
        part(notices.Notice("b", "3", "see text", ""), "pkg:deb/debian/b@3"),
    ]
    made = sbom.bill(rows, 1_700_000_000)
    assert json.dumps(made) == json.dumps(sbom.bill(rows, 1_700_000_000))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    assert made["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert [each["name"] for each in made["components"]] == ["a", "b"]
    first, second = made["components"]
    assert first["hashes"] == [{"alg": "SHA-256", "content": "0f" * 32}]
    assert first["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert second["licenses"] == [{"license": {"name": "see text"}}]


def test_the_lock_is_read_as_it_is_written(script):
    locked = script("inventory").locked()
    assert len(locked) > 10
    assert all(len(digest) == 64 for _, digest in locked.values())


# --- icons ----------------------------------------------------------------------------------------


def test_the_icon_is_drawn_in_small_sizes_too(script, qapp):
    icons = script("icons")
    drawn = {size: icons.png(size) for size in (16, 256)}
    for size, data in drawn.items():
        assert data.startswith(b"\x89PNG")
        assert struct.unpack(">II", data[16:24]) == (size, size)
    ico = icons.ico(drawn)
    assert struct.unpack("<HHH", ico[:6]) == (0, 1, 2)
    length, at = struct.unpack("<II", ico[6 + 16 + 8 : 6 + 32])
    assert ico[at : at + length] == drawn[256]
    assert icons.icns({256: drawn[256]})[:4] == b"icns"
    assert (ROOT / "resources" / "icons" / "desk.svg").is_file()
