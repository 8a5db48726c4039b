"""Real recordings of other collectors, where they are at hand. Never copied into the project."""

from pathlib import Path

import pytest

from basisdesk.lab.importer import import_files, parse_source
from basisdesk.lab.tape import header_for

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "captures"

# name -> format and files, as they would be given on the command line
RECORDED = {
    "bybit": ("cryptofeed", ["bybit_v5_20260809"]),
    "okx": ("cryptofeed", ["okx_v5_20220513"]),
    "kraken": ("cryptofeed", ["kraken_futures_20210722"]),
    "binance": (
        "hftbacktest",
        [
            "binance_20240808/spot_ethusdt_20240808.gz@binance.spot",
            "binance_20240808/usdm_ethusdt_20240808.gz@binance.public",
        ],
    ),
}


def capture(name: str) -> Path:
    """The folder of one real capture; the test is skipped where it is not at hand."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"the real capture {name} (../shared/data) is not on this machine")
    return folder


def tape_of(name: str, out: Path) -> Path:
    """One of RECORDED as a tape."""
    form, files = RECORDED[name]
    capture(files[0].split("/", maxsplit=1)[0])
    sources = [parse_source(str(FOLDER / file)) for file in files]
    import_files(sources, form, out, header_for("import", "0", 0))
    return out
