"""Writes the bill of materials of a built tree: CycloneDX 1.5, JSON.

    python packaging/sbom.py TREE      writes TREE/sbom.cdx.json

The same tree gives the same bytes: the stamp is SOURCE_DATE_EPOCH's, the number follows from the
contents.
"""

import json
import os
import re
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory import Part, parts

_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_NAMES = {"MIT", "MPL-2.0", "PSF-2.0", "BSD-3-Clause", "BSD-2-Clause", "0BSD", "Zlib", "Apache-2.0"}


def bill(found: list[Part], when_s: int) -> dict[str, Any]:
    """The document. found: this program first. when_s: seconds since 1970."""
    ours, *rest = found
    rows = [_component(part) for part in rest]
    body = json.dumps(rows, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours.purl + body)}",
        "version": 1,
        "metadata": {
            "timestamp": f"{datetime.fromtimestamp(when_s, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "component": _component(ours) | {"type": "application"},
        },
        "components": rows,
        "dependencies": [{"ref": ours.purl, "dependsOn": [part.purl for part in rest]}],
    }


def _component(part: Part) -> dict[str, Any]:
    notice = part.notice
    row: dict[str, Any] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": notice.name,
        "version": notice.version,
        "purl": part.purl,
        "licenses": [_licence(notice.licence)],
    }
    if part.sha256:
        row["hashes"] = [{"alg": "SHA-256", "content": part.sha256}]
    return row


def _licence(said: str) -> dict[str, Any]:
    """One known name as an id, a term of several as an expression, all else as it was written."""
    if said in _NAMES:
        return {"license": {"id": said}}
    if _SPDX.fullmatch(said) and (" OR " in said or " AND " in said):
        return {"expression": said}
    return {"license": {"name": said}}


def main(tree: Path) -> int:
    """Write the bill of a tree."""
    when_s = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    made = bill(parts(tree), when_s)
    (tree / "sbom.cdx.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{tree / 'sbom.cdx.json'}: {len(made['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
