"""A simulated universe of sectors in which funding follows returns and foretells nothing.

Steps of 8 h. Returns are a market, a sector and a coin factor with fat tails and a volatility that
clusters; leverage demand is a market, a sector and a coin part that follow what prices did, and
funding is the venue's clamp on that demand. With an edge, sectors drift after their own events and
after nothing else, so that one sees what detection looks like. SIMULATED wherever it is told.
"""

import math

import numpy as np

from basisdesk.lab.rotation_events import events_of, story_of
from basisdesk.lab.rotation_panel import (
    STAMPS_A_DAY,
    Maps,
    Panel,
    Plan,
    dated,
    month_turnover,
)
from basisdesk.scan.sector_map import SectorMap
from basisdesk.scan.sector_series import STEP_MS, Floats

SECTORS, COINS = 8, 9  # sectors, coins of each: 72, of which the 60 most traded take part
START_MS = 1_672_531_200_000  # 2023-01-01 00:00 UTC
MAP_DATE = "2022-12-31"
YEAR_STEPS = 365 * STAMPS_A_DAY
MARKET_SD_YEAR, SECTOR_SD_YEAR, COIN_SD_YEAR = 0.60, 0.60, 0.80
TAIL = 4.0  # degrees of freedom of a step's move
VOLATILITY_HL_D, VOLATILITY_SD = 20.0, 0.45  # of the log of the volatility, common to all
DEMAND_HL_D = 5.0  # of a sector's leverage demand
FOLLOWS = 0.6  # share of a demand's deviation that comes from past returns
DEMAND_SD_BP = (6.4, 4.5, 4.5)  # market, sector, coin: of the premium in bp per 8 h
INTEREST_BP, CLAMP_BP = 1.0, 5.0
LEVEL_BP = 2.0  # of the premium: about 40 % of rates at the interest, 22 % below zero
TURNOVER_SD = 1.0  # of its log, between coins
TURNOVER_HL_D = 60.0


def simulated(years: float, seed: int, edge_bp: float = 0.0, plan: Plan | None = None) -> Panel:
    """A world of so many years. edge_bp: relative sector return over the 48 h after an event.

    The same arguments give the same world, bit for bit. A spike is followed by that much, a drop
    by as much below zero, in even steps from the settlement after the event on.
    """
    plan = plan or Plan()
    rng = np.random.default_rng([seed, 20_262])
    steps = round(years * YEAR_STEPS)
    moves, sector_moves = _returns(steps, rng)
    rate = _funding(moves, sector_moves, rng)
    step_turnover = _turnover(steps, rng)
    panel = Panel(
        name=f"SIMULATED {years:g} years, edge {edge_bp:g} bp, seed {seed}",
        simulated=True,
        stamps_ms=START_MS + STEP_MS * np.arange(steps, dtype=np.int64),
        coins=coins(),
        rate=rate,
        log_price=np.cumsum(moves, axis=0),
        turnover=month_turnover(step_turnover, plan.volume_days),
        notes=("This world is SIMULATED: funding follows returns and foretells nothing.",)
        if not edge_bp
        else (f"This world is SIMULATED with an edge of {edge_bp:g} bp planted after events.",),
    )
    return _planted(panel, edge_bp, plan) if edge_bp else panel


def coins() -> tuple[str, ...]:
    """Names of the simulated coins, sector by sector."""
    return tuple(f"S{sector}C{coin}" for sector in range(SECTORS) for coin in range(COINS))


def simulated_maps() -> Maps:
    """The sectors of the simulated coins, known from the start."""
    sector_of = {coin: f"Sector {1 + i // COINS}" for i, coin in enumerate(coins())}
    order = tuple(f"Sector {1 + i}" for i in range(SECTORS))
    return dated([SectorMap(MAP_DATE, "the simulator", sector_of, order)])


def _returns(steps: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(T x C log returns, T x G of them that sectors have alone)."""
    wild = VOLATILITY_SD * _slow(rng.standard_normal((steps, 1)), VOLATILITY_HL_D)
    wild = np.exp(wild - VOLATILITY_SD**2)  # mean square 1
    scale = math.sqrt((TAIL - 2.0) / TAIL / YEAR_STEPS)

    def moves(count: int, sd_year: float) -> Floats:
        return np.asarray(sd_year * scale * wild * rng.standard_t(TAIL, (steps, count)))

    sector = moves(SECTORS, SECTOR_SD_YEAR)
    own = moves(SECTORS * COINS, COIN_SD_YEAR)
    return moves(1, MARKET_SD_YEAR) + np.repeat(sector, COINS, axis=1) + own, sector


def _funding(moves: Floats, sector_moves: Floats, rng: np.random.Generator) -> Floats:
    """T x C, bp per 8 h: premium P of the demand, and P + clamp(I - P) as venues settle it."""
    whole = moves.mean(axis=1, keepdims=True)
    parts = (whole, sector_moves, moves - np.repeat(sector_moves, COINS, axis=1) - whole)
    demand = np.zeros_like(moves)
    for part, sd in zip(parts, DEMAND_SD_BP, strict=True):
        noise = _slow(rng.standard_normal(part.shape), DEMAND_HL_D)
        drawn = _slow(np.tanh(part / (2.0 * part.std())), DEMAND_HL_D)
        follows = FOLLOWS * drawn / drawn.std() + math.sqrt(1.0 - FOLLOWS**2) * noise
        demand += np.repeat(sd * follows, moves.shape[1] // part.shape[1], axis=1)
    premium = demand + LEVEL_BP
    rate = premium + np.clip(INTEREST_BP - premium, -CLAMP_BP, CLAMP_BP)
    return np.asarray(rate)


def _turnover(steps: int, rng: np.random.Generator) -> Floats:
    """T x C of each 8 h, quote: coins differ and their ranks change over the months."""
    base = TURNOVER_SD * rng.standard_normal(SECTORS * COINS)
    drift = 0.5 * _slow(rng.standard_normal((steps, SECTORS * COINS)), TURNOVER_HL_D)
    return np.asarray(5e6 * np.exp(base + drift))


def _slow(noise: Floats, half_life_d: float) -> Floats:
    """Ornstein-Uhlenbeck of that half-life with about the deviation of the noise, columns alone."""
    keep = 0.5 ** (1.0 / (half_life_d * STAMPS_A_DAY))
    pushed = noise * math.sqrt(1.0 - keep * keep)
    pushed[0] = noise[0]
    found = np.empty_like(pushed)
    now = np.zeros(noise.shape[1])
    for row, push in enumerate(pushed):
        now = keep * now + push
        found[row] = now
    return found


def _planted(panel: Panel, edge_bp: float, plan: Plan) -> Panel:
    # prices only: funding stays what it was, so events do too
    story = story_of(panel, simulated_maps(), plan)
    events = events_of(story, panel.stamps_ms, plan)
    end = plan.horizons[-1]
    steps = end - plan.start
    moves = np.zeros_like(panel.log_price)
    for at, sector, side in zip(events.at, events.sector, events.side, strict=True):
        members = story.sector_of[at] == sector
        share = members.sum() / max(1, np.count_nonzero(story.universe[at]))
        relative = edge_bp * 1e-4 / (1.0 - share)  # the universe holds the sector too
        last = min(at + end, len(moves) - 1)
        moves[at + plan.start + 1 : last + 1, members] += side * relative / steps
    return panel._replace(log_price=panel.log_price + np.cumsum(moves, axis=0))
