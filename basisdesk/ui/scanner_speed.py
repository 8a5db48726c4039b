"""How fast the scanner's table is: a made-up universe, frames of scrolling, one refresh of it all.

A frame of scrolling paints the rows that came, as Qt does; once a second all values are new and the
whole table is painted, which is what the slowest frames are.
"""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPixmap, QRegion

from basisdesk.clock import mono_s
from basisdesk.config import COINS
from basisdesk.scan.words import FRESH, STALE, Combo, Flag, Floats, Openings
from basisdesk.ui.scanner_columns import Terms, scan_columns
from basisdesk.ui.scanner_rows import sorted_rows
from basisdesk.ui.scanner_view import ScannerView, first_order
from basisdesk.ui.theme import DARK, Theme

VENUES = ("binance", "bybit", "okx", "kraken")
HOURS = {"binance": 8.0, "bybit": 4.0, "okx": 8.0, "kraken": 1.0}
FLAGS: tuple[Flag, ...] = ("confirmed", "neutral", "neutral", "contradicted", "")
FRAMES, FRAMES_A_SECOND = 600, 60
REFRESHES = 40
STEP_PX = 84  # of one notch of a wheel
NOW_NS = 1_789_722_862_000_000_000
SIZE_PX = (1600, 900)
HOLD_H = 24.0


def made_up_combos(coins: tuple[str, ...] = tuple(COINS.split())) -> tuple[Combo, ...]:
    """Every combination of these coins on four venues, 44 a coin: 2,640 of 60 coins."""
    combos = []
    for coin in coins:
        spots = [f"{venue}:spot:{coin}USDT" for venue in VENUES]
        perps = [f"{venue}:perp:{coin}USDT" for venue in VENUES]
        combos += [Combo(coin, "spot-perp", spot, perp) for spot in spots for perp in perps]
        combos += [Combo(coin, "perp-perp", a, b) for a in perps for b in perps if a != b]
        combos += [Combo(coin, "perp-spot", perp, spot) for perp in perps for spot in spots]
    return tuple(combos)


def made_up_openings(seed: int = 1, combos: tuple[Combo, ...] | None = None) -> Openings:
    """Openings as they may look at one moment. Made up: no figure of it was ever seen anywhere."""
    combos = made_up_combos() if combos is None else combos
    count, rng = len(combos), np.random.default_rng(seed)
    hours = [
        [HOURS[key.split(":")[0]] if ":perp:" in key else 0.0 for key in (c.long, c.short)]
        for c in combos
    ]
    long_h, short_h = np.array(hours, dtype=np.float64).T
    rate_l, rate_s = (
        np.where(h > 0, rng.normal(8e-5, 1.2e-4, count) * h / 8, np.nan) for h in (long_h, short_h)
    )
    paid, received = (
        np.where(h > 0, 8e4 * rate / np.where(h > 0, h, 1.0), 0.0)
        for h, rate in ((long_h, rate_l), (short_h, rate_s))
    )
    rate_8h = received - paid
    mid, cost = rng.normal(2, 14, count), rng.uniform(18, 60, count)
    net = 0.4 * (mid + 4.5) + rate_8h * HOLD_H / 8 - cost + rng.normal(0, 3, count)
    with np.errstate(divide="ignore"):
        payments = np.where(rate_8h > 0.05, cost / np.maximum(rate_8h, 0.05), np.inf)
        payments = np.where(mid + 4.5 >= cost, 0.0, payments)
    capacity = 10 ** rng.uniform(3.6, 7.1, count)
    thin = capacity < 10_000
    now_ms = NOW_NS // 1_000_000
    next_l, next_s = (
        np.where(h > 0, now_ms + (rng.uniform(0, 1, count) * h * 3.6e6), 0).astype(np.int64)
        for h in (long_h, short_h)
    )
    return Openings(
        NOW_NS, 1, 10_000.0, HOLD_H, combos, rate_l, rate_s,
        np.round(rate_l * 0.9, 6), np.round(rate_s * 0.9, 6), long_h, short_h, next_l, next_s,
        rate_8h, rate_8h * 3 * 365 / 100, rate_8h * 0.9, rng.normal(0, 1, count),
        _some(rng.normal(0, 2, count), rng), _some(rng.normal(0, 1.4, count), rng),
        np.where(thin, np.nan, mid - 1), np.where(thin, np.nan, mid + 1), mid,
        np.full(count, -4.5), mid + 4.5, cost, np.where(thin, np.nan, net),
        np.where(thin, np.nan, net * 8 / HOLD_H), payments, payments / 3, capacity,
        rng.uniform(0, 1, count) < 0.6, 10 ** rng.uniform(5, 9, count),
        _some(10 ** rng.uniform(-0.3, 2, count), rng), _some(10 ** rng.uniform(-1, 1, count), rng),
        _some(rng.uniform(0, 0.6, count), rng), rng.integers(8, 400, count),
        np.where(rng.uniform(0, 1, count) < 0.97, rng.uniform(0.1, 5, count), 18.4),
        np.where(rng.uniform(0, 1, count) < 0.97, FRESH, STALE).astype(np.int8),
        tuple(FLAGS[n] for n in rng.integers(0, len(FLAGS), count)),
    )  # fmt: skip


