"""Every key of the settings has words, a row that round-trips, and refusals in one sentence."""

import msgspec
import pytest

from basisdesk.config import CHANNELS, FEES, OWN, Fees, IndicatorSource, Network, Settings
from basisdesk.ui.resources import resource
from basisdesk.ui.settings_draft import RATES, Draft, tiers_of
from basisdesk.ui.settings_rows import (
    caption,
    fields_of,
    fixed_fields,
    indicator_fields,
    matches,
    range_text,
    said,
    shown,
    value_of,
)
from basisdesk.ui.settings_texts import CHOICES, GROUPS, WORDS
from basisdesk.ui.settings_typed import read, stepped

FIELDS = {field.key: field for field in (*fixed_fields(), *indicator_fields("fear"))}
TIERS = tiers_of(resource("fees.toml").read_bytes())


def leaves(value, key=""):
    """Every dotted key of settings as the file would hold them."""
    if not isinstance(value, dict):
        return [key]
    return [each for name, inner in value.items() for each in leaves(inner, f"{key}.{name}")]


def test_every_key_has_a_row_with_words_and_no_words_stand_without_a_key():
    told = Settings(
        paper=msgspec.structs.replace(Settings().paper, venue_latency_ms=dict.fromkeys(FEES, 1)),
        feeds={venue: dict.fromkeys(names, "x") for venue, names in CHANNELS.items()},
        forecast=msgspec.structs.replace(
            Settings().forecast, indicators={"fear": IndicatorSource(file="x.csv")}
        ),
    )
    keys = {key.removeprefix(".") for key in leaves(msgspec.to_builtins(told))}
    assert set(FIELDS) == keys
    assert {field.pattern for field in FIELDS.values()} == set(WORDS)
    tables = {table for group in GROUPS for table in group.keys}
    assert {key.split(".")[0] for key in keys} | {"forecast.indicators"} == tables


@pytest.mark.parametrize("key", sorted(WORDS))
def test_words_are_a_title_and_a_sentence_and_every_number_has_a_unit_or_is_a_count(key):
    words = WORDS[key]
    assert words.title[0].isupper() or words.title[0] == "{"
    assert words.about.endswith(".")
    numbers = [f for f in FIELDS.values() if f.pattern == key and f.kind in ("number", "band")]
    assert bool(words.unit) == bool(numbers), key
    assert words.scale == 1 or words.unit.startswith("%")
    for field in numbers:
        assert range_text(field), key


def test_every_choice_reads_as_words():
    codes = {code for f in FIELDS.values() for code in f.choices if code.islower()}
    assert codes <= set(CHOICES)


def test_what_an_editor_shows_reads_back_as_exactly_that():
    plain = Settings()
    for field in fixed_fields():
        if field.kind in ("number", "text", "list", "band", "cuts"):
            value = value_of(plain, field.key)
            found = read(field, shown(field, value))
            assert (found.value, found.problem) == (value, ""), field.key


