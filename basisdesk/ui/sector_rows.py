"""Sectors as texts: table cells, labels of lines, what the rotation block says. Pure, no Qt."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.scan.sector_states import IN_LINE
from basisdesk.scan.words import SectorRow, SectorView
from basisdesk.ui.figures import NOTHING, sign_text
from basisdesk.ui.times import date_text

Floats = NDArray[np.float64]

STATES_MAX = 3  # told in full; the others by name
SAID_MAX = 4  # sentences in all
SCALE_SHARE = 98.0  # percentile of all divergences that is painted in full colour
SCALE_BP_MIN = 0.5
STATE_WORDS = {"hot": "longs crowd in", "cold": "shorts crowd in", "calm": "calm"}
STATE_TONES = {"hot": "perp", "cold": "spot", "calm": "muted"}


class Said(NamedTuple):
    """A line of the rotation block, with its colour by meaning."""

    text: str
    tone: str = "text"


class End(NamedTuple):
    """The right end of a line: where it stands and what is written there. NaN: not known now."""

    name: str
    z: float
    text: str


def bp_text(value: float) -> str:
    """A rate or a difference of rates, bp per 8 h: "+1.25"."""
    return sign_text(value, 2)


def z_text(value: float) -> str:
    """A z, with its sign: "+1.6"."""
    return sign_text(value, 1)


def pct_text(value: float) -> str:
    """A move of price, %: "+4.1"."""
    return sign_text(value, 1)


def liquid_text(row: SectorRow) -> str:
    """How many of its watched coins trade enough: "5 of 7"."""
    return f"{row.liquid} of {row.members}"


def since_text(row: SectorRow, utc: bool) -> str:
    """Since when a state holds; an en dash for calm, which is no event."""
    if row.state == "calm" or not row.since_ms:
        return NOTHING
    return date_text(row.since_ms * 1_000_000, utc)


def state_text(row: SectorRow) -> str:
    """The state in words; an en dash where a sector has too few coins or too little past."""
    return STATE_WORDS[row.state] if row.state != "calm" or math.isfinite(row.z) else NOTHING


def ends_of(view: SectorView) -> list[End]:
    """What stands at the right of each line, in the order of the map; none of unknown lines."""
    found = []
    for row in view.rows:
        line = view.z_lines.get(row.name)
        if line is None or not np.isfinite(line).any():
            continue
        last = float(line[-1])
        found.append(End(row.name, last, f"{row.name} {z_text(last)}"))
    return found


def rotation_lines(view: SectorView) -> list[Said]:
    """What a person should know: the states first, then what is near one or not known at all."""
    rows = sorted(view.rows, key=lambda row: -abs(row.z) if math.isfinite(row.z) else 0.0)
    if not any(row.words for row in rows):
        return []  # the verdict says why
    states = [row for row in rows if row.state != "calm"]
    lines = [Said(row.words, "text") for row in states[:STATES_MAX]]
    if len(states) > STATES_MAX:
        lines.append(Said(_more(states[STATES_MAX:])))
    calm = [row for row in rows if row.state == "calm"]
    unknown = [row.name for row in calm if math.isnan(row.z)]
    if calm and not states and len(unknown) < len(calm):
        lines.append(Said("No sector is over the line: nothing crowds in.", "muted"))
    near = [
        row
        for row in calm
        if row.words and math.isfinite(row.z) and not row.words.endswith(IN_LINE)
    ]
    told = max(1, SAID_MAX - len(lines))
    lines += [Said(row.words, "muted") for row in near[:told]]
    if len(near) > told:
        lines.append(Said(_more(near[told:]), "muted"))
    if unknown:
        lines.append(Said(f"Too little is known of {', '.join(unknown)}.", "muted"))
    return lines


def _more(rows: Sequence[SectorRow]) -> str:
    names = [f"{row.name} {z_text(row.z)}" for row in rows]
    return f"And {', '.join(names)}."


def map_text(view: SectorView) -> str:
    """Which map this stands on: "Sectors as of 2026-11-21, 2 coins in none"."""
    if not view.map_date:
        return ""
    count = len(view.unmapped)
    coins = "1 coin in none" if count == 1 else f"{count} coins in none"
    return f"Sectors as of {view.map_date}" + (f", {coins}" if count else "")


def map_tip(view: SectorView) -> str:
    """Who made the map, which watched coins it does not know, and where to change it."""
    if not view.map_date:
        return ""
    said = f"{view.map_source}, {view.map_date}."
    if view.unmapped:
        said += f"\nWatched coins in no sector, without a signal: {', '.join(view.unmapped)}."
    return said + "\nA file sectors.json in the profile folder replaces this map."


def scale_bp(lines: Sequence[Floats]) -> float:
    """The divergence that a heat map paints in full colour: most lie within it."""
    known = [np.abs(line[np.isfinite(line)]) for line in lines]
    values = np.concatenate(known) if known else np.empty(0)
    if not len(values):
        return SCALE_BP_MIN
    return max(SCALE_BP_MIN, float(np.percentile(values, SCALE_SHARE)))


def cell_tip(name: str, t_ms: int, value: float, utc: bool) -> str:
    """What a cell of the heat map says under the pointer."""
    when = f"{date_text(t_ms * 1_000_000, utc)}{' UTC' if utc else ''}"
    if not math.isfinite(value):
        return f"{name}, {when}: not known, fewer than four coins or half of them."
    side = "more than" if value > 0 else "less than"
    return f"{name}, {when}: {bp_text(value)} bp per 8 h, longs paid {side} in the whole market."