def _some(values: Floats, rng: np.random.Generator) -> Floats:
    """A tenth of them not known."""
    return np.where(rng.uniform(0, 1, len(values)) < 0.1, np.nan, values)


def measure_scanner(theme: Theme = DARK, size_px: tuple[int, int] = SIZE_PX) -> dict[str, float]:
    """Milliseconds: of a scrolled frame (median, p99), and of refreshes with all values changed.

    scan_refresh_ms: comparing the arrays and telling Qt; scan_resort_ms: the same with all rows in
    another order; scan_repaint_ms: painting all that is on the screen. Needs a QApplication.
    """
    readings = [made_up_openings(seed) for seed in range(4)]
    readings = [replace(each, combos=readings[0].combos) for each in readings]
    view = ScannerView(scan_columns(Terms()), theme)
    view.resize(*size_px)
    view.choose_columns(None)
    view.show()
    view.show_openings(readings[0], first_order(readings[0]))
    try:
        frames = _frames(view, readings)
        refreshes, resorts, repaints = _refreshes(view, readings)
    finally:
        view.close()
        view.deleteLater()
    return {
        "scan_rows": float(len(readings[0])),
        "scan_frame_ms": float(np.median(frames)),
        "scan_frame_p99_ms": float(np.percentile(frames, 99)),
        "scan_refresh_ms": float(np.median(refreshes)),
        "scan_resort_ms": float(np.median(resorts)),
        "scan_repaint_ms": float(np.median(repaints)),
    }


def _frames(view: ScannerView, readings: list[Openings]) -> list[float]:
    """Scroll down and back for some seconds at 60 frames a second, all values new once a second.

    Scrolling moves the pixels there are and paints the rows that came; a refresh paints them all.
    """
    bar, room = view.verticalScrollBar(), view.viewport().rect()
    page = QPixmap(room.size())
    frames, at, way = [], 0, 1
    for frame in range(FRAMES):
        way = -way if not 0 <= at + way * STEP_PX <= bar.maximum() else way
        at += way * STEP_PX
        came = QRect(0, room.bottom() + 1 - STEP_PX, room.width(), STEP_PX)
        began_s = mono_s()
        bar.setValue(at)
        if frame % FRAMES_A_SECOND == 0:
            view.show_openings(readings[frame // FRAMES_A_SECOND % 4], view.scanner.order)
            came = room
        view.viewport().render(page, came.topLeft(), QRegion(came))
        frames.append(1e3 * (mono_s() - began_s))
    return frames


def _refreshes(
    view: ScannerView, readings: list[Openings]
) -> tuple[list[float], list[float], list[float]]:
    page = QPixmap(view.viewport().size())
    refreshes, resorts, repaints = [], [], []
    for turn in range(REFRESHES):
        reading = readings[turn % len(readings)]
        began_s = mono_s()
        view.show_openings(reading, view.scanner.order)
        told_s = mono_s()
        view.viewport().render(page)
        repaints.append(1e3 * (mono_s() - told_s))
        refreshes.append(1e3 * (told_s - began_s))
        began_s = mono_s()
        order = sorted_rows(reading.net_8h_bp, first_order(reading), descending=True)
        view.show_openings(reading, order)
        resorts.append(1e3 * (mono_s() - began_s))
    return refreshes, resorts, repaints
