"""Desktop entry and AppStream data name one program by one id, and the bundle starts."""

import configparser
import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"

ID = "io.github.basisdesk.basisdesk"
LINUX = PACKAGING / "linux"
BUNDLE = ROOT / "dist" / "basisdesk" / "basisdesk"


@pytest.fixture(scope="module")
def entry():
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(LINUX / f"{ID}.desktop")
    return parser


def test_the_desktop_entry_starts_the_program_under_its_own_icon(entry):
    main = entry["Desktop Entry"]
    assert main["Type"] == "Application"
    assert main["Exec"].split()[0] == main["TryExec"] == main["StartupWMClass"] == "basisdesk"
    assert main["Icon"] == ID
    assert main["Terminal"] == "false"
    assert all(main[key].endswith(";") for key in ("Categories", "Keywords", "Actions"))


def test_each_action_of_the_entry_is_there(entry):
    for action in entry["Desktop Entry"]["Actions"].strip(";").split(";"):
        assert entry[f"Desktop Action {action}"]["Exec"] == f"basisdesk --{action}"


def test_the_appstream_data_belong_to_the_entry():
    root = ET.fromstring((LINUX / f"{ID}.metainfo.xml").read_text())
    assert root.findtext("id") == root.findtext("icon") == ID
    assert root.findtext("launchable") == f"{ID}.desktop"
    assert root.find("releases/release").attrib == {"version": "@VERSION@", "date": "@DATE@"}
    assert root.findtext("project_license") == "MIT"


def test_spec_and_icons_use_the_same_id():
    for name in ("basisdesk.spec", "icons.py", "deb.sh", "linux_files.sh", "appimage.sh"):
        assert ID in (PACKAGING / name).read_text(), name


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.skipif(not BUNDLE.exists(), reason="no bundle in dist/: packaging/build.sh makes one")
def test_the_bundle_starts_trades_nothing_and_leaves_a_picture(tmp_path):
    picture = tmp_path / "desk.png"
    environment = {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    command = [str(BUNDLE), "--demo", "--exit-after", "5", "--screenshot", str(picture)]
    done = subprocess.run(
        command,
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")
