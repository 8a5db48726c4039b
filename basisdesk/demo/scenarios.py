"""Named scenarios of the simulated market: a preset of the premium, and what is laid over it.

Every overlay is a pure function of simulated time, the market's anchor (the time its first run
started) and the seed, so that a restarted exchange is in the middle of the same story. All of it
is invented; the crash is sized after 2025-10-10 (-12.6 % in ten minutes, books a tenth as deep).
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.demo.coins import Preset
from basisdesk.demo.funding import INTERVAL_MS, MINUTE_MS
from basisdesk.demo.planted import NOTHING, Planted, opening
from basisdesk.demo.wire import Spec
from basisdesk.errors import SettingsError

Times = NDArray[np.int64]  # simulated UTC ms
Floats = NDArray[np.float64]

FIRST_EPISODE_MS = 60_000  # after the anchor, so that a first run sees one at once
RISE_MS, HOLD_MS = 3 * MINUTE_MS, 2 * MINUTE_MS
DECAY_MS = 9 * MINUTE_MS  # a tenth is left after 21 minutes
EPISODE_MS = 60 * MINUTE_MS  # nothing is left after this
PEAK_BP = (60.0, 80.0)
UP_SHARE = 0.75
DRAWS = 64  # episodes that are drawn at once

CRASH_PERIOD_MS = 6 * 60 * MINUTE_MS
CRASH_START_MS = 3 * MINUTE_MS
CRASH_FALL_MS = 10 * MINUTE_MS
CRASH_RECOVER_MS = 120 * MINUTE_MS
CRASH_DEPTH_BACK_MS = 30 * MINUTE_MS
CRASH_LOG = math.log(1.0 - 0.126)
CRASH_RECOVERED = 0.5  # share of the fall that comes back
CRASH_DEPTH = 0.1
CRASH_PREMIUM_BP = -90.0

FLIP_BP = 22.0  # around -4.5 bp: well beyond the clamp on either side
FLIP_RAMP_MS = 20 * MINUTE_MS

OUTAGE_PERIOD_MS = 10 * MINUTE_MS
OUTAGE_FIRST_MS = 2 * MINUTE_MS
OUTAGE_MS = 2 * MINUTE_MS

DEPEG_START_MS, DEPEG_FALL_MS = 2 * MINUTE_MS, 30 * MINUTE_MS
DEPEG_RECOVER_MS = 12 * 60 * MINUTE_MS
DEPEG_LOG = math.log(1.0 - 0.03)


class Overlay:
    """Something laid over the preset. The base class changes nothing."""

    def __init__(self, anchor_ms: int, seed: int) -> None:
        self.anchor_ms = anchor_ms
        self.seed = seed

    def premium_bp(self, t_ms: Times, coin: int) -> Floats:
        """Added to the premium of coin number `coin`, bp, shape as t_ms."""
        del coin
        return np.zeros(t_ms.shape)

    def log_price(self, t_ms: Times) -> Floats:
        """Added to the log spot price; only its changes matter, so it need not return to 0."""
        return np.zeros(t_ms.shape)

    def log_usd(self, t_ms: Times) -> Floats:
        """Added to the log of the price of one USDT in USD."""
        return np.zeros(t_ms.shape)

    def depth(self, t_ms: int) -> float:
        """Factor on the size of the books."""
        del t_ms
        return 1.0

    def planted(self, spec: Spec) -> Planted:
        """What is different about one instrument, at all times."""
        del spec
        return NOTHING

    def silent(self, conn: str, t_ms: int) -> bool:
        """Whether the connection ("bybit.linear") sends no market data now."""
        del conn, t_ms
        return False


class Decoupling(Overlay):
    """The perp leaves the spot by 60 to 80 bp and comes back within half an hour, repeatedly."""

    period_ms = 60 * MINUTE_MS

    def premium_bp(self, t_ms: Times, coin: int) -> Floats:
        """The sum of the episodes that are running."""
        out = np.zeros(t_ms.shape)
        if t_ms.size == 0:
            return out
        first = int(t_ms.min()) - self.anchor_ms - FIRST_EPISODE_MS - EPISODE_MS
        last = int(t_ms.max()) - self.anchor_ms - FIRST_EPISODE_MS
        for k in range(first // self.period_ms - 1, last // self.period_ms + 1):
            start_ms, peak_bp = self.episode(k, coin)
            lo, hi = np.searchsorted(t_ms, (start_ms, start_ms + EPISODE_MS))
            out[lo:hi] += peak_bp * _hump(t_ms[lo:hi] - start_ms)
        return out

    def episode(self, k: int, coin: int) -> tuple[int, float]:
        """(start ms, signed peak bp) of episode number `k`; number 0 follows the anchor."""
        draw = _draws(self.seed, coin, k // DRAWS)[k % DRAWS]
        start_ms = self.anchor_ms + FIRST_EPISODE_MS + k * self.period_ms
        sign = 1.0
        if k != 0:
            start_ms += round(0.2 * self.period_ms * draw[0])
            sign = 1.0 if draw[1] < UP_SHARE else -1.0
        return start_ms, sign * (PEAK_BP[0] + (PEAK_BP[1] - PEAK_BP[0]) * draw[2])


class OftenDecoupling(Decoupling):
    """The same, about every 35 minutes."""

    period_ms = 35 * MINUTE_MS


class FundingFlip(Overlay):
    """The premium stands far above fair for one funding interval and far below for the next."""

    def premium_bp(self, t_ms: Times, coin: int) -> Floats:
        """A square wave of two intervals with soft edges, the same for all coins."""
        del coin
        phase = t_ms % (2 * INTERVAL_MS)
        since = np.where(phase < INTERVAL_MS, phase, phase - INTERVAL_MS)
        side = np.where(phase < INTERVAL_MS, 1.0, -1.0)
        ramp = -np.cos(np.pi * np.clip(since / FLIP_RAMP_MS, 0.0, 1.0))
        return np.asarray(FLIP_BP * side * ramp)


class Crash(Overlay):
    """Minus 12.6 % in ten minutes with books a tenth as deep; half comes back in two hours."""

    def _since(self, t_ms: Times) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(number of the crash, ms since its start), for each time."""
        from_first = t_ms - self.anchor_ms - CRASH_START_MS
        return from_first // CRASH_PERIOD_MS, from_first % CRASH_PERIOD_MS

    def log_price(self, t_ms: Times) -> Floats:
        """Falls and half recovers; every crash leaves the price lower. None before the anchor."""
        number, since = self._since(t_ms)
        fallen = np.clip(since / CRASH_FALL_MS, 0.0, 1.0)
        back = np.clip((since - CRASH_FALL_MS) / CRASH_RECOVER_MS, 0.0, 1.0)
        kept = 1.0 - CRASH_RECOVERED
        shift = CRASH_LOG * (number * kept + fallen - CRASH_RECOVERED * back)
        return np.asarray(np.where(number >= 0, shift, 0.0))

    def premium_bp(self, t_ms: Times, coin: int) -> Floats:
        """The perp falls first: far below spot at the bottom, back within the half hour."""
        del coin
        number, since = self._since(t_ms)
        down = np.clip(since / CRASH_FALL_MS, 0.0, 1.0)
        away = np.exp(-np.maximum(since - CRASH_FALL_MS, 0) / (CRASH_DEPTH_BACK_MS / 2.0))
        return np.asarray(np.where(number >= 0, CRASH_PREMIUM_BP * down * away, 0.0))

    def depth(self, t_ms: int) -> float:
        """A tenth until half an hour after the bottom."""
        number, since = self._since(np.array([t_ms], dtype=np.int64))
        thin = number[0] >= 0 and since[0] < CRASH_FALL_MS + CRASH_DEPTH_BACK_MS
        return CRASH_DEPTH if thin else 1.0


