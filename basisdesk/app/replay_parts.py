"""What a replay is made of: options, clock, settings, player, and its journal on disk."""

import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec

from basisdesk.app.crash import log
from basisdesk.clock import wall_ns
from basisdesk.config import Settings
from basisdesk.engine import Engine
from basisdesk.errors import JournalError, UserError
from basisdesk.lab.player import Player
from basisdesk.lab.replay import open_session
from basisdesk.lab.snapshots import KeptJournal
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.tape_index import TapeIndex
from basisdesk.ledger.journal import Journal
from basisdesk.venues import known_venues
from basisdesk.venues.instrument import split_key, split_symbol

SURVEY_PAUSE_S = 0.003  # between two blocks that are looked into


@dataclass(frozen=True)
class ReplayOptions:
    """What a replay is made from.

    tape: the file. settings: the user's, of which the window's part is used; the account's part is
    the tape's own. profile: folder of the user's data. speed: to begin with. play: at once.
    """

    tape: Path
    settings: Settings
    profile: Path
    speed: float = 1.0
    play: bool = False


class TapeClock:
    """Desk time of a replay: what stands on the tape."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def now_ns(self) -> int:
        """UTC nanoseconds of the tape."""
        return self._player.now_ns


def tape_settings(index: TapeIndex, settings: Settings) -> Settings:
    """The settings of the recording, as headless, shown as this user likes it."""
    text = index.header.settings
    try:
        told = msgspec.json.decode(text, type=Settings) if text else Settings()
    except (msgspec.DecodeError, RecursionError) as exc:
        raise UserError(
            f"Settings of tape {index.path}: {exc}. Run it headless with --config FILE."
        ) from exc
    return msgspec.structs.replace(told, ui=settings.ui)


def player_of(index: TapeIndex, settings: Settings) -> Player:
    """A player with an engine of its own, funded as `basisdesk replay` does it."""
    journal = KeptJournal()
    engine = Engine(settings, known_venues(), journal, index.header.speed)

    def begin(engine: Engine) -> None:
        if not index.header.entries:
            open_session(engine, index.header)

    return Player(index, engine, journal, begin)


def first_pair(engine: Engine) -> tuple[str, str] | None:
    """A pair to begin with where the recording had none on the screen: spot and perp of a coin.

    Both on one venue where there is one; else the first two legs of a coin, the second a perp.
    """
    legs = [(key, *split_key(key)[:2], _base(key)) for key in engine.market.legs]
    perps = [leg for leg in legs if leg[2] == "perp"]
    pairs = [(a, b) for b in perps for a in legs if a[3] == b[3] and a[0] != b[0]]
    pairs.sort(key=lambda pair: (pair[0][2] != "spot", pair[0][1] != pair[1][1]))
    return (pairs[0][0][0], pairs[0][1][0]) if pairs else None


def _base(key: str) -> str:
    try:
        return split_symbol(key)[0]
    except ValueError:
        return key  # a name that is no pair of coins fits itself alone


def survey_all(index: TapeIndex, over: threading.Event) -> None:
    """In a thread: look into every block that was not, then keep what was found. over: ends it."""
    block = 0
    while not over.is_set():
        found = index.unseen(block, len(index))
        if found is None:
            index.save()
            return
        try:
            index.survey(found)
        except UserError as exc:  # told again, to the person, when playing comes there
            log.warning("%s", exc)
            index.skip(found)
        block = found + 1
        over.wait(SURVEY_PAUSE_S)  # the interpreter is the window's: 1 GB takes two minutes


def journal_of(player: Player, options: ReplayOptions) -> Path:
    """Write what the replay did up to now as a journal in the profile; gives its path.

    Raises JournalError or OSError where that cannot be.
    """
    if player.journal.full:
        raise JournalError("It did more than is kept; run it headless with --journal.")
    folder = options.profile / "replay"
    path = folder / f"{options.tape.stem}-{utc_text(wall_ns())[:23].replace(':', '')}.db"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Journal.open(path) as journal:
        journal.append_many(player.journal.entries)
    return path
