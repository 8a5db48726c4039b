"""The five playbooks as they come."""

from basisdesk.errors import UserError
from basisdesk.playbook.carry import Carry
from basisdesk.playbook.clamp_aware import ClampAware
from basisdesk.playbook.convergence import Convergence
from basisdesk.playbook.decoupling import Decoupling
from basisdesk.playbook.funding_gap import FundingGap
from basisdesk.playbook.words import Playbook

USUAL: tuple[Playbook, ...] = (
    Decoupling(),
    Carry(),
    FundingGap(),
    Convergence(),
    ClampAware(),
)


def find(name: str) -> Playbook:
    """The playbook of a name, as it comes. Raises UserError."""
    for playbook in USUAL:
        if playbook.name == name:
            return playbook
    known = ", ".join(playbook.name for playbook in USUAL)
    raise UserError(f"There is no playbook {name!r}. Known: {known}.")
