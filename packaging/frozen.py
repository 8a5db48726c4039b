"""Entry point of the bundles: the command line of `basisdesk`, and `-m basisdesk...` as Python's.

A bundle has no python beside it, so the program answers for it where it starts parts of itself.
"""

import multiprocessing
import os
import sys


def _give_back_library_path() -> None:
    # PyInstaller's start program points it at our libraries. Ours are found by now; a browser that
    # we open must not load them.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    _give_back_library_path()
    multiprocessing.freeze_support()  # a worker of the lab ends in here
    from basisdesk.app.own_program import ran_own_module

    if not ran_own_module(sys.argv[1:]):
        from basisdesk.cli import main

        sys.exit(main())
