"""The soak in short: random faults of every kind, and no price is shown that was not true."""

import importlib
import logging
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[1] / "packaging"

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.timeout(180)]


@pytest.fixture
def soak(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGING))
    logging.disable(logging.WARNING)  # what is refused and cut is the point
    yield importlib.import_module("soak")
    logging.disable(logging.NOTSET)


def test_twenty_seconds_of_random_faults_show_no_wrong_price(soak, tmp_path):
    report = soak.soak(soak.SoakOptions(seconds=20.0, seed=7, fault_s=2.0, trade_s=4.0), tmp_path)
    assert report.wrong == []
    assert report.errors == []
    assert report.not_live == []
    assert report.books_wrong == []
    assert report.check_problems == []
    assert report.leaked_tasks == []
    assert report.ok
    assert sum(report.faults.values()) >= 10
    assert report.live_samples > 500
    assert report.opened > 0
