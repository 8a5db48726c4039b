"""How this program starts itself again as another process."""

import sys
from collections.abc import Sequence


def own_command(arguments: Sequence[str]) -> list[str]:
    """The command that runs `basisdesk ARGUMENTS`: of a frozen program, the program itself."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "basisdesk", *arguments]
