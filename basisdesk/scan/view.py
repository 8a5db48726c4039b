"""What the screen reads of the scanner: one object, filled by the app on its own beat."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from basisdesk.scan.words import Composite, Matrix, Openings, Score, SectorView, Strip, Trigger

if TYPE_CHECKING:
    from basisdesk.scan.alert_book import AlertBook


@dataclass
class ScanView:
    """The newest of everything; each part is replaced as a whole, never changed in place.

    version: counts the refreshes. why_empty: one sentence while there is nothing to show.
    seen: the scanner's window is on the screen; it sets this, and the app counts less without it.
    problem: of the history on the disk, in words; "" while all is well.
    """

    openings: Openings | None = None
    strip: Strip = field(default_factory=Strip)
    triggers: tuple[Trigger, ...] = ()
    composites: tuple[Composite, ...] = ()
    matrix: Matrix = field(default_factory=Matrix)
    sectors: SectorView = field(default_factory=SectorView)
    scores: tuple[Score, ...] = ()
    alerts: "AlertBook | None" = None
    version: int = 0
    why_empty: str = "Waiting for the venues' first pages."
    problem: str = ""
    seen: bool = False
