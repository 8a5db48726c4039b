from decimal import Decimal

import msgspec
import pytest

from basisdesk.config import Settings, exact, load_settings
from basisdesk.errors import SettingsError


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
