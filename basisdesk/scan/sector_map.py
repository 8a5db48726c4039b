"""The sector map: which coin belongs to which sector. Dated, written by hand, open to editing.

One JSON object, `sectors.json`: "date" (2026-11-21), "source" (who says so), "sectors" (a list of
coins by sector) and, when wanted, "about" (a note to whoever edits it). A coin stands in one
sector at most; coins go by their plain name, without multipliers ("PEPE" for 1000PEPE).

Bytes in, bytes out: the app knows where the file lies.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from basisdesk.errors import SettingsError

BYTES_MAX = 1_000_000
SECTORS_MAX = 16  # more than that no chart can tell apart
COINS_MAX = 2_000  # as many as the overlay may speak of
WIDE = 96  # characters of a line in an editable copy
ABOUT = (
    "A coin stands in one sector at most, under its plain name (PEPE, not 1000PEPE). Coins that "
    "stand nowhere have no sector signal. Give a new date when you change something."
)
_KEYS = ("date", "source", "about", "sectors")
_COIN = re.compile(r"[A-Z0-9]{1,20}")
_SECTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9 &-]{0,19}")
_REMEDY = "Correct the file, or remove it to use the map that comes with the program."


@dataclass(frozen=True)
class SectorMap:
    """Which coin belongs to which sector. order: the sectors as the file has them."""

    date: str
    source: str
    sector_of: Mapping[str, str]
    order: tuple[str, ...]
    about: str = ABOUT
    _members: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members: dict[str, list[str]] = {name: [] for name in self.order}
        for coin, sector in self.sector_of.items():
            members[sector].append(coin)
        frozen = {name: tuple(coins) for name, coins in members.items()}
        object.__setattr__(self, "sector_of", MappingProxyType(dict(self.sector_of)))
        object.__setattr__(self, "_members", MappingProxyType(frozen))

    def members(self, sector: str) -> tuple[str, ...]:
        """The coins of a sector, in the order of the file; none of an unknown one."""
        return self._members.get(sector, ())


def parse_sectors(data: bytes, where: str = "sectors.json") -> SectorMap:
    """The map that a file holds. where: its name, for the message.

    Raises SettingsError with one sentence: what is wrong, where, and what to do.
    """
    raw = _object(data, where)
    if strange := [key for key in raw if key not in _KEYS]:
        raise _wrong(where, f"{strange[0][:40]!r} is no key of it (known: {', '.join(_KEYS)})")
    day, source = _text(raw, "date", where), _text(raw, "source", where)
    about = _text(raw, "about", where) if "about" in raw else ABOUT
    try:
        date.fromisoformat(day)
    except ValueError:
        raise _wrong(where, f"the date {day[:40]!r} is none; write it as 2026-11-21") from None
    sectors = raw.get("sectors")
    if not isinstance(sectors, dict) or not 0 < len(sectors) <= SECTORS_MAX:
        raise _wrong(where, f'"sectors" must name 1 to {SECTORS_MAX} sectors, each with its coins')
    sector_of: dict[str, str] = {}
    for name, coins in sectors.items():
        _take(name, coins, sector_of, where)
    if len(sector_of) > COINS_MAX:
        raise _wrong(where, f"it names {len(sector_of):,} coins, at most {COINS_MAX:,} are read")
    return SectorMap(day, source, sector_of, tuple(sectors), about)


def sector_map_text(sectors: SectorMap) -> bytes:
    """A copy to edit, a sector to a paragraph. `parse_sectors` reads it back as the same map."""
    lines = ["{"]
    for key, text in (
        ("date", sectors.date),
        ("source", sectors.source),
        ("about", sectors.about),
    ):
        lines.append(f"  {json.dumps(key)}: {json.dumps(text, ensure_ascii=False)},")
    lines.append('  "sectors": {')
    for name in sectors.order:
        lines.append(f"    {json.dumps(name)}: [")
        lines.extend(_wrapped(sectors.members(name)))
        lines.append("    ]" if name == sectors.order[-1] else "    ],")
    lines += ["  }", "}", ""]
    return "\n".join(lines).encode()


def _wrapped(coins: tuple[str, ...]) -> list[str]:
    lines, line = [], "     "
    for place, coin in enumerate(coins):
        word = f' "{coin}"' + ("," if place < len(coins) - 1 else "")
        if len(line) + len(word) > WIDE:
            lines.append(line)
            line = "     "
        line += word
    return [*lines, line] if coins else []


def _object(data: bytes, where: str) -> dict[str, Any]:
    if len(data) > BYTES_MAX:
        raise _wrong(where, f"it has {len(data):,} bytes, at most {BYTES_MAX:,} are read")
    try:
        raw = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise _wrong(where, "it is not UTF-8 text") from None
    except json.JSONDecodeError as exc:
        at = f"line {exc.lineno}, column {exc.colno}"
        raise _wrong(where, f"it is not JSON: {exc.msg} at {at}") from None
    except _Twice as exc:
        raise _wrong(where, f"{str(exc)[:40]!r} stands in it twice") from None
    except (RecursionError, ValueError):
        raise _wrong(where, "it is not JSON that can be read") from None
    if not isinstance(raw, dict):
        raise _wrong(where, 'it must be one object with "date", "source" and "sectors"')
    return raw


class _Twice(Exception):  # a key of an object; json would keep the last one and say nothing
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _text(raw: dict[str, Any], key: str, where: str) -> str:
    text = raw.get(key)
    if not isinstance(text, str) or not text.strip() or len(text) > 400 or not text.isprintable():
        raise _wrong(where, f'"{key}" must be one line of text')
    return text


def _take(name: str, coins: Any, sector_of: dict[str, str], where: str) -> None:
    if not _SECTOR.fullmatch(name):
        raise _wrong(where, f"{name[:40]!r} is no name of a sector (1 to 20 letters and digits)")
    if not isinstance(coins, list) or not coins:
        raise _wrong(where, f"sector {name} must be a list of coins")
    for coin in coins:
        if not isinstance(coin, str) or not _COIN.fullmatch(coin):
            said = repr(coin)[:40]
            raise _wrong(where, f"{said} in sector {name} is no coin (capitals and digits)")
        if coin in sector_of:
            both = sector_of[coin]
            twice = f"in {both} and in {name}" if both != name else f"twice in {name}"
            raise _wrong(where, f"{coin} stands {twice}, and a coin has one sector")
        sector_of[coin] = name


def _wrong(where: str, what: str) -> SettingsError:
    return SettingsError(f"Cannot use the sector map {where}: {what}. {_REMEDY}")
