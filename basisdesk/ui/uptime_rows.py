"""How the program itself holds up, as text: stalls of the window, memory, room on the disk."""

from dataclasses import dataclass

from basisdesk.ui.figures import number_text

RSS_WARN_MB = 1_500.0  # three to four times what a day with everything switched on takes


@dataclass
class UptimeFigures:
    """What the app measures of itself. stall_ms: the longest stall, 0 for none.

    rss_mb, free_mb: resident memory, and room on the disk with the profile; 0 until read.
    """

    stall_ms: float = 0.0
    stalls: int = 0
    rss_mb: float = 0.0
    free_mb: float = 0.0


def stalls_text(figures: UptimeFigures) -> str:
    """How long the window ever stood still: "Longest stall 1,240 ms, 3 over 250 ms."."""
    if not figures.stalls:
        return "It never stood still for 250 ms or more."
    times = "once" if figures.stalls == 1 else f"{figures.stalls:,} times"
    return (
        f"It stood still for 250 ms or more {times}, {number_text(figures.stall_ms, 0)} ms at the "
        "longest; the program's log says where."
    )


def memory_text(figures: UptimeFigures) -> str:
    """Memory as the status line shows it, "412 MB"; "" until it was read."""
    return f"{number_text(figures.rss_mb, 0)} MB" if figures.rss_mb else ""


def memory_tip(figures: UptimeFigures) -> str:
    """What that figure is, and where it is too much."""
    return (
        f"Memory the program holds. {number_text(RSS_WARN_MB, 0)} MB is the most it should take; "
        f"{number_text(figures.free_mb / 1e3, 1)} GB are free on the disk with your data."
    )


def memory_warning(rss_mb: float) -> str:
    """The sentence over the window once the program takes too much."""
    return (
        f"basisdesk takes {number_text(rss_mb, 0)} MB of memory, more than the "
        f"{number_text(RSS_WARN_MB, 0)} MB it should. Save the log and restart; your pairs and "
        "ledger are kept. Help > Copy diagnostics is of use in a fault report."
    )
