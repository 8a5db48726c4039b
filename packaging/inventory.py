"""What is inside a built tree: the packages of the lock, Python, and the system's libraries.

Read by sbom.py and notices.py, so that both tell of the same things.
"""

import platform
import re
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from basisdesk.app.notices import Notice, installed_notices, notice_of

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
COMMON = Path("/usr/share/common-licenses")  # Debian's: the texts that its packages only name
_PIN = re.compile(r"^([a-z0-9.-]+)==(\S+) \\\n    --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)


class Part(NamedTuple):
    """One thing inside. purl: its package URL; sha256: of its wheel, empty for what is none."""

    notice: Notice
    purl: str
    sha256: str = ""


def locked(path: Path = LOCK) -> dict[str, tuple[str, str]]:
    """Package name -> (version, sha256) of a lock."""
    return {name: (version, digest) for name, version, digest in _PIN.findall(path.read_text())}


def parts(tree: Path) -> list[Part]:
    """Everything in a bundle or in what is made of it, this program first.

    tree: the folder that holds `basisdesk` and `_internal`. Raises SystemExit where an installed
    package is not what the lock says, or a library of the tree is of no known package.
    """
    ours, python = installed_notices()[:2]
    found = [
        Part(ours, f"pkg:pypi/basisdesk@{ours.version}"),
        Part(python, f"pkg:generic/python@{platform.python_version()}"),
    ]
    for name, (version, digest) in locked().items():
        notice = notice_of(distribution(name))
        if notice.version != version:
            raise SystemExit(f"{name} {notice.version} is installed, the lock says {version}")
        found.append(Part(_full_text(notice), f"pkg:pypi/{name}@{version}", digest))
    loader = distribution("pyinstaller")
    found.append(Part(notice_of(loader), f"pkg:pypi/pyinstaller@{loader.version}"))
    return found + _system(tree / "_internal")


def _full_text(notice: Notice) -> Notice:
    """Qt's wheels name their licence without its text; in a bundle it has to lie beside them."""
    if "LGPL-3" not in notice.licence or not (COMMON / "LGPL-3").is_file():
        return notice
    texts = [notice.text, *((COMMON / name).read_text() for name in ("LGPL-3", "GPL-3"))]
    return notice._replace(text="\n\n".join(texts))


def _system(inside: Path) -> list[Part]:
    """Debian's packages whose libraries were copied in; on another system there are none."""
    names = {
        path.name
        for path in inside.glob("*.so*")
        if not path.is_symlink() and not path.name.startswith("libpython")
    }
    if not names:
        return []
    listed = _ask("dpkg-query", "-S", *(f"*/{name}" for name in sorted(names)))
    owners: dict[str, str] = {}
    for line in listed.splitlines():
        package, _, path = line.partition(": ")
        if Path(path).name in names and "x86_64-linux-gnu" in path:
            owners[Path(path).name] = package.partition(",")[0]
    if lost := names - owners.keys():
        raise SystemExit(f"of no package: {', '.join(sorted(lost))}")
    return [_debian(package) for package in sorted(set(owners.values()))]


def _debian(package: str) -> Part:
    name, version = _ask("dpkg-query", "-W", "-f", "${Package} ${Version}", package).split()
    text = (Path("/usr/share/doc") / name / "copyright").read_text(errors="replace")
    # only Debian's machine-readable form has a short name on that line, others a sentence
    readable = text.lstrip().startswith("Format")
    short = re.search(r"^License:\s*(\S.*)$", text, re.MULTILINE) if readable else None
    named = dict.fromkeys(re.findall(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)", text))
    more = [f"{each}: see the full text under that name at the end." for each in named]
    licence = short[1].strip() if short else "see text"
    notice = Notice(name, version, licence, "\n".join([text, *more]))
    return Part(notice, f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12")


def common_texts(found: list[Part]) -> list[Notice]:
    """The licences that Debian's copyright files only point at, each once."""
    named = {
        (COMMON / name).resolve().name  # GPL is a link to the newest of them
        for part in found
        for name in re.findall(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)", part.notice.text)
    }
    return [
        Notice(name, "", "licence text", (COMMON / name).read_text(errors="replace"))
        for name in sorted(named)
        if (COMMON / name).is_file()
    ]


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
