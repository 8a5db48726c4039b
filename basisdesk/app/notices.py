"""Whose work this program stands on, and under which licences: what About shows.

A bundle carries the list, made when it was built; an installation with pip reads the metadata of
what is installed.
"""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

import msgspec

from basisdesk.app.own_program import is_frozen
from basisdesk.ui.resources import resource

BUNDLED = "notices.json"  # among the resources of a bundle
TEXT_MAX = 200_000  # characters of one notice
FILE_BYTES_MAX = 16_000_000
OUR_EXTRAS = ("lab", "optimise", "ai", "cluster")  # not dev: its tools are no part of the program
NO_TEXT = "The package carries no licence text; its authors name the licence above."
QT_TEXT = (
    "Qt 6 and Qt for Python are used unchanged and as separate libraries, under LGPL-3.0-only.\n"
    "You may replace them by builds of your own. The licence: www.gnu.org/licenses/lgpl-3.0.txt\n"
    "The sources: download.qt.io/official_releases"
)
_QT = {"pyside6-essentials", "shiboken6"}
_LICENCE_FILE = re.compile(r"(?i)licen[cs]e|copying|notice")
_NEED = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


class Notice(NamedTuple):
    """One package or library: its licence as a short name, and the licence's text."""

    name: str
    version: str
    licence: str
    text: str


def licence_notices() -> list[Notice]:
    """All that runs here: this program first, Python second, then by name."""
    if is_frozen():
        with suppress(FileNotFoundError, OSError, msgspec.MsgspecError):
            return read_notices(resource(BUNDLED))
    return installed_notices()


def read_notices(path: Path) -> list[Notice]:
    """The list of a bundle. Raises OSError, or msgspec.MsgspecError where it is damaged."""
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise OSError(f"{path.name} is too large")
    return msgspec.json.decode(data, type=list[Notice])


def installed_notices() -> list[Notice]:
    """From the metadata of the installed packages that this program needs, extras included."""
    found = {_canonical(each.name): notice_of(each) for each in _needed("basisdesk", OUR_EXTRAS)}
    ours = found.pop("basisdesk", None)
    rest = [found[name] for name in sorted(found)]
    return [*([ours] if ours else []), _python(), *rest]


def notice_of(package: Distribution) -> Notice:
    """The notice of one installed package."""
    about = package.metadata
    text = "\n\n".join(_texts(package))[:TEXT_MAX]
    name = about["Name"]
    if not text:
        text = QT_TEXT if _canonical(name) in _QT else NO_TEXT
    return Notice(name, package.version, _licence(package), text)


def _licence(package: Distribution) -> str:
    about = package.metadata.json
    for key in ("license_expression", "license"):
        said = str(about.get(key) or "").strip()
        if said:
            return said.splitlines()[0][:120]
    kinds = [str(each) for each in about.get("classifier") or () if str(each).startswith("License")]
    return kinds[0].rpartition(":: ")[2] if kinds else "see text"


def _texts(package: Distribution) -> Iterator[str]:
    for file in package.files or ():
        if ".dist-info" in str(file.parent) and _LICENCE_FILE.search(file.name):
            with suppress(OSError, UnicodeDecodeError):
                yield file.read_text(encoding="utf-8").strip()


def _python() -> Notice:
    text = NO_TEXT
    with suppress(OSError, UnicodeDecodeError):
        path = Path(os.__file__).parent / "LICENSE.txt"
        text = path.read_text(encoding="utf-8")[:TEXT_MAX]
    return Notice("Python", platform.python_version(), "PSF-2.0", text)


def _needed(name: str, extras: tuple[str, ...]) -> list[Distribution]:
    """A package and what it needs, as far as it is installed here."""
    found: dict[str, Distribution] = {}
    todo, seen = [(name, extras)], set[tuple[str, tuple[str, ...]]]()
    while todo:
        each, wanted = todo.pop()
        key = _canonical(each), wanted
        if key in seen:
            continue
        seen.add(key)
        try:
            package = distribution(each)
        except PackageNotFoundError:  # an extra, or for another system
            continue
        found[key[0]] = package
        for text in package.requires or ():
            need, of = _NEED.match(text), _EXTRA.search(text)
            if need and (of is None or of[1] in wanted):
                more = tuple(part.strip() for part in (need[2] or "").split(",") if part.strip())
                todo.append((need[1], more))
    return list(found.values())


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
