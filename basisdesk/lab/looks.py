"""Which data a study looked at, and how often they were looked at before.

A plan that is fixed beforehand says little where the data were seen before: the best of many looks
is good by luck. So each run that is kept notes what it looked at, and the next one is told how
often the same data were looked at: the same digest, or the same series over days that overlap.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from basisdesk.lab.words import LOOKS_LINE, digest

DATE_CHARS = 10
HOLE_H = 24.0  # of a series; a longer one is told first in every study
HOLES_SAID = 4


class Look(msgspec.Struct, frozen=True):
    """A look at one series: its digest, its name, first and last day (UTC dates), the plan's hash.

    digest: over the rows themselves where the study tells it, else over what it tells of them.
    """

    digest: str
    name: str
    first: str
    last: str
    plan: str = ""


def looks_of(study: Mapping[str, Any]) -> list[Look]:
    """What a study looked at; simulated data are nobody's past."""
    block = study.get("pre_registration")
    plan = str(block.get("hash", "")) if isinstance(block, Mapping) else ""
    return [
        Look(
            digest=str(row.get("digest") or digest(row)),
            name=str(row.get("name", "")),
            first=str(row.get("from", row.get("first")) or "")[:DATE_CHARS],
            last=str(row.get("to", row.get("last")) or "")[:DATE_CHARS],
            plan=plan,
        )
        for row in _rows(study)
        if not row.get("simulated")
    ]


def data_name(study: Mapping[str, Any]) -> str:
    """The names of a study's data, as one line has room for them."""
    names = [str(row["name"]) for row in _rows(study) if row.get("name")]
    more = f" and {len(names) - HOLES_SAID} more" if len(names) > HOLES_SAID else ""
    return ", ".join(names[:HOLES_SAID]) + more


class Before(NamedTuple):
    """Earlier runs: on the very same data, of those by the same plan, and on overlapping days."""

    same: int
    again: int
    near: int


def before(mine: Sequence[Look], earlier: Sequence[Sequence[Look]]) -> Before:
    """How many of the earlier runs looked at any of these data. earlier: the looks of each run."""
    same = again = near = 0
    digests, plans = {look.digest for look in mine}, {look.plan for look in mine} - {""}
    for run in earlier:
        if any(look.digest in digests for look in run):
            same += 1
            again += any(look.plan in plans for look in run)
        elif any(_overlap(look, one) for look in run for one in mine):
            near += 1
    return Before(same, again, near)


def with_looks(study: Mapping[str, Any], earlier: Sequence[Sequence[Look]]) -> dict[str, Any]:
    """The study with how often its data were looked at before, in its plan and in its findings."""
    mine = looks_of(study)
    if not mine:
        return dict(study)
    same, again, near = before(mine, earlier)
    count = (
        f"{same} of the very same, {again} of those by this very plan; {near} of the same series "
        "over other, overlapping days"
    )
    block = dict(study.get("pre_registration") or {}) | {LOOKS_LINE: count}
    out = {**study, "pre_registration": block}
    if same + near:
        times = "once" if same + near == 1 else f"{same + near} times"
        out["sentences"] = [
            *study.get("sentences", ()),
            f"These data were looked at {times} before this run ({count}; runs kept in the "
            "profile). What is fixed now was not fixed before those: the best of several looks is "
            "better than it will be.",
        ]
    return out


def with_cautions(study: Mapping[str, Any]) -> dict[str, Any]:
    """The study with what is wrong with its data as its first sentences (key `cautions` too)."""
    said = [
        f"Data: {row.get('name')} has a hole of {hole:,.0f} h, and more than {HOLE_H:g} h is no "
        "small one: stops, targets and liquidations inside it were not seen, and what was held "
        "over it was held blindly."
        for row in _rows(study)
        if (hole := _hole_h(row)) > HOLE_H
    ]
    said += [str(note) for row in _rows(study) for note in row.get("cautions", ())]
    if not said:
        return dict(study)
    if more := len(said) - HOLES_SAID:
        said = said[:HOLES_SAID] + ([f"Data: {more} more such lines."] if more > 0 else [])
    return {**study, "cautions": said, "sentences": [*said, *study.get("sentences", ())]}


def _hole_h(row: Mapping[str, Any]) -> float:
    gap = row.get("longest_gap_s")
    return float(gap) / 3_600.0 if isinstance(gap, int | float) else 0.0


def _overlap(one: Look, other: Look) -> bool:
    if not one.name or one.name != other.name:
        return False
    if not (one.first and other.first and one.last and other.last):
        return True
    return one.first <= other.last and other.first <= one.last


def _rows(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = study.get("data")
    rows = [data] if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else []
    return [row for row in rows if isinstance(row, Mapping)]
