"""How this program starts itself again as another process, from Python or from a bundle."""

import runpy
import sys
from collections.abc import Sequence


def is_frozen() -> bool:
    """Whether this runs from a bundle, which has no python and no pip beside it."""
    return bool(getattr(sys, "frozen", False))


def own_command(arguments: Sequence[str]) -> list[str]:
    """The command that runs `basisdesk ARGUMENTS`: of a frozen program, the program itself."""
    if is_frozen():
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "basisdesk", *arguments]


def own_module(module: str, arguments: Sequence[str]) -> list[str]:
    """The command that runs a module of ours. A bundle takes `-m basisdesk...` as Python does."""
    return [sys.executable, "-m", module, *arguments]


def ran_own_module(arguments: Sequence[str]) -> bool:
    """Run a module of ours where a bundle's command line asks for one with `-m`; False where not.

    Only modules of ours are run, so a bundle is no Python for others.
    """
    if len(arguments) < 2 or arguments[0] != "-m" or not _is_ours(arguments[1]):
        return False
    sys.argv[1:] = arguments[2:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    return True


def _is_ours(module: str) -> bool:
    return module == "basisdesk" or module.startswith("basisdesk.")
