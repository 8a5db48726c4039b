"""The rule of candidates and their ends, registered before the first outcome is known."""

import hashlib
from typing import NamedTuple

S_NS = 1_000_000_000
HOUR_NS = 3_600 * S_NS


class LabelRules(NamedTuple):
    """What is registered before the first outcome. Another rule is another model.

    x_bp, z: least distance from fair value, bp, or least z over 24 h, in the side's direction.
    cooldown_s: between two candidates of one pair and side. latency_ms: until the entry.
    gain_bp: the net profit that is success. stop_bp: by how much the mid basis may widen.
    horizon_h: H. leverage, maintenance: of the perpetual, for its liquidation. borrow_8h_bp:
    interest of the coin that side -1 borrows. away_s: longest pause between two beats over which
    a label is still known (labels.py).
    """

    x_bp: float = 5.0
    z: float = 1.5
    cooldown_s: float = 300.0
    latency_ms: float = 250.0
    gain_bp: float = 10.0
    stop_bp: float = 20.0
    horizon_h: float = 8.0
    leverage: float = 3.0
    maintenance: float = 0.005
    borrow_8h_bp: float = 0.0
    away_s: float = 900.0

    @property
    def horizon_ns(self) -> int:
        """H."""
        return round(self.horizon_h * HOUR_NS)

    @property
    def words(self) -> str:
        """The rule as a person reads it."""
        return (
            f"Candidate: fresh quotes, distance from fair value at least {self.x_bp:g} bp or z over"
            f" 24 h at least {self.z:g} in the side's direction, {self.cooldown_s:g} s after the"
            f" last of the pair and side. Entry at the first executable price {self.latency_ms:g}"
            f" ms later. Success: net {self.gain_bp:g} bp after costs, funding and borrowing,"
            f" before the basis widens by {self.stop_bp:g} bp, before {self.horizon_h:g} h, not"
            f" liquidated at {self.leverage:g}x."
        )

    @property
    def hash(self) -> str:
        """Names the rule: eight hexadecimal digits."""
        return hashlib.blake2b(repr(tuple(self)).encode(), digest_size=4).hexdigest()

    def liquidation(self, direction: int) -> float:
        """Price of the perpetual, as a multiple of its entry, at which the isolated leg ends."""
        part = 1.0 / self.leverage
        return (
            (1.0 + part) / (1.0 + self.maintenance)
            if direction > 0
            else (1.0 - part) / (1.0 - self.maintenance)
        )
