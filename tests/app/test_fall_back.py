"""A desk that cannot open again comes up as it was, and says what to do; no Qt, no exchange."""

import pytest

from basisdesk.app import desk
from basisdesk.app.desk import DeskOptions, Onward, run_desk
from basisdesk.app.exchange_process import SAID_MAX, told
from basisdesk.config import Demo, Settings
from basisdesk.errors import UserError

UNKNOWN = "basisdesk: --symbol NOPEUSDT is not simulated. Known: " + ", ".join(
    f"COIN{number}USDT" for number in range(80)
)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Desks of a profile, each of which goes on as told; the options that each one got."""

    def run(*steps):
        had, todo = [], list(steps)

        def account(options):
            had.append(options)
            step = todo.pop(0)
            if isinstance(step, Exception):
                raise step
            return step

        monkeypatch.setattr(desk, "_run_account", account)
        assert run_desk(DeskOptions(profile=tmp_path, settings=Settings())) == 0
        return had

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return run


def test_after_a_fall_back_the_window_says_which_file_still_has_the_change(run, tmp_path):
    tried = Settings(demo=Demo(symbol="NOPEUSDT"))
    first, second, third = run(
        Onward("main", settings=tried), UserError("The demo exchange did not start."), None
    )
    assert (first.notice, second.settings) == ("", tried)
    assert third.settings == Settings()
    assert third.notice == (
        "The demo exchange did not start. This desk runs on the settings from before. The change "
        f"still stands in {tmp_path / 'settings.toml'}: take it back in Session > Settings, or "
        "correct that file, before the next start."
    )


def test_another_account_that_cannot_open_says_only_why(run):
    assert run(Onward("swing"), UserError("It is open elsewhere."), None)[2].notice == (
        "It is open elsewhere."
    )


def test_of_what_the_exchange_said_its_sentence_is_shown_and_not_the_end_of_a_list():
    assert told(f"warning: something\n{UNKNOWN}.\n") == "--symbol NOPEUSDT is not simulated."
    said = "basisdesk: Cannot listen on 127.0.0.1:80: Permission denied. Choose another --port.\n"
    assert told(said) == said.removeprefix("basisdesk: ").strip()
    assert told("Traceback (most recent call last):\n  File x\nKeyError: 'a'\n") == "KeyError: 'a'"
    assert told("") == ""
    assert len(told("x" * 900)) == SAID_MAX
