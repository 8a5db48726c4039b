"""Compiled functions where numba is installed, the same functions as plain Python where it is not.

Imported only by code that is about to compute: loading numba takes half a second. Machine code is
kept in the user's cache folder, so only the first run on a machine compiles. numba keeps a function
until its own file changes and looks at no function that it calls, so each state of the kernel's
files has a folder of its own.
"""

import hashlib
import importlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from platformdirs import user_cache_path

from basisdesk.errors import extra_from

F = TypeVar("F", bound=Callable[..., Any])

FOLDERS_KEPT = 4  # of machine code, the newest
FILES = "kernel_*.py"  # that hold compiled functions

_log = logging.getLogger(__name__)


def _folder() -> Path:
    """Where machine code of these very files belongs; folders of long ago are removed."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob(FILES)):
        digest.update(file.read_bytes())
    above = user_cache_path("basisdesk") / "numba"
    mine = above / digest.hexdigest()[:16]
    try:
        mine.mkdir(parents=True, exist_ok=True)
        os.utime(mine)
        aged = sorted((each.stat().st_mtime_ns, each) for each in above.iterdir() if each.is_dir())
    except OSError:  # numba then compiles anew each time, and says so itself
        return mine
    for _, old in aged[:-FOLDERS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return mine


def _decorator() -> Callable[[Any], Any] | None:
    try:
        numba = importlib.import_module("numba")
    except ImportError:
        _log.warning(
            "numba is not installed: the kernel runs as plain Python, a hundred times slower. "
            "To have it: %s.",
            extra_from("lab"),
        )
        return None
    if "NUMBA_CACHE_DIR" not in os.environ:
        numba.config.CACHE_DIR = str(_folder())
    made = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[[Any], Any]", made)


_COMPILE = _decorator()
COMPILED = _COMPILE is not None


def compiled(function: F) -> F:
    """The function as machine code, made at its first call; itself where there is no numba."""
    return function if _COMPILE is None else cast("F", _COMPILE(function))
