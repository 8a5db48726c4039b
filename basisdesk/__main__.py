"""python -m basisdesk."""

import sys

from basisdesk.cli import main

if __name__ == "__main__":
    sys.exit(main())
