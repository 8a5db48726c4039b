"""The widest funding gap of a coin between two venues, as the autopilot's playbooks see it."""

import math
from typing import TYPE_CHECKING

from basisdesk.playbook.words import Gap
from basisdesk.scan.words import FRESH
from basisdesk.ui.leg_words import coin_of

if TYPE_CHECKING:
    from basisdesk.scan.view import ScanView
    from basisdesk.scan.words import Combo


class Gaps:
    """The widest funding gap of a coin between two perpetuals, from the scanner's openings."""

    def __init__(self) -> None:
        self._combos: tuple[Combo, ...] | None = None
        self._rows: dict[str, list[int]] = {}

    def of(self, scan: "ScanView", key: str) -> Gap | None:
        """Of the coin of this leg; None while no two venues can be compared."""
        openings = scan.openings
        coin = coin_of(key)
        if openings is None:
            return None
        if openings.combos is not self._combos:
            self._combos, self._rows = openings.combos, {}
            for at, combo in enumerate(openings.combos):
                if ":perp:" in combo.long and ":perp:" in combo.short:
                    self._rows.setdefault(combo.coin, []).append(at)
        fresh = [
            at
            for at in self._rows.get(coin, ())
            if openings.state[at] == FRESH and math.isfinite(openings.rate_8h_bp[at])
        ]
        if not fresh:
            return None
        best = max(fresh, key=lambda at: float(openings.rate_8h_bp[at]))
        legs = [openings.combos[at] for at in fresh]
        venues = {key.partition(":")[0] for each in legs for key in (each.long, each.short)}
        top = openings.combos[best]
        return Gap(
            long=top.long,
            short=top.short,
            gap_8h_bp=float(openings.rate_8h_bp[best]),
            venues=len(venues),
            btc_eth_bp=scan.strip.btc_eth_bp,
        )
