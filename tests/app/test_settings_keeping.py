"""Whatever is changed in the settings file, it loads as that, and all else in it stays."""

import os
import stat
import string
import tomllib
from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basisdesk.app.settings_keeping import SettingsKeeping, start_problem
from basisdesk.app.settings_leads import comments, spoken_of
from basisdesk.app.settings_toml import literal, written
from basisdesk.config import Network, Settings, load_settings, shareable, shown_proxy
from basisdesk.errors import SettingsError
from basisdesk.ui.settings_draft import Draft
from basisdesk.ui.settings_rows import fields_of, fixed_fields, value_of

TABLES = """# my desk
[paper]  # how it fills
latency_ms = 250   # from Frankfurt
jitter_ms=7

# what I may lose
[risk]
reserve = 0.1
size_cuts = [
  [0.9, 0.7],  # early
  [0.5, 0.1],
]

[fees.kraken]
spot_taker = 0.0023 # tier # 2
[scanner]
coins = [ "BTC", 'ETH' ] # two
[feeds.bybit]
spot = "wss://a.example/x#y"  # "quoted"

[forecast.indicators.fear]  # mood
url = "https://mood.example/key"
# end
"""
DOTTED = """paper.latency_ms = 250 # far
ui.theme = 'light'
fees.okx = { spot_taker = 0.0007, source = "mine" } # inline
risk.reserve = 0.2
"""
BARE = "[ui]\nfont_scale = 1.25 # eyes"  # no line end
FILES = (TABLES, DOTTED, BARE, "", "# nothing yet\n", TABLES.replace("\n", "\r\n"))
TEXT = st.text(string.ascii_letters + string.digits + " #\"'\\=[]-", max_size=12)


def values(field):
    """Strategy of what the editor of a field can make."""
    low, high = field.low, field.high
    match field.kind:
        case "flag":
            return st.booleans()
        case "choice":
            return st.sampled_from(field.choices)
        case "marks":
            return st.lists(st.sampled_from(field.choices), unique=True).map(tuple)
        case "number" if field.whole:
            return st.integers(int(low), int(high))
        case "number":
            return st.floats(low, high, exclude_min=field.above)
        case "band" | "cuts":
            pair = st.tuples(st.floats(low, high), st.floats(low, high))
            return pair if field.kind == "band" else st.lists(pair, max_size=3).map(tuple)
        case "list":
            word = st.text("ABC019", min_size=1, max_size=6)
            return st.lists(word, min_size=1, max_size=40, unique=True).map(tuple)
    samples = {
        "network.proxy": ("", "http://p.example:3128", "http://me:pw@p.example:1"),
        "tape.folder": ("", "/var/tapes", "~/it's mine"),
        "demo.symbol": ("SOLUSDT",),
        "demo.scenario": ("crash",),
        "alerts.webhook": ("", "https://hook.example/a"),
    }
    if field.key in samples:
        return st.sampled_from(samples[field.key])
    if field.key.startswith("feeds."):
        scheme = "https" if field.key.endswith(".rest") else "wss"
        return st.sampled_from(("", f"{scheme}://x.example/y"))
    return TEXT


@st.composite
def edits(draw):
    """A file, and values for some of its keys."""
    text = draw(st.sampled_from(FILES))
    fields = draw(st.lists(st.sampled_from(fixed_fields()), max_size=8, unique=True))
    return text, {field.key: draw(values(field)) for field in fields}


@given(edits())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_change_loads_as_that_and_all_else_stays(tmp_path, edit):
    text, wanted = edit
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode())
    keeping = SettingsKeeping(path, lambda: None)
    draft = Draft(keeping.read())
    before = draft.now
    for key, value in wanted.items():
        draft.put(key, value)
    changes = draft.changes()
    if draft.value("alerts.webhook_hosts") and draft.value("alerts.webhook"):
        assert "webhook_hosts" in keeping.check(changes)
        return
    assert keeping.save(changes) == ""
    after = load_settings(path)
    for key in fields_of(before):
        assert value_of(after, key) == draft.value(key), key
    made = path.read_bytes().decode()
    assert not Counter(comments(text)) - Counter(comments(made))
    below = {what for _, what in spoken_of(made)}
    assert not [
        each for each in Counter(spoken_of(text)) - Counter(spoken_of(made)) if each[1] in below
    ]
    assert "\r\n" not in text or "\n" not in made.replace("\r\n", "")
    names = {key.rpartition(".")[2] for key in changes} | {key.split(".")[1] for key in changes}
    names |= {"0.9", "0.5", "]"} if "risk.size_cuts" in changes else set()
    untouched = [line for line in text.splitlines(keepends=True)
                 if not any(name in line for name in names)]  # fmt: skip
    lines = iter(made.splitlines(keepends=True))
    assert all(line in lines for line in untouched[:-1])


def test_a_comment_stays_where_its_key_goes_and_a_number_is_written_as_a_person_does():
    made = written(TABLES, {
       "paper.latency_ms": None, "risk.size_cuts": [[0.8, 0.5]],
                            "fees.kraken.perp_taker": 0.0000015, "account.start": 25_000.0,
                            "forecast.indicators.fear": None, "scanner.coins": ["SOL"]}
    )  # fmt: skip
    assert "[paper]  # how it fills\n# from Frankfurt\n\njitter_ms=7\n" in made
    assert "size_cuts = [[0.8, 0.5]]\n# early\n" in made
    assert "perp_taker = 0.0000015\n" in made
    assert 'coins = [ "BTC"' not in made
    assert 'coins = ["SOL"] # two\n' in made
    assert "[account]\nstart = 25000\n" in made
    assert "# mood\n" in made
    assert "fear" not in tomllib.loads(made).get("forecast", {}).get("indicators", {})
    assert [literal(each) for each in (0.055, 1e-7, 1e8, 2.0, True)] == [
        "0.055", "0.0000001", "100000000", "2", "true",
    ]  # fmt: skip


