"""Random markets, orders, failures and restarts: the money adds up after every single step.

The long run of 200 seeds of 10,000 steps: BASISDESK_SEEDS=200 BASISDESK_STEPS=10000.
"""

import os

import pytest
from money_machine import Machine

SEEDS = int(os.environ.get("BASISDESK_SEEDS", "6"))
STEPS = int(os.environ.get("BASISDESK_STEPS", "500"))
FIRST = int(os.environ.get("BASISDESK_FIRST_SEED", "0"))


@pytest.mark.timeout(120 + STEPS)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_money_adds_up_after_every_step(seed):
    machine = Machine(seed)
    begun_ns = machine.now
    for _ in range(STEPS):
        machine.step()
    hours = (machine.now - begun_ns) / 3.6e12
    print(f"seed {seed}: {STEPS} steps, {hours:.0f} hours of market, 0 violations")
    assert machine.shadow.counts["PairOpened"] > 0
    assert machine.shadow.counts["PairReduced"] > 0
    if STEPS >= 10_000:
        assert machine.missed() == []
