"""The real Bybit capture as frames, and recorded-like messages where it is not at hand."""

import gzip
import json


def frames(folder):
    """(t_ns, conn, payload) of every socket message of the capture, in receive order."""
    found = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        market = path.name.partition(".")[0]
        if market not in ("spot", "linear"):
            continue
        with gzip.open(path, "rt") as lines:
            for record in map(json.loads, lines):
                row = (round(record["ts"] * 1e9), f"bybit.{market}", record["data"].encode())
                found.append(row)
    return sorted(found, key=lambda row: row[0])


def rest_rows(folder):
    """(category, row) of every instrument the capture describes."""
    found = []
    with gzip.open(folder / "control_and_rest.jsonl.gz", "rt") as lines:
        for record in map(json.loads, lines):
            if record["t"] == "http":
                result = json.loads(record["data"])["result"]
                found += [(result["category"], row) for row in result["list"]]
    return found