def test_a_comment_stands_over_what_it_stood_over():
    text = """# my desk

# ---- how it fills ----
[paper]
latency_ms = 80
# jitter_ms = 3

# ---- recordings: keep 20 GB ----
[tape]
record = true

# ---- of Kraken ----
[fees.kraken]
spot_taker = 0.002

# ---- coins ----
[scanner]
# at noon
size = 400
on = true
"""
    changes = {"paper.jitter_ms": 5, "fees.okx.spot_taker": 0.001, "tape.scan": True}
    made = written(text, changes)
    assert not Counter(spoken_of(text)) - Counter(spoken_of(made))
    assert "latency_ms = 80\njitter_ms = 5\n" in made
    assert "\n\n# ---- recordings: keep 20 GB ----\n[tape]\nrecord = true\nscan = true\n\n" in made
    back = written(made, dict.fromkeys(changes)).replace("[fees.okx]\n", "")
    assert back.split() == text.split()
    # of a key that leaves they are parted from the next one; of a table, they go on to the next
    gone = written(text, {"scanner.size": None, "fees.kraken": None})
    assert "[scanner]\n# at noon\n\non = true\n" in gone
    assert "record = true\n\n# ---- of Kraken ----\n\n# ---- coins ----\n[scanner]" in gone
    windows = written(text.replace("\n", "\r\n"), {**changes, "account.start": 500})
    assert "\n" not in windows.replace("\r\n", "")


def test_what_is_saved_or_checked_unread_is_read_first(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[ui]\nutc = false\n")
    assert SettingsKeeping(path, lambda: None).save({"ui.theme": "light"}) == ""
    assert (load_settings(path).ui.theme, load_settings(path).ui.utc) == ("light", False)
    path.write_text("[nonsense]\nx = 1\n")
    for ask in ("check", "save"):
        assert "nonsense" in getattr(SettingsKeeping(path, lambda: None), ask)({"ui.theme": "dark"})


def test_a_file_that_cannot_be_written_into_is_left_alone(tmp_path):
    text = "[risk]\nreserve = 0.1\n[paper]\n[risk.x]\n"
    with pytest.raises(SettingsError, match=r"by hand|is no table"):
        written("risk = 3\n", {"risk.reserve": 0.2})
    path = tmp_path / "settings.toml"
    path.write_text(text)
    keeping = SettingsKeeping(path, lambda: None)
    assert "risk" in keeping.read()
    assert keeping.save({"risk.reserve": 0.3})
    assert path.read_text() == text


def test_a_file_that_somebody_changed_meanwhile_is_not_written_over(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[ui]\ntheme = 'light'\n")
    keeping = SettingsKeeping(path, lambda: None)
    draft = Draft(keeping.read())
    draft.put("paper.latency_ms", 5)
    path.write_text("[ui]\ntheme = 'contrast'\n")
    assert "was changed by another program" in keeping.save(draft.changes())
    assert path.read_text() == "[ui]\ntheme = 'contrast'\n"
    draft.rebase(keeping.read())
    assert keeping.save(draft.changes()) == ""
    assert (load_settings(path).ui.theme, load_settings(path).paper.latency_ms) == ("contrast", 5)


def test_a_first_file_is_private_and_a_refused_disk_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "new" / "settings.toml"
    keeping = SettingsKeeping(path, lambda: None)
    assert keeping.read() == Settings()
    assert keeping.save({"ui.theme": "light"}) == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    said = keeping.save({"ui.theme": "dark"})
    assert said.endswith("No space left. Nothing was changed.")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feeds.okx.public": "ws://far.example"}, "Give wss://HOST/PATH"),
        ({"feeds.okx.nothing": "wss://far.example"}, "no such channel"),
        ({"demo.scenario": "rain"}, "Unknown scenario 'rain'"),
        ({"demo.symbol": "NOPEUSDT"}, "The demo exchange has no NOPEUSDT. Take"),
        ({"alerts.webhook": "http://x.example"}, "must begin with https://"),
        ({"risk.leverage_max": 6.0}, "leverage_max"),
        ({"network.proxy": "socks5://h:1"}, "network.proxy"),
        ({"network.proxy": "http://u:p@s@h:3128"}, "@ as %40"),
        ({"forecast.indicators.fear": {"unit": "x"}}, "Name a file or a url"),
    ],
)
def test_what_the_desk_would_not_start_with_is_refused_in_a_sentence(tmp_path, changes, words):
    keeping = SettingsKeeping(tmp_path / "settings.toml", lambda: None)
    keeping.read()
    said = keeping.check(changes)
    assert words in said
    assert "\n" not in said
    assert keeping.save(changes) == said
    assert not (tmp_path / "settings.toml").exists()


def test_name_and_password_of_a_proxy_are_shown_to_nobody_and_leave_in_no_recording():
    told = Settings(network=Network("http://me:secret@p.example:8"))
    assert shown_proxy(told.network.proxy) == "http://***@p.example:8"
    assert "Network(proxy='http://***@p.example:8')" in repr(told)
    assert "secret" not in repr(told)
    text = msgspec.json.encode(shareable(told)).decode()
    assert "secret" not in text
    assert "me:" not in text
    assert msgspec.json.decode(text, type=Settings).network.proxy == "http://p.example:8/"
    assert start_problem(told) == ""
    assert Decimal("0.1") == Decimal(literal(0.1))