class OneLegOutage(Overlay):
    """The perp's stream goes silent for two minutes out of every ten."""

    def silent(self, conn: str, t_ms: int) -> bool:
        """Minutes 2 to 4 of every ten since the anchor, on Bybit's perpetuals."""
        phase = (t_ms - self.anchor_ms - OUTAGE_FIRST_MS) % OUTAGE_PERIOD_MS
        return conn == "bybit.linear" and phase < OUTAGE_MS


class Depeg(Overlay):
    """USDT falls 3 % against USD within half an hour and is back after twelve; then none."""

    def log_usd(self, t_ms: Times) -> Floats:
        """A fall that starts two minutes after the anchor, and its slow way back."""
        since = t_ms - self.anchor_ms - DEPEG_START_MS
        fallen = np.clip(since / DEPEG_FALL_MS, 0.0, 1.0)
        back = np.clip((since - DEPEG_FALL_MS) / DEPEG_RECOVER_MS, 0.0, 1.0)
        return np.asarray(DEPEG_LOG * (fallen - back))


class Openings(Overlay):
    """Four cases for a scanner, on five coins: see `planted.CASES`."""

    def planted(self, spec: Spec) -> Planted:
        """The case of the instrument's coin."""
        return opening(spec)


class Scenario(NamedTuple):
    """A named story. `about` is the sentence shown to the user."""

    preset: Preset
    overlays: tuple[Callable[[int, int], Overlay], ...]
    about: str


