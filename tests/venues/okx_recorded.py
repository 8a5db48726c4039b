"""The real OKX capture as frames, the payload files beside the tests, and messages made of them."""

import gzip
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "payloads" / "okx"
SHARED = Path(__file__).parents[3] / "shared" / "data"


def payload(name):
    """The bytes of one payload file."""
    return json.loads((FOLDER / f"{name}.json").read_text())["payload"].encode()


def payloads(conn):
    """(name, bytes) of every payload file of a connection."""
    found = [(path.stem, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]
    return [(name, row["payload"].encode()) for name, row in found if row["conn"] == conn]


def capture():
    """The folder of the real OKX capture; the test is skipped where it is not at hand."""
    folder = SHARED / "captures" / "okx_v5_20220513"
    if not folder.is_dir():
        pytest.skip("the real OKX capture (../shared/data) is not on this machine")
    return folder


def lines(folder, name):
    """(receive ns, payload) of one file of the capture: lines of `seconds: payload`."""
    with gzip.open(folder / f"{name}.txt.gz", "rt") as text:
        rows = [line.rstrip("\n").partition(": ") for line in text]
    return [(round(float(stamp) * 1e9), data.encode()) for stamp, _, data in rows if data]


def rest_answers(folder):
    """(path with query, body) of every HTTP answer of the capture."""
    with gzip.open(folder / "control_and_rest.txt.gz", "rt") as text:
        for line in text:
            if line.startswith("https://") and " -> " in line:
                url, _, rest = line.rstrip("\n").partition(" -> ")
                yield url.removeprefix("https://www.okx.com"), rest.partition(": ")[2]


def spelled(message):
    return json.dumps(message, separators=(",", ":")).encode()


def changed(name, **fields):
    """A payload file with fields of its data row replaced; None takes one out."""
    message = json.loads(payload(name))
    row = message["data"][0]
    for field, value in fields.items():
        row[field] = value
        if value is None:
            del row[field]
    return spelled(message)


def bbo(symbol="ADA-USDT", bids=(("1.0", "1", "0", "1"),), asks=(("1.1", "1", "0", "1"),), seq=5):
    row = {"asks": asks, "bids": bids, "ts": "9990", "seqId": seq}
    return spelled({"arg": {"channel": "bbo-tbt", "instId": symbol}, "data": [row]})


def books(prev, seq, action="update", symbol="ADA-USDT-SWAP", **more):
    sides = {"asks": [["1.1", "2", "0", "1"]], "bids": [["1.0", "3", "0", "1"]]}
    row = {**sides, "ts": "10", "checksum": 0, "prevSeqId": prev, "seqId": seq, **more}
    arg = {"channel": "books", "instId": symbol}
    return spelled({"arg": arg, "action": action, "data": [row]})
