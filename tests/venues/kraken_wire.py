"""Frames of the Kraken tests: payload files, book messages with a right checksum, the capture."""

import gzip
import json
from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).parent / "payloads" / "kraken"
SHARED = Path(__file__).parents[3] / "shared" / "data"
CAPTURE = SHARED / "captures" / "kraken_futures_20210722"


def payload(name):
    """The payload of one file, as bytes."""
    return json.loads((FOLDER / f"{name}.json").read_text())["payload"].encode()


def digits(text):
    return text.replace(".", "").lstrip("0")


def checksum(bids, asks):
    """As the venue's page says it, for texts of levels best first."""
    levels = asks[:10] + bids[:10]
    return crc32("".join(digits(price) + digits(size) for price, size in levels).encode())


def book(kind, bids, asks, told, symbol="ADA/USD", stamp="2026-09-22T20:11:52.811201Z"):
    """A book message; levels are (price text, size text), `told` the checksum."""
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":[{_rows(bids)}],'
        f'"asks":[{_rows(asks)}],"checksum":{told},"timestamp":"{stamp}"}}]}}'
    ).encode()


def _rows(levels):
    return ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in levels)


def frames(folder):
    """(t_ns, payload) of every socket message of the capture, in receive order."""
    found = []
    for path in sorted(folder.glob("*.txt.gz")):
        if path.name.startswith("control"):
            continue
        with gzip.open(path, "rt") as lines:
            for line in lines:
                stamp, _, text = line.rstrip("\n").partition(": ")
                found.append((round(float(stamp) * 1e9), text.encode()))
    return sorted(found, key=lambda row: row[0])


def rest_frames(folder):
    """The HTTP answers of the capture, as frames of kraken.rest."""
    with gzip.open(folder / "control_and_rest.txt.gz", "rt") as lines:
        for line in lines:
            url, arrow, rest = line.rstrip("\n").partition(" -> ")
            if arrow:
                path = url.removeprefix("https://futures.kraken.com")
                body = rest.partition(": ")[2]
                yield json.dumps({"path": path, "data": body}).encode()
