"""The real Binance capture as frames, and the payload files beside the tests."""

import gzip
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "payloads" / "binance"
SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "binance.spot": "spot_ethusdt_20240808.gz",
    "binance.public": "usdm_ethusdt_20240808.gz",
}
SNAPSHOT_PATHS = {"binance.spot": "/api/v3/depth", "binance.public": "/fapi/v1/depth"}


def row(name):
    """(connection, bytes) of one payload file."""
    found = json.loads((FOLDER / f"{name}.json").read_text())
    return found["conn"], found["payload"].encode()


def names():
    """Every payload file."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def rest(path, body):
    """An HTTP answer as a frame; the body as text or as what it decodes to."""
    data = body if isinstance(body, str) else json.dumps(body)
    return json.dumps({"path": path, "data": data}).encode()


def capture():
    """The folder of the real Binance capture; the test is skipped where it is not at hand."""
    folder = SHARED / "captures" / "binance_20240808"
    if not folder.is_dir():
        pytest.skip("the real Binance capture (../shared/data) is not on this machine")
    return folder


def frames(folder, conn):
    """(receive ns, connection, payload) of one file of the capture: lines of `<ns> <payload>`.

    The collector wrote the book's snapshot bare among the stream's messages; here it is what it
    was, an HTTP answer.
    """
    found = []
    with gzip.open(folder / FILES[conn], "rb") as lines:
        for line in lines:
            stamp, payload = line.rstrip(b"\n").split(b" ", 1)
            if payload.startswith(b'{"lastUpdateId"'):
                path = f"{SNAPSHOT_PATHS[conn]}?symbol=ETHUSDT&limit=1000"
                found.append((int(stamp), "binance.rest", rest(path, payload.decode())))
            else:
                found.append((int(stamp), conn, payload))
    return found
