"""Gathers the licence notices of everything in a built tree: one text file, and what About reads.

    python packaging/notices.py TREE

TREE is the folder that holds basisdesk and _internal.
"""

import json
import sys
from pathlib import Path

from inventory import common_texts, parts

from basisdesk.app.notices import BUNDLED, Notice

RULE = "=" * 100


def as_text(notices: list[Notice]) -> str:
    """All notices, a contents list first."""
    head = "What this program is made of, and under which licences.\n\n"
    head += "".join(f"  {each.name} {each.version}  {each.licence}\n" for each in notices)
    body = (
        f"\n{RULE}\n{each.name} {each.version}\n{each.licence}\n{RULE}\n\n{each.text.strip()}\n"
        for each in notices
    )
    return head + "".join(body)


def main(tree: Path) -> int:
    """Write NOTICES.txt into the tree, and the same as JSON among the resources."""
    found = parts(tree)
    notices = [part.notice for part in found] + common_texts(found)
    (tree / "NOTICES.txt").write_text(as_text(notices), encoding="utf-8")
    inside = tree / "_internal" / "basisdesk" / "_resources" / BUNDLED
    inside.write_text(json.dumps(notices, ensure_ascii=False), encoding="utf-8")
    print(f"{tree / 'NOTICES.txt'}: {len(notices)} notices")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
