"""The first start: who is welcomed, what is remembered, and which mode opens next time."""

import argparse
import stat

import msgspec
import pytest

from basisdesk.app.desk_command import add_desk, desk_options
from basisdesk.app.first_run import BYTES_MAX, NAME, FirstRunFile, kept, last_mode
from basisdesk.config import Settings

PAIR = ("bybit:spot:BTCUSDT", "bybit:perp:BTCUSDT")


class Desk:
    def __init__(self, profile, mode="simulated", quiet=False):
        self.shown, self.gone = [], []
        self.first = FirstRunFile(
            profile,
            profile,
            mode,
            quiet=quiet,
            show_pair=lambda *pair: self.shown.append(pair),
            go_on=self.gone.append,
        )


def options(profile, *typed):
    parser = argparse.ArgumentParser()
    add_desk(parser)
    return desk_options(parser.parse_args(typed), Settings(), profile)


def test_a_fresh_profile_is_welcomed_and_opens_the_demo(tmp_path):
    first = Desk(tmp_path).first
    assert (first.welcomed, first.toured) == (False, False)
    assert options(tmp_path).mode == "simulated"


def test_choosing_the_same_mode_shows_the_pair_and_leaves_nothing(tmp_path):
    desk = Desk(tmp_path)
    desk.first.choose("simulated", PAIR)
    assert (desk.shown, desk.gone) == ([PAIR], [])
    assert Desk(tmp_path).first.welcomed
    assert not Desk(tmp_path).first.toured
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_choosing_live_goes_there_with_the_pair_and_is_what_opens_next_time(tmp_path):
    desk = Desk(tmp_path)
    desk.first.choose("live", PAIR)
    assert (desk.shown, desk.gone) == ([], ["live"])
    remembered = msgspec.json.decode((tmp_path / "live" / "shown.json").read_bytes())
    assert tuple(remembered["pair"]) == PAIR
    assert last_mode(tmp_path) == "live"
    assert options(tmp_path).mode == "live"
    assert options(tmp_path, "--demo").mode == "simulated"


def test_a_desk_that_runs_is_the_one_last_used(tmp_path):
    Desk(tmp_path, "live")
    assert options(tmp_path).mode == "live"
    Desk(tmp_path)
    assert options(tmp_path).mode == "simulated"
    Desk(tmp_path, "replay")
    assert options(tmp_path).mode == "simulated"


@pytest.mark.parametrize("typed", [("--exit-after", "5"), ("--screenshot", "a.png")])
def test_scripts_get_the_demo_and_remember_nothing(tmp_path, typed):
    Desk(tmp_path, "live")
    assert options(tmp_path, *typed).mode == "simulated"
    assert options(tmp_path, *typed, "--live").mode == "live"
    first = Desk(tmp_path, quiet=True).first
    assert first.welcomed
    assert first.toured
    first.choose("simulated", None)
    first.set_toured()
    assert kept(tmp_path) == msgspec.structs.replace(kept(tmp_path), welcomed=False, mode="live")


def test_the_tour_is_offered_once(tmp_path):
    first = Desk(tmp_path).first
    first.set_toured()
    assert first.toured
    assert Desk(tmp_path).first.toured


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"version": 9, "mode": "live"}', b'{"mode": "moon"}', b"\xff", b" " * 5_000],
)
def test_a_damaged_file_is_a_first_start(tmp_path, content):
    assert BYTES_MAX < 5_000
    (tmp_path / NAME).write_bytes(content)
    assert not Desk(tmp_path).first.welcomed
    assert last_mode(tmp_path) == "simulated"


def test_a_disk_that_refuses_does_not_stop_the_welcome(tmp_path, caplog):
    (tmp_path / NAME).mkdir()
    desk = Desk(tmp_path)
    desk.first.choose("live", None)
    assert desk.gone == ["live"]
    assert "not remembered" in caplog.text
    assert not list(tmp_path.glob("*.part"))


def test_two_desks_of_a_profile_lose_nothing_of_each_other(tmp_path):
    one, other = Desk(tmp_path).first, Desk(tmp_path).first
    one.choose("simulated", None)
    other.set_toured()
    assert (kept(tmp_path).welcomed, kept(tmp_path).toured) == (True, True)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
