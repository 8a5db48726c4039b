"""Where bases came to rest: a few pairs a step, both ways round, renewed as time goes."""

import math

import numpy as np
import pytest

from basisdesk.events import ScanPast
from basisdesk.market.past import Past
from basisdesk.scan import resting
from basisdesk.scan.resting import Resting
from basisdesk.scan.words import Combo

NOW = 29_833_440  # minutes
KEYS = ("a:perp:XUSDT", "b:perp:XUSDT", "c:spot:XUSDT")


def combos(*pairs):
    return tuple(Combo("X", "perp-perp", KEYS[a], KEYS[b]) for a, b in pairs)


def past_of(*prices, minutes=800):
    past = Past(30)
    for key, price in zip(KEYS, prices, strict=False):
        rows = tuple(((NOW - minutes + k) * 60_000, price) for k in range(minutes))
        past.learn(ScanPast(key, rows))
    return past


def test_a_pair_and_its_reverse():
    found = Resting()
    found.align(combos((0, 1), (1, 0), (2, 0)))
    assert np.isnan(found.logs).all()
    found.step(past_of(100.0, 101.0, 99.0), NOW)
    assert found.logs[0] == pytest.approx(math.log(1.01), abs=2e-6)
    assert found.logs[1] == -found.logs[0]
    assert found.logs[2] == pytest.approx(math.log(100 / 99), abs=2e-6)


def test_a_few_at_a_time_and_again_when_they_are_old(monkeypatch):
    monkeypatch.setattr(resting, "LOOKS", 1)
    found, past = Resting(), past_of(100.0, 101.0, 99.0)
    found.align(combos((0, 1), (0, 2)))
    found.step(past, NOW)
    assert np.isfinite(found.logs).sum() == 1
    found.step(past, NOW)
    before = found.logs.copy()
    assert np.isfinite(before).all()
    other = past_of(100.0, 105.0, 90.0)
    found.step(other, NOW + 9)
    assert (found.logs == before).all()
    for _ in range(2):
        found.step(other, NOW + 10)
    assert (found.logs != before).all()


def test_little_is_nothing_and_is_looked_at_again():
    found = Resting()
    found.align(combos((0, 1)))
    found.step(past_of(100.0, 101.0, minutes=700), NOW)
    assert np.isnan(found.logs).all()
    found.step(Past(30), NOW)
    found.step(past_of(100.0, 101.0), NOW)
    assert np.isfinite(found.logs).all()


def test_what_is_known_of_a_pair_stays_with_it():
    found = Resting()
    found.align(combos((0, 1), (0, 2)))
    found.step(past_of(100.0, 101.0, 99.0), NOW)
    log = found.logs[0]
    found.align(combos((1, 2), (1, 0)))
    assert math.isnan(found.logs[0])
    assert found.logs[1] == -log
