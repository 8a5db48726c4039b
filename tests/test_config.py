from decimal import Decimal

import msgspec
import pytest

from basisdesk.config import CHANNELS, Fees, Settings, exact, load_settings
from basisdesk.errors import SettingsError
from basisdesk.venues import known_venues


def test_no_file_means_the_defaults(tmp_path):
    assert load_settings(None) == load_settings(tmp_path / "none.toml") == Settings()


def test_a_file_changes_only_what_it_names(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        '[paper]\nlatency_ms = 5\n[fees.kraken]\nspot_taker = 0.004\n[feeds.bybit]\nspot = "wss://x"\n'
    )
    settings = load_settings(path)
    assert settings.paper.latency_ms == 5
    assert settings.risk == Settings().risk
    assert settings.fees_of("kraken").spot_taker == 0.004
    assert settings.feeds == {"bybit": {"spot": "wss://x"}}


def test_an_unknown_venue_has_the_default_fees():
    assert Settings().fees_of("nowhere").perp_taker == 0.00055


@pytest.mark.parametrize("leverage", ["5.01", "10", "0.5", "nan"])
def test_leverage_above_five_cannot_be_set(tmp_path, leverage):
    path = tmp_path / "settings.toml"
    path.write_text(f"[risk]\nleverage_max = {leverage}\n")
    with pytest.raises(SettingsError, match="leverage_max"):
        load_settings(path)


def test_every_file_cut_anywhere_loads_or_says_one_sentence(tmp_path):
    path = tmp_path / "settings.toml"
    whole = '[paper]\nlatency_ms = 250\n[ui]\ntheme = "light"\n[risk]\nquote_age_ms_max = 3000\n'
    for end in range(len(whole)):
        path.write_text(whole[:end])
        try:
            load_settings(path)
        except SettingsError as exc:
            assert "\n" not in str(exc)


def test_a_number_of_the_settings_becomes_the_decimal_that_was_written():
    assert exact(0.00055) == Decimal("0.00055")
    assert exact(1.502122e-06) == Decimal("0.000001502122")


def test_settings_survive_a_tape_header():
    settings = Settings()
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


def test_every_venue_has_its_own_base_tier_and_says_where_it_came_from():
    settings = Settings()
    taker = {venue: (row.spot_taker, row.perp_taker) for venue, row in settings.fees.items()}
    assert taker == {
        "bybit": (0.001, 0.00055),
        "binance": (0.001, 0.0005),
        "okx": (0.001, 0.0005),
        "kraken": (0.004, 0.0005),
    }
    assert settings.fees_of("okx").spot_maker == 0.0008
    assert settings.fees_of("kraken").spot_buy_fee_in == "quote"
    assert {settings.fees_of(venue).spot_buy_fee_in for venue in ("bybit", "okx", "binance")} == {
        "base"
    }
    assert all("2026" in row.source for row in settings.fees.values())
    assert settings.borrow_rate("bybit") == Decimal("0.000001502122")
    assert settings.borrow_rate("kraken") * 4 == Decimal("0.0002")
    assert "approximate" in settings.borrow_of("kraken").source
    assert all(settings.borrow_of(venue).source for venue in settings.fees)


def test_a_file_for_one_venue_leaves_the_others_and_its_own_other_fees(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[fees.kraken]\nspot_taker = 0.002\n[borrow.okx]\nhourly_rate = 0.00001\n")
    settings, plain = load_settings(path), Settings()
    kraken = settings.fees_of("kraken")
    assert (kraken.spot_taker, kraken.spot_maker) == (0.002, 0.0025)
    assert (kraken.perp_taker, kraken.spot_buy_fee_in) == (0.0005, "quote")
    assert kraken.source == "your settings"
    for venue in ("bybit", "binance", "okx"):
        assert settings.fees_of(venue) == plain.fees_of(venue)
    assert settings.borrow_rate("okx") == Decimal("0.00001")
    assert settings.borrow_of("okx").source == "your settings"
    assert settings.borrow_of("bybit") == plain.borrow_of("bybit")


def test_settings_made_in_code_for_one_venue_keep_the_others_base_tier():
    settings = Settings(fees={"bybit": Fees(spot_taker=0.0)})
    assert settings.fees_of("kraken").spot_taker == 0.004
    assert settings.fees_of("bybit").spot_taker == 0.0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("fees = 3\n", "fees"),
        ("[fees]\nkraken = 3\n", "fees"),
        ("[fees.kraken]\nspot_taker = 2\n", "spot_taker"),
        ("[fees.kraken]\ntypo = 2\n", "typo"),
        ("[borrow.okx]\nhourly_rate = 1\n", "hourly_rate"),
        ('[feeds.kraken]\nspott = "wss://x"\n', "feeds.kraken.spott"),
        ('[feeds.krakn]\nspot = "wss://x"\n', "feeds.krakn.spot"),
    ],
)
def test_a_wrong_fee_or_channel_is_named(tmp_path, text, key):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_channel_of_every_venue_can_be_sent_elsewhere(tmp_path):
    path = tmp_path / "settings.toml"
    for venue, channels in CHANNELS.items():
        path.write_text(
            f"[feeds.{venue}]\n" + "".join(f'{name} = "wss://x"\n' for name in channels)
        )
        assert set(load_settings(path).feeds[venue]) == set(channels)
    for name, venue in known_venues().items():
        told = {conn.partition(".")[2] for conn in venue.endpoints}
        assert told | {"rest"} == set(CHANNELS[name])


