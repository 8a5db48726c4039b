"""Are the installed packages free of versions known to be bad? The dependency audit of the tests.

    python packaging/audit.py             against known-bad.toml: no network, under a second
    python packaging/audit.py --online    then with pip-audit too, where it and its source answer

The exit code is 1 where a bad version is installed, or an advisory names one. An advisory source
that does not answer is no failure: what was checked is said instead.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

LIST = Path(__file__).resolve().parent / "known-bad.toml"
ONLINE_WAIT_S = 60.0  # in all; a release waits for it, the tests never ask
ASK_WAIT_S = 5  # for one answer


class Bad(NamedTuple):
    """A range of versions of one package, and why it must not run. python: on which Pythons."""

    name: str
    versions: SpecifierSet
    python: SpecifierSet
    reason: str
    source: str


def known_bad(path: Path = LIST) -> tuple[date, list[Bad]]:
    """When the list was gone through, and its entries."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return found["date"], [
        Bad(
            canonicalize_name(each["name"]),
            SpecifierSet(each["versions"]),
            SpecifierSet(each.get("python", "")),
            each["reason"],
            each["source"],
        )
        for each in found["bad"]
    ]


def hits(installed: Mapping[str, str], bad: Iterable[Bad], python: str) -> list[str]:
    """One line for each installed version that the list names. installed: name -> version."""
    return [
        f"{each.name} {installed[each.name]}: {each.reason} ({each.source})"
        for each in bad
        if each.name in installed
        and each.versions.contains(installed[each.name], prereleases=True)
        and each.python.contains(python, prereleases=True)
    ]


def here() -> dict[str, str]:
    """The packages of this Python: canonical name -> version."""
    return {canonicalize_name(each.name): each.version for each in distributions()}


def advisories(answer: Mapping[str, Any]) -> tuple[list[str], int]:
    """What pip-audit's JSON says: the advisories, and how many packages it could ask about.

    It calls a package that its source does not know "skipped" and still ends well, so a source
    that answers nothing looks like a clean bill unless the asked are counted.
    """
    rows = answer.get("dependencies", ())
    asked = [each for each in rows if "skip_reason" not in each]
    return [
        f"{each['name']} {each['version']}: {vuln['id']}"
        + (f", mended in {vuln['fix_versions'][0]}" if vuln.get("fix_versions") else "")
        for each in asked
        for vuln in each.get("vulns", ())
    ], len(asked)


def main(arguments: list[str]) -> int:
    """Print what was checked and what was found. The exit code."""
    python = "{}.{}.{}".format(*sys.version_info[:3])
    when, bad = known_bad()
    installed = here()
    found = hits(installed, bad, python)
    print(f"audit: {len(installed)} packages against {len(bad)} known-bad ranges of {when}")
    if "--online" in arguments:
        more, said = _online(when)
        found += more
        print(f"audit: {said}")
    for line in found:
        print(f"audit: BAD {line}")
    print(f"audit: {len(found)} found" if found else "audit: none found")
    return 1 if found else 0


def _online(when: date) -> tuple[list[str], str]:
    only = f"only the list of {when} was checked"
    if find_spec("pip_audit") is None:
        return [], f"pip-audit is not installed (pip install pip-audit): {only}"
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    command += ["--local", "--skip-editable", "--timeout", str(ASK_WAIT_S)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ONLINE_WAIT_S, check=False
        )
        found, asked = advisories(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):
        return [], f"advisories not reachable: {only}"
    if not asked:
        return [], f"advisories not reachable: {only}"
    return found, f"advisories asked about {asked} packages"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
