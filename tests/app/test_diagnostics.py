"""What a fault report gets: what helps, and nothing that is anybody's own."""

import logging
import platform
from pathlib import Path

import msgspec
import pytest

from basisdesk.app import scrub
from basisdesk.app.crash import LOG_NAME, start_log, stop_log
from basisdesk.app.diagnostics import (
    ANYTHING,
    LOG_LINES,
    DeskDiagnostics,
    differing,
    log_tail,
)
from basisdesk.app.scrub import LINE_CHARS_MAX, Scrubber
from basisdesk.config import Alerts, Forecast, IndicatorSource, Network, Risk, Settings, Ui
from basisdesk.ui.uptime_rows import UptimeFigures
from tests.ui.ui_rig import Rig

CANARIES = (
    "jane-doe", "janes-laptop", "hook-token-1", "hooks.corp.example", "proxy.corp.example",
    "proxy-user", "prox%21pass", "prox!pass", "env-canary-9", "secret-feed", "fund.corp.example",
    "my_numbers", "api-key-77", "clients", "10.1.2.3", "jane@corp.example", "mirror.corp.example",
    "my_source",
)  # fmt: skip
PRIVATE = msgspec.structs.replace(
    Settings(),
    alerts=Alerts(
        webhook="https://hooks.corp.example/services/hook-token-1",
        webhook_hosts=("hooks.corp.example",),
    ),
    network=Network("http://proxy-user:prox%21pass@proxy.corp.example:8080"),
    forecast=Forecast(
        margin=0.05,
        indicators={
            "my_source": IndicatorSource(file="/home/jane-doe/clients/my_numbers.csv"),
            "other": IndicatorSource(url="https://fund.corp.example/secret-feed?key=api-key-77"),
        },
    ),
    feeds={"bybit": {"spot": "wss://mirror.corp.example/secret-feed"}},
    risk=Risk(leverage_max=3.0),
    ui=Ui(theme="light"),
)
LOGGED = (
    "Cannot write /home/jane-doe/.local/share/basisdesk/x: no room",
    "cannot open /mnt/clients/book one.csv and C:\\Users\\jane-doe\\clients\\a.csv",
    "http://proxy-user:prox%21pass@proxy.corp.example:8080 is no proxy",
    "login of proxy-user with prox!pass refused by PROXY.corp.example (10.1.2.3)",
    "POST https://hooks.corp.example/services/hook-token-1 failed: 403",
    "lookup of hooks.corp.example failed on janes-laptop for Jane-Doe <jane@corp.example>",
    "GET https://fund.corp.example/secret-feed?key=api-key-77: 500",
    "token env-canary-9 expired",
    "wss://mirror.corp.example/secret-feed refused",
    "wss://stream.bybit.com/v5/public/spot is up again, GET /v5/market/time",
)


@pytest.fixture
def jane(monkeypatch):
    """Somebody with a name, a machine and a token."""
    monkeypatch.setattr(platform, "node", lambda: "janes-laptop.lan")
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: cls("/home/jane-doe")))
    monkeypatch.setenv("USER", "jane-doe")
    monkeypatch.setenv("SOME_API_TOKEN", "env-canary-9")
    monkeypatch.setattr(scrub.getpass, "getuser", lambda: "jane-doe")


@pytest.fixture
def told(jane, qapp, tmp_path):
    """The text of a desk with private settings, whose log holds all of it."""
    handler = start_log(tmp_path)
    for line in (*LOGGED, f"see {tmp_path}/simulated/crash-last.log"):
        logging.getLogger("basisdesk").warning("%s", line)
    stop_log(handler)
    rig = Rig(PRIVATE)
    rig.context.status.banner = "The tape /home/jane-doe/clients/t.tape is damaged."
    figures = UptimeFigures(1_240.0, 3, 412.0, 10_000.0)
    made = DeskDiagnostics(rig.context, tmp_path, figures)
    return made, made.text()


def test_nothing_private_is_in_it(told, tmp_path):
    text = told[1].lower()
    assert [word for word in CANARIES if word in text] == []
    assert str(tmp_path).lower() not in text


def test_what_helps_is_in_it(told):
    text = told[1]
    for needed in (
        "basisdesk ", "Python ", "Qt ", "Screens: ", "Memory 412 MB", "1,240 ms at the longest",
        "Risk state active", "risk.leverage_max = 3", "ui.theme = light", "forecast.margin = 0.05",
        f"network.proxy = {ANYTHING}", f"alerts.webhook = {ANYTHING}", "feeds: 1 changed",
        "forecast.indicators = (2 set)", "Cannot write ~/\u2026/x: no room",
        "wss://stream.bybit.com is up again, GET /v5/market/time", "https://<private> failed: 403",
        "see <profile>/simulated/crash-last.log", "Streams: none",
    ):  # fmt: skip
        assert needed in text, needed