SCENARIOS: dict[str, Scenario] = {
    "mixed": Scenario(
        "mixed",
        (Decoupling,),
        "Mostly calm premium with manic spells; about once an hour the perp decouples by 60 to "
        "80 bp and converges within half an hour.",
    ),
    "2021 mania": Scenario("mania", (), "Premium and funding as in 2021: warm, sometimes hot."),
    "2025 calm": Scenario("calm", (), "Premium as in 2025: quiet, a little below spot."),
    "funding flip": Scenario(
        "calm", (FundingFlip,), "Funding changes its sign from one settlement to the next."
    ),
    "crash": Scenario(
        "mixed", (Crash,), "Price falls 12.6 % in ten minutes while books thin out to a tenth."
    ),
    "one-leg outage": Scenario(
        "mixed",
        (Decoupling, OneLegOutage),
        "Bybit's perpetual streams are silent for two minutes out of every ten.",
    ),
    "usdt depeg": Scenario(
        "mixed",
        (Decoupling, Depeg),
        "USDT falls 3 % against USD within half an hour and recovers over twelve hours.",
    ),
    "decoupling": Scenario(
        "calm", (OftenDecoupling,), "The perp decouples by 60 to 80 bp about every 35 minutes."
    ),
    "openings": Scenario(
        "calm",
        (Openings,),
        "A quiet market with four openings: PENDLE earns its costs between OKX and Bybit, WIF only "
        "looks so before costs, SYRUP has no depth, TIA and SEI settle each hour on OKX and each 8 "
        "hours elsewhere.",
    ),
}


def scenario_names() -> tuple[str, ...]:
    """Every scenario's name as it is shown."""
    return tuple(SCENARIOS)


def find_scenario(name: str) -> Scenario:
    """The scenario of a name; "a + b" takes the preset of a and the overlays of both.

    Spaces, dashes, underscores and capitals do not matter. Raises SettingsError.
    """
    known = {_plain(key): scenario for key, scenario in SCENARIOS.items()}
    found = []
    for part in name.split("+"):
        scenario = known.get(_plain(part))
        if scenario is None:
            raise SettingsError(
                f"Unknown scenario {part.strip()!r}. Known: {', '.join(SCENARIOS)}; "
                "join two with +."
            )
        found.append(scenario)
    overlays = tuple(dict.fromkeys(make for scenario in found for make in scenario.overlays))
    return Scenario(found[0].preset, overlays, " ".join(scenario.about for scenario in found))


def _plain(name: str) -> str:
    return "".join(ch for ch in name.lower() if ch.isalnum())


@lru_cache(maxsize=256)
def _draws(seed: int, coin: int, block: int) -> list[tuple[float, float, float]]:
    """Three random numbers for each of the DRAWS episodes of a block."""
    rng = np.random.default_rng([seed, 77, coin, block + 2**31])
    return [(row[0], row[1], row[2]) for row in rng.random((DRAWS, 3)).tolist()]


def _hump(since_ms: Times) -> Floats:
    """Shape of one episode: smooth rise to 1, a stay, an exponential way back."""
    rise = 0.5 - 0.5 * np.cos(np.pi * np.minimum(since_ms / RISE_MS, 1.0))
    fall = np.exp(-np.maximum(since_ms - RISE_MS - HOLD_MS, 0) / DECAY_MS)
    return np.asarray(rise * fall)
