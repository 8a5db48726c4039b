"""Alerts at work: told once, kept on the disk, bounded in a storm."""

import asyncio
import json
import stat
import sys
import time

import msgspec
import pytest
from alert_rig import START_NS, NoDesk, S, rule, view_of

from basisdesk.app import alerting as module
from basisdesk.app.alert_outlets import DesktopOutlets
from basisdesk.app.alerting import LINES_A_LOOK, NOTES_A_MINUTE, Alerting
from basisdesk.config import Alerts, Settings
from basisdesk.events import Changed
from basisdesk.feed.tasks import alive
from basisdesk.scan.alert_book import LOG_MAX
from basisdesk.scan.alert_watch import Fired
from basisdesk.scan.words import Strip
from basisdesk.ui.context import Status


class Ears:
    """Outlets that note what reached them."""

    def __init__(self, able=True):
        self.notes, self.beeps, self.able = [], 0, able

    def notify(self, title, text):
        self.notes.append((title, text))
        return self.able

    def beep(self):
        self.beeps += 1


class Rig:
    """An Alerting on a made-up view; time by hand, the monotonic clock too."""

    def __init__(self, folder, monkeypatch, **alerts):
        self.folder, self.now_ns, self.mono = folder, START_NS, 1_000.0
        monkeypatch.setattr(module, "mono_s", lambda: self.mono)
        self.settings = Settings(alerts=Alerts(**alerts))
        self.open()

    def open(self, **more):
        self.view, self.desk, self.ears = view_of(), NoDesk(self.settings), Ears()
        self.alerting = Alerting(self.folder, self.desk, self.view, self.ears, **more)
        self.book = self.alerting.book
        return self

    def only(self, *rules):
        for each in list(self.book.rules):
            self.alerting.drop_rule(each)
        for each in rules:
            assert self.alerting.set_rule(each) == ""

    def beat(self, gap=None, step_s=1.0):
        if gap is not None:
            self.view.strip = Strip(btc_eth_bp=gap)
        changed = self.alerting.beat(self.now_ns)
        self.now_ns += round(step_s * S)
        self.mono += step_s
        return changed


@pytest.fixture
def rig(tmp_path, monkeypatch):
    return Rig(tmp_path, monkeypatch)


BTC_ETH = rule("btc_eth", level=5, id="btc", name="BTC and ETH")


def fired(count, channels=("notify", "sound", "webhook"), now_ns=START_NS):
    return [
        Fired(now_ns, f"r{at}", f"Rule {at}", f"Thing {at} is 1.0 bp.", 1.0, "bp", (), 1, channels)
        for at in range(count)
    ]


def test_a_crossing_is_logged_shown_and_heard_once(rig):
    rig.only(BTC_ETH)
    assert rig.beat(gap=4.0) is Changed.ALERTS  # the rules are new
    assert rig.beat(gap=4.5) is Changed.NOTHING
    assert rig.beat(gap=-6.0) is Changed.ALERTS
    assert rig.beat(gap=-7.0) is Changed.NOTHING
    said = "Funding gap of BTC and ETH is 6.00 bp per 8 h, over 5.00 bp per 8 h."
    assert rig.ears.notes == [("BTC and ETH", said)]
    assert rig.ears.beeps == 1
    (line,) = rig.book.log
    assert (line.text, line.channels, line.value) == (said, ("notify", "sound"), 6.0)


def test_the_panel_sees_the_book(rig):
    assert rig.view.alerts is rig.book


def test_it_survives_a_restart(rig):
    rig.only(BTC_ETH)
    rig.beat(gap=6.0)
    rig.alerting.snooze("*", 1)
    rig.alerting.mute(True)
    rig.beat()
    rig.open()
    assert list(rig.book.rules) == ["btc"]
    assert rig.book.muted
    assert rig.book.silent_until_ns == START_NS + 60 * S
    assert len(rig.book.log) == 1
    rig.now_ns += 120 * S
    rig.beat(gap=6.5)
    assert rig.ears.notes == []  # it still holds and was told
    rig.beat(gap=4.0)
    rig.beat(gap=6.0)
    assert len(rig.ears.notes) == 1
    assert rig.ears.beeps == 0


