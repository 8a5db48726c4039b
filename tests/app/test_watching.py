"""Which legs the feeds bring, and what is remembered of the pair on the screen."""

from basisdesk.app.watching import RECENT_PAIRS, Watching

VENUES = ("bybit", "binance", "okx", "kraken")
FIRST = ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
ACROSS = ("kraken:spot:ADA/USD", "binance:perp:ADAUSDT")


def pair(coin):
    return f"bybit:spot:{coin}USDT", f"bybit:perp:{coin}USDT"


def test_a_leg_in_dollars_brings_its_cross_rate(tmp_path):
    watching = Watching(tmp_path / "shown.json", FIRST, VENUES)
    assert watching.legs([]) == set(FIRST)
    watching.show(ACROSS)
    assert watching.legs(["kraken:perp:PF_XBTUSD"]) == {
        *FIRST,
        *ACROSS,
        "kraken:perp:PF_XBTUSD",
        "kraken:spot:USDT/USD",
    }


def test_the_last_few_pairs_stay_watched_and_the_newest_is_remembered(tmp_path):
    watching = Watching(tmp_path / "shown.json", FIRST, VENUES)
    coins = ("BTC", "ETH", "BNB", "DOGE", "BTC")
    for coin in coins:
        watching.show(pair(coin))
    assert watching.pairs == (pair("ETH"), pair("BNB"), pair("DOGE"), pair("BTC"))
    assert len(watching.pairs) == RECENT_PAIRS
    again = Watching(tmp_path / "shown.json", FIRST, VENUES)
    assert again.shown == pair("BTC")


def test_what_is_watched_unseen_stays_whatever_is_shown(tmp_path):
    watching = Watching(tmp_path / "shown.json", FIRST, VENUES)
    watching.unseen = (pair("SOL"), FIRST)
    assert watching.pairs == (pair("SOL"), FIRST)  # each once, the shown one last
    for coin in ("BTC", "ETH", "BNB", "DOGE"):
        watching.show(pair(coin))
    assert watching.pairs[:2] == (pair("SOL"), FIRST)
    assert {*pair("SOL"), *FIRST} <= watching.legs([])
    watching.unseen = ()
    assert not set(pair("SOL")) & watching.legs([])
    assert Watching(tmp_path / "shown.json", FIRST, VENUES).shown == pair("DOGE")


def test_broken_memory_means_the_first_pair(tmp_path):
    path = tmp_path / "shown.json"
    for text in (
        "",
        "{",
        "[]",
        '{"pair": ["a"]}',
        '{"pair": ["mtgox:spot:ADAUSDT", "bybit:perp:ADAUSDT"]}',
        '{"pair": ["bybit:spot:ADAUSDT", "bybit:spot:ADAUSDT"]}',
    ):
        path.write_text(text)
        assert Watching(path, FIRST, VENUES).shown == FIRST


def test_an_unwritable_memory_is_not_worth_a_word(tmp_path):
    watching = Watching(tmp_path / "missing" / "shown.json", FIRST, VENUES)
    watching.show(ACROSS)
    assert watching.shown == ACROSS
