"""A named figure as text: what small tables of facts are made of. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure by name. figure: what `Engine.explain` calls it, "" where it is no money.

    meaning: a colour token, "" for plain. tip: one sentence with a figure.
    """

    name: str
    text: str
    meaning: str = ""
    tip: str = ""
    figure: str = ""