def test_the_file_is_private_and_written_only_when_something_is_new(rig):
    path = rig.folder / "alerts.json"
    rig.beat(gap=0.0)
    assert not path.exists()  # the shipped rules need no file
    rig.alerting.mute(True)
    rig.beat(gap=0.0)
    first = path.stat()
    if sys.platform != "win32":
        assert stat.S_IMODE(first.st_mode) == 0o600
    for _ in range(5):
        rig.beat(gap=0.0)
    assert path.stat().st_ino == first.st_ino
    assert [each.name for each in rig.folder.iterdir()] == ["alerts.json"]


def test_a_new_profile_is_left_in_peace_by_the_market_at_large_for_a_while(rig):
    rig.open(calm_s=600.0)
    for _ in range(3):
        rig.beat(gap=50.0, step_s=31.0)
    assert rig.ears.notes == []
    assert rig.book.rules["btc-eth"].snoozed_until_ns  # shown as snoozed, and can be woken
    rig.alerting.save()
    rig.open(calm_s=600.0)  # the second start has a file: as the book says
    rig.alerting.snooze("btc-eth", 0)
    for _ in range(3):
        rig.beat(gap=50.0, step_s=31.0)
    assert [title for title, _ in rig.ears.notes] == ["BTC against ETH over 0.05 %"]


@pytest.mark.parametrize("data", [b"{broken", b"", b'{"version":9,"rules":[]}'])
def test_a_broken_file_is_put_aside_and_said(rig, data):
    path = rig.folder / "alerts.json"
    path.write_bytes(data)
    rig.open()
    assert "put aside" in rig.book.said
    assert (rig.folder / "alerts.broken.json").read_bytes() == data
    assert len(rig.book.rules) == 6
    rig.beat()
    assert json.loads(path.read_bytes())["version"] == 1
    assert "put aside" in rig.book.said  # a write that worked does not hide it


def test_a_second_broken_file_does_not_replace_the_first(rig, monkeypatch):
    monkeypatch.setattr(module, "BROKEN_MAX", 3)
    path = rig.folder / "alerts.json"
    names = ["alerts.broken.json", "alerts.broken-2.json", "alerts.broken-3.json"]
    for turn in range(4):
        path.write_bytes(b"{broken %d" % turn)
        rig.open()
        assert "put aside" in rig.book.said
    kept = [(rig.folder / name).read_bytes() for name in names]
    assert kept == [b"{broken 0", b"{broken 1", b"{broken 3"]
    assert not path.exists()


def test_a_stamp_that_is_no_time_does_not_end_the_first_beat(rig):
    rig.only(BTC_ETH)
    rig.beat(gap=6.0)
    path = rig.folder / "alerts.json"
    file = json.loads(path.read_bytes())
    ((key, mark),) = file["marks"]["btc"].items()
    file["marks"]["btc"][key] = [2**63, *mark[1:]]
    path.write_text(json.dumps(file))
    rig.open()
    assert rig.book.said == "The alert rules cannot be read. The file was put aside."
    assert rig.beat(gap=6.0) is Changed.ALERTS
    assert json.loads((rig.folder / "alerts.broken.json").read_text()) == file


def test_a_disk_that_refuses_is_said_and_tried_again(rig, monkeypatch):
    path = rig.folder / "alerts.json"
    part = path.with_suffix(".part")
    part.mkdir()
    rig.alerting.mute(True)
    rig.beat()
    assert rig.book.said.startswith("Alerts cannot be saved: ")
    part.rmdir()
    rig.beat()
    assert path.is_file()
    assert rig.book.said == ""


def test_snooze_wakes_by_itself_and_by_hand(rig):
    rig.only(BTC_ETH)
    rig.beat(gap=0.0)
    rig.alerting.snooze("btc", 1)
    rig.beat(gap=6.0)
    assert rig.ears.notes == []
    rig.alerting.snooze("btc", 0)
    rig.beat(gap=6.0)
    assert len(rig.ears.notes) == 1
    rig.alerting.snooze("nobody", 5)


def test_a_refused_rule_changes_nothing(rig):
    said = rig.alerting.set_rule(msgspec.structs.replace(BTC_ETH, level=-1.0))
    assert said == rig.alerting.refused
    assert "outside" in said
    assert "btc" not in rig.book.rules


def test_settings_switch_messages_and_sound_off(tmp_path, monkeypatch):
    rig = Rig(tmp_path, monkeypatch, notify=False, sound=False)
    rig.only(BTC_ETH)
    rig.beat(gap=6.0)
    assert (rig.ears.notes, rig.ears.beeps) == ([], 0)
    assert rig.book.log[0].channels == ()


