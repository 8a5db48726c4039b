"""What the bundle leaves out. Used by basisdesk.spec, so that all three systems trim alike."""

from pathlib import PurePosixPath
from typing import Any

# Python modules that something mentions and nothing of ours uses. readline is also GPL.
EXCLUDED = [
    *("tkinter", "IPython", "matplotlib", "PIL", "readline", "curses", "lib2to3"),
    *("PyQt5", "PyQt6", "PySide2", "pytest", "hypothesis", "setuptools", "pip", "pkg_resources"),
    # the extras: 400 MB for what one user in ten opens; the program says how to get them
    *("scipy", "pandas", "river", "optuna", "distributed", "dask", "numba", "llvmlite", "pyarrow"),
    *("PySide6.QtNetwork", "PySide6.QtSvg", "PySide6.QtSvgWidgets"),
    *("PySide6.QtTest", "PySide6.QtDBus", "PySide6.QtXml", "PySide6.QtPrintSupport"),
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql"),
    *("pyqtgraph.opengl", "pyqtgraph.examples", "pyqtgraph.jupyter", "pyqtgraph.console"),
    *("zstandard._cffi", "zstandard.backend_cffi", "cffi"),
]

# Qt's plugins by kind; of a kind that is not named none is kept. Empty: all of the kind.
KEPT_PLUGINS: dict[str, tuple[str, ...]] = {
    "platforms": ("qxcb", "qoffscreen", "qwayland", "qwindows", "qcocoa"),
    "xcbglintegrations": (),
    "wayland-shell-integration": (),
    "wayland-decoration-client": (),
    "wayland-graphics-integration-client": (),
    "platforminputcontexts": (),
    "platformthemes": ("qxdgdesktopportal",),  # not qgtk3: it brings GTK along, 15 MB
    "styles": (),
    "iconengines": (),
    "imageformats": ("qsvg", "qico", "qicns"),
}
_DROPPED_DATA = ("PySide6/Qt/translations", "PySide6/translations", "pyqtgraph/examples")


def wanted_plugin(place: str) -> bool:
    """Whether a file of the bundle stays: no Qt plugin at all, or one that the desk can use."""
    parts = PurePosixPath(_slashed(place)).parts
    if "PySide6" not in parts or "plugins" not in parts:
        return True
    kind, name = parts[parts.index("plugins") + 1], parts[-1].removeprefix("lib")
    names = KEPT_PLUGINS.get(kind)
    return names is not None and (not names or name.startswith(names))


def wanted_data(rows: list[Any], binaries: list[Any]) -> list[Any]:
    """The data rows that stay: no translations of Qt (the desk speaks English), no dead links.

    PyInstaller lists its links to libraries among the data; binaries: what was kept of those.
    """
    places = {_slashed(row[0]) for row in binaries}
    return [
        row
        for row in rows
        if not _slashed(row[0]).startswith(_DROPPED_DATA)
        and (row[2] != "SYMLINK" or _slashed(row[1]) in places)
    ]


def _slashed(place: str) -> str:
    return place.replace("\\", "/")


def reachable(binaries: list[Any]) -> list[Any]:
    """Of PyInstaller's rows (place, source, kind) those that something kept needs.

    A plugin that is dropped leaves its libraries behind; what no extension module, no kept
    plugin and not Python itself links to, goes as well.
    """
    from PyInstaller.depend.bindepend import get_imports

    kept = [row for row in binaries if wanted_plugin(row[0])]
    by_name = {_name(row[0]): row for row in kept}
    todo = [row for row in kept if _is_root(row)]
    found = {row[0] for row in todo}
    while todo:
        for needed, path in get_imports(todo.pop()[1]):
            row = by_name.get(_name(path or needed)) or by_name.get(needed)
            if row is not None and row[0] not in found:
                found.add(row[0])
                todo.append(row)
    return [row for row in kept if row[0] in found]


def _name(place: str) -> str:
    return PurePosixPath(_slashed(place)).name


def _is_root(row: Any) -> bool:
    # what is loaded by name at run time; a library is only there for what links to it
    place, _, kind = row
    parts = PurePosixPath(_slashed(place)).parts
    return (
        kind != "BINARY"
        or "plugins" in parts
        or parts[-1].startswith(("libpython", "python3", "Python"))
    )
