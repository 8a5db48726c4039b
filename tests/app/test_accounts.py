"""Named paper accounts: where they live, what may name one, and a reset that deletes nothing."""

import asyncio
import os

import msgspec
import pytest

from basisdesk.app.accounts import MAIN, account_names, archive, checked_name, home
from basisdesk.app.desk import DeskOptions, run_desk
from basisdesk.cli import main
from basisdesk.config import Paper, Settings, TapeSettings
from basisdesk.errors import ProfileError
from basisdesk.ledger.check import check_journal
from basisdesk.ledger.lock import FileLock

NOW_NS = 1_795_239_650 * 10**9
STAMP = "20261121T054050"
SETTINGS = msgspec.structs.replace(
    Settings(), paper=Paper(latency_ms=20), tape=TapeSettings(record=False)
)


@pytest.mark.parametrize("name", ["main", "a", "Basis-5x_2", "x" * 32, "-", "0"])
def test_names_that_can_be_folders_everywhere_are_accounts(tmp_path, name):
    assert checked_name(name) == name
    folder = home(tmp_path, name)
    assert folder == (tmp_path if name == MAIN else tmp_path / "accounts" / name)


@pytest.mark.parametrize(
    "name",
    ["", "x" * 33, "a b", "../up", "a/b", "a\\b", ".", "..", "a\n", "\u00e9", "a.b", "a\0b", "~",
     "$HOME", "con", "NUL", "com1", "a" * 10_000, "\x1b[31m"],
)  # fmt: skip
def test_bad_names_are_one_sentence_and_touch_nothing(tmp_path, capsys, name):
    with pytest.raises(ProfileError) as refused:
        checked_name(name)
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 200
    assert main(["--profile", str(tmp_path), "--account", name, "--exit-after", "1"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_accounts_are_listed_main_first_and_strange_folders_left_out(tmp_path):
    assert account_names(tmp_path) == ("main",)
    for name in ("zeta", "alpha", "main", "not one"):
        (tmp_path / "accounts" / name).mkdir(parents=True)
    (tmp_path / "accounts" / "file").write_text("")
    assert account_names(tmp_path) == ("main", "alpha", "zeta")


def filled(folder):
    """An account's folder with something in every place."""
    (folder / "tapes").mkdir(parents=True)
    rows = {
        "journal.db": b"entries", "journal.db.mark": b"mark", "tapes/one.tape": b"tape",
        "basisdesk.log": b"log", "market.json": b"market", "shown.json": b"shown",
    }  # fmt: skip
    for name, content in rows.items():
        (folder / name).write_bytes(content)
    return rows


@pytest.mark.parametrize("name", ["main", "scalps"])
def test_a_reset_puts_everything_aside_and_deletes_nothing(tmp_path, name):
    (tmp_path / "settings.toml").write_text("")
    folder = home(tmp_path, name) / "simulated"
    rows = filled(folder)
    kept = archive(tmp_path, name, "simulated", NOW_NS)
    assert kept == tmp_path / "archive" / f"{name}-{STAMP}Z" / "simulated"
    found = {p.relative_to(kept).as_posix(): p.read_bytes() for p in kept.rglob("*") if p.is_file()}
    assert found == rows
    # the market and the pair on the screen are no money: they go on
    assert {p.name for p in folder.iterdir()} == {"market.json", "shown.json"}
    assert (tmp_path / "settings.toml").exists()


def test_a_reset_of_nothing_and_a_second_one_of_the_same_second(tmp_path):
    assert archive(tmp_path, "new", "simulated", NOW_NS) is None
    filled(home(tmp_path, "new") / "simulated")
    first = archive(tmp_path, "new", "simulated", NOW_NS)
    with pytest.raises(ProfileError, match="cannot be put aside"):
        archive(tmp_path, "new", "simulated", NOW_NS)
    assert (first / "journal.db").read_bytes() == b"entries"
    assert (home(tmp_path, "new") / "simulated" / "market.json").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_archive_that_cannot_be_made_leaves_the_account_whole(tmp_path):
    rows = filled(tmp_path / "simulated")
    (tmp_path / "archive").mkdir(mode=0o500)
    with pytest.raises(ProfileError):
        archive(tmp_path, MAIN, "simulated", NOW_NS)
    assert (tmp_path / "simulated" / "journal.db").read_bytes() == rows["journal.db"]


# --- in a running desk ----------------------------------------------------------------------------


async def until(what, patience_s=40.0):
    """Wait for a condition; the patience is a limit for a broken desk, not a pace."""
    for _ in range(int(patience_s / 0.02)):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the desk did not get there")


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(150)
def test_switching_and_resetting_in_the_window(tmp_path):
    seen = []

    async def pilot(context, window):
        status = context.status
        sessions = sum(type(o).__name__ == "SessionStarted" for o in context.engine.outcomes)
        seen.append((status.account, sessions, context.accounts))
        if len(seen) == 1:
            context.actions.switch_account("a/b")
            assert "cannot name an account" in status.banner
            dialog = window.accounts.ask_new()
            dialog.name.setText("second")
            dialog.act.click()
        elif len(seen) == 2:
            context.actions.switch_account("main")
        elif len(seen) == 3:
            assert window.topbar._account_badge.isHidden()
            window.accounts.ask_reset().act.click()
        else:
            return
        await until(lambda: False, 20.0)  # the desk is left and takes this pilot with it

    assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot)) == 0
    assert seen == [
        ("main", 1, ("main",)),
        ("second", 1, ("main", "second")),
        ("main", 2, ("main", "second")),
        ("main", 1, ("main", "second")),  # begun anew
    ]
    (kept,) = (tmp_path / "archive").iterdir()
    assert check_journal(kept / "simulated" / "journal.db").ok
    assert check_journal(tmp_path / "simulated" / "journal.db").transactions == 1  # the cash
    assert check_journal(tmp_path / "accounts" / "second" / "simulated" / "journal.db").ok


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(150)
def test_an_account_that_cannot_be_opened_leads_back_with_the_reason(tmp_path):
    broken = tmp_path / "accounts" / "broken" / "simulated"
    broken.mkdir(parents=True)
    (broken / "journal.db").write_bytes(b"this is no journal" * 100)
    (tmp_path / "accounts" / "taken").mkdir()
    lock = FileLock(tmp_path / "accounts" / "taken" / "desk.lock")
    said = []

    async def pilot(context, window):
        said.append((context.status.account, context.status.banner))
        if len(said) > 1:
            return
        context.actions.switch_account("taken")
        assert "open in another desk" in context.status.banner
        context.actions.switch_account("broken")
        await until(lambda: False, 20.0)

    try:
        assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot)) == 0
    finally:
        lock.release()
    assert [account for account, _ in said] == ["main", "main"]
    assert "journal.db" in said[1][1]


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.timeout(150)
def test_two_accounts_of_a_profile_are_two_desks_one_account_is_one(tmp_path):
    async def pilot(context, window):
        with pytest.raises(ProfileError, match="Another desk has the account other"):
            run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot, account="other"))
        FileLock(tmp_path / "desk.lock").release()  # the main account is free

    assert run_desk(DeskOptions(tmp_path, SETTINGS, pilot=pilot, account="other")) == 0
    assert not (tmp_path / "simulated").exists()