def test_several_at_once_are_one_message_and_the_urgent_one_leads(rig):
    two = fired(2)
    urgent = msgspec.structs.replace(two[1], name="Liquidation", quantity="liq_distance")
    rig.alerting.tell([two[0], urgent])
    assert rig.ears.notes == [("Liquidation", "Thing 1 is 1.0 bp. 1 more alert in the log.")]
    assert [line.channels for line in rig.book.log] == [("notify", "sound"), ("sound",)]


@pytest.mark.slow
def test_a_storm_neither_freezes_nor_floods(rig):
    rig.only()
    took_ms = []
    for _ in range(60):
        began = time.perf_counter()
        rig.alerting.tell(fired(1_000, now_ns=rig.now_ns))
        rig.beat()
        took_ms.append((time.perf_counter() - began) * 1e3)
    print(f"storm: median {sorted(took_ms)[30]:.1f} ms, worst {max(took_ms):.1f} ms a beat")
    assert rig.book.total == 60_000
    assert len(rig.book.log) == LOG_MAX
    assert len(rig.ears.notes) == NOTES_A_MINUTE
    assert rig.ears.beeps <= 30
    logged = sum(1 + line.more for line in list(rig.book.log)[: 2 * LINES_A_LOOK])
    assert logged == 2_000
    assert rig.book.unsaid > 50_000
    rig.beat(step_s=60.0)
    rig.beat()
    assert len(rig.ears.notes) == NOTES_A_MINUTE + 1
    assert rig.ears.notes[-1][1].endswith("more alerts in the log.")
    assert rig.book.unsaid == 0


def test_in_a_running_loop_the_file_is_written_beside_it(rig):
    async def scenario():
        rig.alerting.start()
        rig.alerting.mute(True)
        rig.beat()
        assert alive()
        rig.alerting.mute(False)
        rig.beat()  # a write is under way: not a second one
        assert len(alive()) == 1
        await rig.alerting.stop()
        assert not alive()

    asyncio.run(scenario())
    assert json.loads((rig.folder / "alerts.json").read_bytes())["muted"] is False


def test_the_webhook_gets_what_asks_for_it_and_drops_the_rest(tmp_path, monkeypatch):
    rig = Rig(tmp_path, monkeypatch, webhook="https://hooks.example.com/secret")
    rig.alerting.tell(fired(2, channels=("webhook",)) + fired(1, channels=("notify",)))
    assert rig.alerting.webhook.waiting == 2
    assert [line.channels for line in rig.book.log] == [("notify",), ("webhook",), ("webhook",)]
    rig.alerting.tell(fired(40, channels=("webhook",)))
    assert rig.alerting.webhook.waiting == 20
    assert rig.alerting.webhook.dropped == 22
    said = rig.alerting.test_webhook()
    assert "Too many" in said
    assert rig.book.webhook_said == said
    assert "secret" not in said


def test_a_test_is_marked_as_one(tmp_path, monkeypatch):
    rig = Rig(tmp_path, monkeypatch, webhook="https://hooks.example.com/secret")
    rig.beat()
    sent = []
    monkeypatch.setattr(rig.alerting.webhook, "offer", lambda body: bool(sent.append(body)) or True)
    assert rig.alerting.test_webhook() == "Sending to hooks.example.com."
    assert json.loads(sent[0])["text"] == "A test of the webhook. Nothing happened."


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        ({}, "No webhook is set"),
        ({"webhook": "http://hooks.example.com/x"}, "must begin with https"),
        ({"webhook": "https://a.example.com/x", "webhook_hosts": ("b.example.com",)}, "not in"),
    ],
)
def test_a_webhook_that_cannot_be_used_is_said(tmp_path, monkeypatch, alerts, words):
    rig = Rig(tmp_path, monkeypatch, **alerts)
    assert words in rig.alerting.test_webhook()


def test_without_a_tray_the_banner_takes_it(qapp):
    status = Status()
    outlets = DesktopOutlets(status, lambda: None, qapp)
    assert outlets.notify("<b>Title</b>", "Text & more")
    assert status.banner == " b Title /b : Text   more".replace("  b", " b")
    assert outlets.notify("Second", "one")
    assert status.banner == "Second: one"
    assert not outlets.tick(0.0)
    assert outlets.tick(1e12)
    assert status.banner == ""
    status.banner = "Something worse."
    assert not outlets.notify("Third", "one")
    assert status.banner == "Something worse."
    outlets.beep()
    outlets.close()
