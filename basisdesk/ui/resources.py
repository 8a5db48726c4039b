"""Finds the files that ship beside the code: in the wheel first, in the checkout second."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_HOMES = (_PACKAGE / "_resources", _PACKAGE.parent / "resources")


def resource(name: str) -> Path:
    """Path of a shipped file, such as "icons/desk.svg". Raises FileNotFoundError when missing."""
    for home in _HOMES:
        path = home / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"{name} is missing from this installation. Install basisdesk again.")
