"""Small archives in the form that Binance publishes, for tests to write and to spoil."""

import zipfile
from pathlib import Path

JAN_2024_MS = 1_704_067_200_000
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate"
REAL = Path(__file__).parents[3] / "shared" / "data"


def candle(i, price, step_ms=3_600_000, micro=False, first_ms=JAN_2024_MS):
    """One line of a candle file."""
    factor = 1_000 if micro else 1
    opened = (first_ms + i * step_ms) * factor
    closed = (first_ms + (i + 1) * step_ms) * factor - 1
    high, low = price * 1.001, price * 0.999
    return f"{opened},{price:.2f},{high:.2f},{low:.2f},{price:.2f},10.5,{closed},99.5,7,6.25,50.1,0"


def candles(count, price=40_000.0, **kwargs):
    """So many lines of candles, a bit dearer each."""
    return [candle(i, price + i, **kwargs) for i in range(count)]


def settlements(count, hours=8, rate=0.0001, first_ms=JAN_2024_MS):
    """So many lines of a funding file, some milliseconds late."""
    return [f"{first_ms + i * hours * 3_600_000 + i % 7},{hours},{rate:.8f}" for i in range(count)]


def zipped(folder, stem, lines, inside=None):
    """A .zip with one table."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(inside or f"{stem}.csv", "\n".join(lines) + "\n")
    return path


def bare(folder, stem, lines):
    """A .csv."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def pair(root, count=48, basis=1.0, symbol="BTCUSDT", stem="1h-2024-01"):
    """A root with spot, perpetual, mark and funding of one symbol."""
    base = 40_000.0
    zipped(root / "spot_klines" / symbol, f"{symbol}-{stem}", candles(count, base))
    zipped(
        root / "futures_klines" / symbol,
        f"{symbol}-{stem}",
        [HEADER, *candles(count, base + basis)],
    )
    zipped(root / "mark_price_klines" / symbol, f"{symbol}-{stem}", candles(count, base + 0.5))
    zipped(
        root / "funding_rate" / symbol,
        f"{symbol}-fundingRate-2024-01",
        [FUNDING_HEADER, *settlements(count // 8)],
    )
    return root