def test_the_limits_of_the_whole_book_have_the_defaults_that_the_manual_names():
    risk = Settings().risk
    assert (risk.drawdown_max, risk.daily_loss_max) == (0.10, 0.03)
    assert (risk.rolling_pairs, risk.rolling_loss_max) == (5, 0.02)
    assert (risk.win_rate_min, risk.win_rate_pairs) == (0.55, 20)
    assert (risk.unhedged_s_max, risk.stale_s_max, risk.clock_jump_s_max) == (30, 60, 10)
    assert (risk.liq_distance_min_pct, risk.hedge_alarm_bp) == (5.0, 50.0)
    assert (risk.reserve, risk.impact_of_edge_max) == (0.05, 0.25)
    assert risk.size_cuts == ((0.8, 0.5), (0.6, 0.25))
    assert Settings().paper.price_band_pct == 5.0


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("risk.reserve", "0.95"), ("risk.reserve", "-0.01"), ("risk.drawdown_max", "0"),
        ("risk.drawdown_max", "1.5"), ("risk.daily_loss_max", "0.0"), ("risk.rolling_pairs", "1"),
        ("risk.rolling_loss_max", "nan"), ("risk.win_rate_min", "1.01"),
        ("risk.win_rate_pairs", "4"), ("risk.unhedged_s_max", "0"), ("risk.stale_s_max", "3601"),
        ("risk.clock_jump_s_max", "0.5"), ("risk.liq_distance_min_pct", "-1"),
        ("risk.impact_of_edge_max", "0"), ("risk.size_cuts", "[[0.8]]"),
        ("risk.size_cuts", '"half"'), ("risk.hedge_alarm_bp", "0"), ("paper.price_band_pct", "0"),
        ("paper.venue_latency_ms.okx", "-1"), ("paper.venue_latency_ms.okx", "60001"),
        ("paper.venue_latency_ms", "80"),
    ],
)  # fmt: skip
def test_a_limit_beyond_reason_is_refused_with_its_name(tmp_path, key, wrong):
    path = tmp_path / "settings.toml"
    table, _, name = key.rpartition(".")
    path.write_text(f"[{table}]\n{name} = {wrong}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert name in str(caught.value) or "venue_latency_ms" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_limit_can_be_set_and_survives_a_tape_header(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        "[risk]\nreserve = 0.2\ndrawdown_max = 0.05\nsize_cuts = [[0.9, 0.7]]\nstale_s_max = 90\n"
        "[paper]\nprice_band_pct = 2\n[paper.venue_latency_ms]\nokx = 120\nkraken = 300\n"
    )
    settings = load_settings(path)
    assert (settings.risk.reserve, settings.risk.drawdown_max) == (0.2, 0.05)
    assert settings.risk.size_cuts == ((0.9, 0.7),)
    assert settings.paper.venue_latency_ms == {"okx": 120, "kraken": 300}
    assert settings.paper.latency_ms == 80
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


def test_a_tape_header_of_an_older_desk_has_the_new_limits_at_their_defaults():
    old = b'{"risk":{"leverage_max":3.0},"paper":{"latency_ms":7}}'
    settings = msgspec.json.decode(old, type=Settings)
    assert settings.risk.leverage_max == 3.0
    assert settings.risk.drawdown_max == 0.10
    assert settings.paper.venue_latency_ms == {}
