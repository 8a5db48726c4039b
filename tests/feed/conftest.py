import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent):  # feed_rig.py and loopback.py
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
