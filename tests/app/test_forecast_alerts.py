"""The forecast's confidence as alert rules see it: known where it may be acted upon, else not."""

import math
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from basisdesk.app.alerting import Alerting
from basisdesk.app.forecast_alerts import OLD_S, scores_of
from basisdesk.config import Settings
from basisdesk.forecast.view import ForecastView, PairForecast
from basisdesk.forecast.words import Score
from basisdesk.scan.alert_book import AlertBook
from basisdesk.scan.alert_readings import Reader
from basisdesk.scan.alert_watch import Fired
from basisdesk.scan.alerts import AlertRule, sentence

S = 1_000_000_000
T0 = 1_790_000_000 * S
ADA = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
ETH = "okx:spot:ETH-USDT", "okx:perp:ETH-USDT-SWAP"


def score(p=0.724, **given):
    usual = {
        "p": p, "low": 0.61, "high": 0.81, "p_star": 0.54, "raw": p, "logit": 1.0, "bias": 1.0,
        "contributions": np.zeros(44), "n_eff": 300.0,
    }  # fmt: skip
    return Score(**usual | given)


def forecast(*pairs, **given):
    view = ForecastView(margin=0.02, **given)
    view.pairs = {each.pair: each for each in pairs}
    return view


def desk(*positions):
    return SimpleNamespace(
        settings=Settings(), open_pairs=lambda: list(positions), shown=lambda: None
    )


def held(number, *legs):
    return SimpleNamespace(pair=number, legs=[SimpleNamespace(instrument=leg) for leg in legs])


def read(view, positions=(), now_ns=T0):
    reader = Reader({"ADA": "L1"})
    reader.scores = scores_of(view, lambda: now_ns)
    (found,) = reader.read(None, desk(*positions), {"confidence"}, now_ns)
    return found


def test_a_score_is_read_in_percent_with_its_interval_and_its_line():
    found = read(forecast(PairForecast(ADA, t_ns=T0, score=score())))
    assert found.values.tolist() == [pytest.approx(72.4)]
    said = found.say(0)
    assert said.startswith("Long spot, short perp: 61.0 to 81.0 %; trade: p 72.4 %")
    assert "p* 54.0 % + 2 %" in said
    for scope in ("*", "ADA", "bybit", "sector:L1", " ".join(ADA)):
        assert list(found.places.rows(scope)) == [0], scope


@pytest.mark.parametrize(
    "given",
    [
        {"score": score(abstain=("drift under review",))},
        {"score": None},
        {"score": score(), "t_ns": T0 - round((OLD_S + 1) * S)},
    ],
)
def test_what_may_not_be_acted_upon_is_not_known(given):
    found = read(forecast(PairForecast(ADA, **{"t_ns": T0} | given)))
    assert math.isnan(found.values[0])


def test_a_forecast_that_stopped_says_nothing():
    view = forecast(PairForecast(ADA, t_ns=T0, score=score()), problem="It stopped.")
    assert len(read(view).values) == 0
    assert len(read(None).values) == 0


def test_a_held_pair_answers_to_its_number_and_the_reverse_side_to_its_legs():
    reverse = PairForecast(ETH, t_ns=T0, direction=-1, score=score(0.6))
    view = forecast(PairForecast(ADA, t_ns=T0, score=score()), reverse)
    found = read(view, [held(7, *ADA)])
    assert list(found.places.rows("7")) == [0]
    assert list(found.places.rows(" ".join(ETH[::-1]))) == [1]


def test_a_rule_on_it_fires_once_it_crosses():
    rule = AlertRule("conf", "Likely", "confidence", "ADA", "over", 70.0, 0, 900, 5)
    assert sentence(rule) == (
        "Tells you when the confidence of ADA is over 70.0 %, at most every 15 min for the same "
        "one. A new crossing counts after it went back by 5 %."
    )
    book = AlertBook([rule])
    before = forecast(PairForecast(ADA, t_ns=T0, score=score(0.65)))
    assert book.judge([read(before)], T0) == []
    after = msgspec.structs.replace(score(), p=0.75)
    fired = book.judge([read(forecast(PairForecast(ADA, t_ns=T0 + S, score=after)))], T0 + S)
    (only,) = fired
    assert (only.value, only.unit) == (pytest.approx(75.0), "%")
    assert "trade: p 75.0 %" in only.text


def test_a_liquidation_is_told_before_a_confidence(tmp_path):
    told = []
    ears = SimpleNamespace(notify=lambda *said: told.append(said) or True, beep=lambda: None)
    alerting = Alerting(tmp_path, desk(), SimpleNamespace(alerts=None), ears)
    sure, near = (
        Fired(T0, name, name, f"{name}.", 80.0, "%", (), 1, ("notify",), name)
        for name in ("confidence", "liq_distance")
    )
    alerting.tell((sure, near))
    assert told[0][0] == "liq_distance"