def test_percent_on_the_screen_and_the_fraction_in_the_file_stand_side_by_side():
    reserve = FIELDS["risk.reserve"]
    assert shown(reserve, 0.07) == "7"
    assert read(reserve, "7").value == 0.07
    assert caption(reserve, 0.07) == (
        "0 to 90 % of equity \u00b7 default 5 % of equity \u00b7 now risk.reserve = 0.07"
    )
    interest = FIELDS["borrow.bybit.hourly_rate"]
    assert shown(interest, 0.000_001_502_122) == "0.0001502122"
    assert said(FIELDS["feeds.okx.public"], "") == "wss://ws.okx.com:8443/ws/v5/public"
    assert caption(FIELDS["feeds.okx.public"], "").endswith("feeds.okx.public is not set")
    assert "above 0, at most 100 %" in caption(FIELDS["risk.drawdown_max"], 0.1)
    told = caption(FIELDS["network.proxy"], "http://me:secret@p.example:8")
    assert "secret" not in told
    assert "http://***@p.example:8" in told


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("risk.drawdown_max", "0", "0 % of equity is outside: above 0, at most 100 %"),
        ("risk.drawdown_max", "-3", "\u22123 % of equity is outside"),
        ("risk.drawdown_max", "a lot", "Enter a figure"),
        ("risk.drawdown_max", "", "Enter a figure"),
        ("risk.pairs_max", "2.5", "2.5 is not a whole number"),
        ("scanner.normal_band", "0.1", "Give both ends"),
        ("scanner.normal_band", "0.2 to 0.1", "Swap them"),
        ("scanner.coins", "", "Give one at least"),
        ("scanner.coins", "BTC <b>", "Give symbols"),
        ("risk.size_cuts", "half", "Give share and factor"),
        ("risk.size_cuts", "120 %: 0.5", "within 0 to 100 %"),
        ("network.proxy", "socks5://h:1", "Give http://HOST:PORT"),
        ("network.proxy", "http://***@h:1", "Give http://HOST:PORT"),
        ("feeds.bybit.spot", "http://h", "Give wss://HOST/PATH"),
        ("tape.folder", "tapes", "Give an absolute path"),
        ("forecast.indicators.fear.url", "ftp://h", "Give https://HOST/PATH"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(key, text, words):
    found = read(FIELDS[key], text)
    assert words in found.problem
    assert found.problem.endswith(".")
    assert "\n" not in found.problem


def test_an_arrow_moves_by_the_second_digit_and_stays_within_the_limits():
    assert stepped(FIELDS["fees.bybit.perp_taker"], "0.055", 1) == "0.056"
    assert stepped(FIELDS["risk.quote_age_ms_max"], "2,000", -1) == "1,900"
    assert stepped(FIELDS["risk.reserve"], "90", 1) == "90"
    assert stepped(FIELDS["risk.drawdown_max"], "0", -1) == "0"
    assert stepped(FIELDS["risk.reserve"], "lots", 1) == "lots"


def test_a_search_finds_by_title_key_and_sentence():
    assert matches(FIELDS["risk.reserve"], "reserve")
    assert matches(FIELDS["risk.reserve"], "RISK idle")
    assert matches(FIELDS["scanner.poll_s"], "poll_s")
    assert not matches(FIELDS["risk.reserve"], "reserve webhook")


def test_the_first_tier_of_each_venue_is_the_default_and_every_tier_is_sourced_and_dated():
    assert set(TIERS) == set(FEES)
    for venue, tiers in TIERS.items():
        fees = FEES[venue]
        assert tiers[0].rates == tuple(getattr(fees, name) for name in RATES)
        assert tiers[0].source == fees.source
        assert len({tier.rates for tier in tiers}) == len(tiers)
        for tier in tiers:
            assert "read 2026-" in tier.source
            msgspec.convert(dict(zip(RATES, tier.rates, strict=True)), Fees)


def test_a_tier_fills_in_the_rates_and_own_rates_say_so():
    draft = Draft(Settings())
    tier = TIERS["bybit"][1]
    draft.put_tier("bybit", tier)
    changes = draft.changes()
    assert changes["fees.bybit.perp_taker"] == 0.0004
    assert changes["fees.bybit.source"] == tier.source
    assert draft.tier("bybit", TIERS["bybit"]) == tier
    draft.put_text("fees.bybit.perp_taker", "0.045")
    assert draft.value("fees.bybit.source") == OWN
    assert draft.changes()["fees.bybit.source"] is None  # loading names it so by itself
    assert draft.tier("bybit", TIERS["bybit"]) is None
    draft.put_tier("bybit", TIERS["bybit"][0])
    assert draft.changes() == {}


def test_back_from_own_rates_the_file_names_nothing_of_the_venue():
    fees = Fees(perp_taker=0.0003, source=OWN)
    draft = Draft(Settings(fees={**FEES, "bybit": fees}))
    draft.reset(("fees.bybit.perp_taker",))
    assert draft.value("fees.bybit.source") == FEES["bybit"].source
    made = draft.changes()
    assert set(made) == {key for key in FIELDS if key.startswith("fees.bybit.")}
    assert set(made.values()) == {None}


def test_a_wrong_text_stays_and_the_last_good_value_holds():
    draft = Draft(Settings())
    draft.put_text("risk.reserve", "95")
    assert draft.text("risk.reserve") == "95"
    assert "outside" in draft.problem("risk.reserve")
    assert draft.value("risk.reserve") == 0.05
    assert draft.changes() == {}
    draft.rebase(Settings(network=Network("http://p:1")))
    assert draft.text("risk.reserve") == "95"
    draft.put_text("risk.reserve", "5")
    assert draft.problems() == {}


def test_outside_numbers_come_and_go():
    had = {"fear": IndicatorSource(file="x.csv", feature=True)}
    told = Settings(forecast=msgspec.structs.replace(Settings().forecast, indicators=had))
    draft = Draft(told)
    draft.drop_indicator("fear")
    draft.add_indicator("greed")
    draft.put_text("forecast.indicators.greed.url", "https://x.example/y")
    draft.put("forecast.indicators.greed.signed", False)
    assert draft.indicators() == ["greed"]
    draft.rebase(told)
    assert draft.changes() == {
        "forecast.indicators.fear": None,
        "forecast.indicators.greed.url": "https://x.example/y",
        "forecast.indicators.greed.signed": False,
    }
    draft.undo()
    assert draft.indicators() == ["fear"]
    assert set(draft.fields) == set(fields_of(told))


def test_all_to_defaults_leaves_nothing_in_the_file_but_outside_numbers():
    told = Settings(network=Network("http://p:1"), fees={**FEES, "okx": Fees(0.0001, source="x")})
    draft = Draft(told)
    draft.reset_all()
    made = draft.changes()
    assert made["network.proxy"] is None
    assert made["fees.okx.source"] is None
    assert set(made.values()) == {None}
    assert not any(draft.differs(key) for key in draft.fields)