def test_it_can_be_copied(told, qapp):
    made, text = told
    made.copy()
    assert qapp.clipboard().text().splitlines()[0] == text.splitlines()[0]
    qapp.clipboard().clear()


def test_no_text_of_any_setting_is_told_unless_it_is_a_choice_of_ours():
    """Whatever texts the settings come to have: a new one is not told before somebody says so."""
    usual = msgspec.to_builtins(Settings())

    def poisoned(value):
        if isinstance(value, dict):
            return {key: poisoned(each) for key, each in value.items()}
        return "canary" if isinstance(value, str) else value

    raw = poisoned({name: usual[name] for name in ("alerts", "network", "tape", "forecast")})

    class Fake:
        pass

    fake = usual | raw
    original, msgspec_to = msgspec.to_builtins, lambda x: fake if isinstance(x, Fake) else usual
    try:
        msgspec.to_builtins = msgspec_to
        lines = differing(Fake())
    finally:
        msgspec.to_builtins = original
    assert lines
    assert "canary" not in "\n".join(lines)
    assert differing(Settings()) == []


def test_a_long_line_and_a_long_log_are_cut(tmp_path):
    path = tmp_path / LOG_NAME
    path.write_text("".join(f"line {number}\n" for number in range(50_000)))
    tail = log_tail(path)
    assert (len(tail), tail[-1]) == (LOG_LINES, "line 49999")
    assert log_tail(tmp_path / "none") == ["The log cannot be read: No such file or directory."]
    clean = Scrubber(Settings(), {})
    assert len(clean("x" * 100_000)) == LINE_CHARS_MAX + 1


def test_what_is_no_secret_stays_as_it_is():
    clean = Scrubber(Settings(), {"/opt/desk": "basisdesk"}, ("stream.bybit.com",))
    for text in (
        "2026-11-22 02:33:11,123 WARNING basisdesk: loop 12 / 123 ms, 1.5 bp and/or none",
        "bybit:spot:ADAUSDT and 127.0.0.1 and wss://127.0.0.1",
        "GET /fapi/v1/premiumIndex: 429",
    ):
        assert clean(text) == text
    assert clean("/opt/desk/app/crash.py:12") == "basisdesk/app/crash.py:12"
    assert clean("/srv/a/b/c.py:12") == "\u2026/c.py:12"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cannot write /srv/Client Smith/x.tape: No space", "cannot write …/x.tape: No space"),
        ("~/Client Smith LLC/notes.txt gone", "~/…/notes.txt gone"),
        ("C:\\Users\\Ann Lee\\desk\\journal.db is held", "…/journal.db is held"),
        ("'C:\\\\Users\\\\Ann Lee\\\\x.db' gone", "'…/x.db' gone"),
        ("\\\\nas\\Ann Lee\\x", "…/x"),
        ("No such file: '/data/Lee, Ann (old): 2/x.db'", "No such file: '…/x.db'"),
        ("copy /a/b.db and /c/d.db", "copy …/b.db and …/d.db"),
        ("fe80::1%eth0, 2001:db8::1, ::ffff:10.0.0.7, [2001:db8::2]:443",
         "<address>, <address>, <address>, [<address>]:443"),
        ("to 2001:db8::9: refused at 12:30:11, 02:33:11,123, ::1",
         "to <address>: refused at 12:30:11, 02:33:11,123, ::1"),
        ("ann.lee:pass@10.0.0.7 said no to jo and Jo, not to major",
         "<address> said no to <user> and <user>, not to major"),
        ("The account smith-divorce is open in another desk.",
         "The account <account> is open in another desk."),
        ("hedge-2 and hedge hold the main live account of hedges",
         "<account> and <account> hold the main live account of hedges"),
    ],
)  # fmt: skip
def test_names_of_people_and_accounts_go_whatever_their_shape(monkeypatch, text, left):
    monkeypatch.setenv("USER", "jo")
    clean = Scrubber(Settings(), {}, (), ("main", "live", "hedge", "hedge-2"))
    assert clean(text) == left


def test_the_names_of_the_profiles_accounts_are_in_no_report(qapp, tmp_path):
    rig = Rig()
    rig.context.accounts, rig.context.status.account = ("main", "smith-divorce"), "smith-trust"
    rig.context.status.banner = "smith-divorce was put aside for smith-trust."
    text = DeskDiagnostics(rig.context, tmp_path, UptimeFigures()).text()
    assert "Notice: <account> was put aside for <account>." in text
