"""A figure in a tooltip over a live figure says that it is an example."""

import re

from basisdesk.ui.glossary import TERMS

FIGURE = re.compile(r": [\u2212+]?\d")  # a sentence that ends in a bare figure


def test_no_sentence_ends_in_a_figure_that_looks_live():
    bare = [name for name, text in TERMS.items() if FIGURE.search(text) and name not in LAWS]
    assert not bare


def test_figures_of_the_forecast_are_examples():
    for name in ("Probability", "p*", "Expected hold", "Settlement", "Edge", "Skill", "Brier",
                 "Base rate", "Contribution", "Coverage"):  # fmt: skip
        assert "for example" in TERMS[name].lower(), name


LAWS = {"bp"}  # a definition, true at any time
