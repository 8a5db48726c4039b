"""The lock of the bundle: complete, inside pyproject's ranges, hashed, and free of bad versions."""

import importlib
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
LOCKS = ("requirements.lock", "build.lock")
PIN = re.compile(r"^([a-z0-9-]+)==([^ \n]+) \\\n    --hash=sha256:[0-9a-f]{64}$", re.MULTILINE)
LINUX_311 = {
    "python_version": "3.11",
    "python_full_version": "3.11.7",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}


@pytest.fixture
def audit(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGING))
    return importlib.import_module("audit")


def locked(name):
    return dict(PIN.findall((PACKAGING / name).read_text()))


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_a_version_with_its_hash(name):
    lines = [
        line
        for line in (PACKAGING / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(lines) == 2 * len(locked(name)) > 10


def test_the_lock_keeps_to_the_ranges_of_pyproject():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    versions = locked("requirements.lock")
    wrong = [
        text
        for text in wanted
        if not Requirement(text).specifier.contains(
            versions.get(canonicalize_name(Requirement(text).name), "0")
        )
    ]
    assert wrong == []


def test_nothing_that_a_locked_package_needs_is_missing():
    versions = locked("requirements.lock")
    missing = []
    for name in versions:
        try:
            needs = distribution(name).requires or ()
        except PackageNotFoundError:
            continue
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({**LINUX_311, "extra": ""}):
                missing += [need.name] if canonicalize_name(need.name) not in versions else []
    assert missing == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_locked_version_is_known_to_be_bad(audit, name):
    _, bad = audit.known_bad()
    assert audit.hits(locked(name), bad, "3.11.7") == []


@pytest.mark.parametrize("version", ["6.8.0", "6.9.1", "6.9.2", "6.10.1", "6.12.0"])
def test_the_bad_qt_versions_are_on_the_list(audit, version):
    _, bad = audit.known_bad()
    assert len(audit.hits({"pyside6-essentials": version}, bad, "3.11.7")) == 1


def test_a_version_that_only_one_python_suffers_from_is_fine_on_another(audit):
    _, bad = audit.known_bad()
    assert audit.hits({"pyside6-essentials": "6.12.0"}, bad, "3.12.1") == []


def test_no_range_of_pyproject_ends_in_a_bad_version_here(audit):
    when, bad = audit.known_bad()
    assert when.year >= 2026
    assert audit.hits(audit.here(), bad, "3.11.7") == []


def test_packages_that_a_source_does_not_know_are_not_called_sound(audit):
    skipped = {"name": "a", "skip_reason": "not found"}
    vulns = [{"id": "CVE-1", "fix_versions": ["2"]}]
    answer = {"dependencies": [skipped, {"name": "b", "version": "1", "vulns": vulns}]}
    assert audit.advisories({"dependencies": [skipped]}) == ([], 0)
    assert audit.advisories(answer) == (["b 1: CVE-1, mended in 2"], 1)


def test_an_audit_without_a_source_says_what_was_checked(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit, "find_spec", lambda _: None)
    assert audit.main(["--online"]) == 0
    assert "only the list of 2" in capsys.readouterr().out
