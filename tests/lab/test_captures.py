"""The real captures of all four venues through the command line, beside readings of our own.

The readings here use json, gzip and a dict a side, and nothing of basisdesk.
"""

import csv
import gzip
import hashlib
import json
import math
import statistics
from bisect import bisect_right

import pytest

from basisdesk.cli import main
from tests.captures import RECORDED, capture, tape_of

LONG, SHORT = "binance:spot:ETHUSDT", "binance:perp:ETHUSDT"
FILES = {LONG: "spot_ethusdt_20240808.gz", SHORT: "usdm_ethusdt_20240808.gz"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    """Tapes of the captures by name, made when first asked for."""
    made = {}

    def tape(name):
        if name not in made:
            made[name] = tape_of(name, tmp_path_factory.mktemp(name) / f"{name}.tape")
        return made[name]

    return tape


def exported(tape, what, *more):
    out = tape.with_name(f"{what}-{abs(hash(more))}.csv")
    if not out.exists():
        assert main(["export", str(tape), "--out", str(out), "--what", what, *more]) == 0
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def replayed(tape, capsys, *more):
    capsys.readouterr()
    assert main(["replay", str(tape), *more, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# --- all four -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_a_real_capture_replays_without_a_gap_or_a_bad_frame(tapes, capsys, name):
    result = replayed(tapes(name), capsys)
    assert (result["gaps"], result["bad_frames"], result["bad_by_reason"]) == (0, 0, {})
    assert result["frames"] > 200
    assert result["events"] > 200


# Rows, and the first 16 hex digits of the table's sha256: what these bytes have always meant. The
# numbers of trades and of Binance's quotes are those of the messages in the files.
GOLDEN = {
    ("bybit", "quotes"): (353, "238ace21bee689de"),
    ("bybit", "trades"): (67, "ff062362bbd56d26"),
    ("okx", "quotes"): (71, "5f10d3fbf881f4a7"),
    ("okx", "trades"): (69, "91f011492238e858"),
    ("kraken", "quotes"): (361, "b12bf9a8937873b9"),
    ("kraken", "trades"): (3, "ba3899fcb5ecd8e1"),
    ("binance", "quotes"): (24_077 + 53_992, "9a95e2c794b3c7f5"),
    ("binance", "trades"): (6_106 + 14_076, "88e12aaa9e4055c9"),
}


@pytest.mark.parametrize("what", ["quotes", "trades"])
@pytest.mark.parametrize("name", RECORDED)
def test_a_real_capture_always_gives_the_same_table(tapes, name, what):
    rows = exported(tapes(name), what)
    out = next(tapes(name).parent.glob(f"{what}-*.csv"))
    digest = hashlib.sha256(out.read_bytes()).hexdigest()[:16]
    assert (len(rows), digest) == GOLDEN[name, what]


# --- Binance, by hand -----------------------------------------------------------------------------


def lines(leg):
    """(receive ns, stream, data) of every line; stream "" for the bare depth snapshot."""
    raw = gzip.decompress((capture("binance_20240808") / FILES[leg]).read_bytes()).decode()
    for line in raw.splitlines():
        stamp, payload = line.split(" ", 1)
        message = json.loads(payload)
        yield int(stamp), message.get("stream", ""), message.get("data", message)


def touches(leg):
    """(receive ns, bid, ask) of every book ticker."""
    return [
        (t_ns, float(data["b"]), float(data["a"]))
        for t_ns, stream, data in lines(leg)
        if stream.endswith("@bookTicker")
    ]


def naive_book(leg, until_ns):
    """Ten bids and asks at a time: the snapshot, and every diff that reaches beyond it."""
    snapshot, diffs = None, []
    for t_ns, stream, data in lines(leg):
        if t_ns > until_ns:
            break
        if not stream:
            snapshot = data
        elif "@depth" in stream:
            diffs.append(data)
    sides = [dict(map(tuple, snapshot[side])) for side in ("bids", "asks")]
    chain = None
    for diff in diffs:
        if diff["u"] <= snapshot["lastUpdateId"]:
            continue
        before = diff.get("pu", diff["U"] - 1)
        assert chain is None or before == chain  # the recording itself has no gap
        chain = diff["u"]
        for levels, changes in zip(sides, (diff["b"], diff["a"]), strict=True):
            for price, size in changes:
                levels[price] = size
    return [
        sorted(((float(p), float(s)) for p, s in levels.items() if float(s)), reverse=not ask)[:10]
        for ask, levels in enumerate(sides)
    ]


def test_the_median_basis_of_the_binance_pair_is_that_of_an_independent_reading(tapes):
    moments = sorted(
        [(t_ns, 0, bid, ask) for t_ns, bid, ask in touches(LONG)]
        + [(t_ns, 1, bid, ask) for t_ns, bid, ask in touches(SHORT)]
    )
    mids = [math.nan, math.nan]
    readings = []
    for _, leg, bid, ask in moments:
        mids[leg] = (bid + ask) / 2
        readings.append(1e4 * (mids[1] - mids[0]) / mids[0])
    independent = statistics.median(r for r in readings if not math.isnan(r))

    rows = exported(tapes("binance"), "basis", "--long", LONG, "--short", SHORT)
    ours = statistics.median(float(row["mid_bp"]) for row in rows)
    assert independent == pytest.approx(-4.4, abs=0.1)
    assert ours == pytest.approx(independent, abs=0.1)
    assert len(rows) > 70_000


def test_every_row_of_the_basis_is_the_touch_of_its_moment(tapes):
    stamps, legs = {}, {}
    for leg in (LONG, SHORT):
        legs[leg] = touches(leg)
        stamps[leg] = [t_ns for t_ns, _, _ in legs[leg]]
    rows = exported(tapes("binance"), "basis", "--long", LONG, "--short", SHORT)
    wrong = 0
    for row in rows[::37]:
        t_ns = int(row["t_recv_ns"])
        (_, spot_bid, spot_ask), (_, perp_bid, perp_ask) = (
            legs[leg][bisect_right(stamps[leg], t_ns) - 1] for leg in (LONG, SHORT)
        )
        opened = 1e4 * (perp_bid - spot_ask) / spot_ask
        closed = 1e4 * (perp_ask - spot_bid) / spot_bid
        wrong += abs(float(row["open_bp"]) - opened) > 1e-6
        wrong += abs(float(row["close_bp"]) - closed) > 1e-6
    assert wrong == 0


def test_every_book_ticker_is_one_row_of_quotes(tapes):
    rows = exported(tapes("binance"), "quotes")
    for leg in (LONG, SHORT):
        mine = [
            (int(r["t_recv_ns"]), float(r["bid"]), float(r["ask"]))
            for r in rows
            if r["instrument"] == leg
        ]
        assert mine == touches(leg)


@pytest.mark.parametrize("leg", [LONG, SHORT])
def test_the_depth_book_from_snapshot_and_diffs_is_the_naive_one(tapes, leg):
    rows = [
        r for r in exported(tapes("binance"), "books", "--every", "5") if r["instrument"] == leg
    ]
    stamps = sorted({int(row["t_recv_ns"]) for row in rows})
    assert len(stamps) > 60
    for at_ns in (stamps[0], stamps[30], stamps[-1]):
        ours = [
            [
                (float(r["price"]), float(r["size"]))
                for r in rows
                if int(r["t_recv_ns"]) == at_ns and r["side"] == side
            ]
            for side in ("bid", "ask")
        ]
        assert ours == naive_book(leg, at_ns)
