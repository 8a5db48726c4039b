"""The faults a person can practise, from the demo exchange's own list."""

from basisdesk.ui.context import PracticeFault


def practice_faults() -> tuple[PracticeFault, ...]:
    """Name and one sentence of each fault, as the exchange knows them."""
    from basisdesk.demo.faults import fault_kinds

    return tuple(PracticeFault(kind.name, kind.about, kind.on) for kind in fault_kinds())
