"""Past sessions for the window: read and written by one thread, answers in the window's own.

Nothing here is on the way of a trade. Journals are only read; what is written is the file of tags
and notes, exports, and moves into the trash and out of it.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from PySide6.QtCore import QObject, Qt, Signal, Slot

from basisdesk.app.accounts import GOES_ON
from basisdesk.app.crash import log
from basisdesk.clock import wall_ns
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.ui.product_actions import SessionLine, Shown, Told, TrashLine

if TYPE_CHECKING:
    from basisdesk.lab.library import Session, Shelf
    from basisdesk.lab.library_marks import Marks
    from basisdesk.lab.library_report import Now
    from basisdesk.lab.library_trash import Held, Plan, Thrown

EXPORT = "export"  # folder in the profile for pages that a browser opens
FAULT = "The session library hit a fault of its own; see the log."
GONE = "This session is not in the list any more. Look again (F5)."
CHANGED = (
    "What would go is no longer what you were asked about: a session or a tape was added or went "
    "meanwhile. Nothing was moved. Look again (F5), then choose To trash\u2026 anew."
)
LEFT = "The desk is being left. Nothing was moved."
LISTED_MAX = 5_000  # sessions in the list, newest first

Then = Callable[[], None]


class Here(NamedTuple):
    """The desk beside the library. account: whose lock it holds; session: the running one's name.

    now: prices and feed counters of this moment, asked in the window's thread.
    """

    account: str
    mode: str
    session: str
    now: "Callable[[], Now]"


class Libraries(QObject):
    """The library of one profile. Its methods are `Library` of ui/product_actions.py.

    open_tape: plays a recording. here: the running desk, None where none runs.
    """

    _back = Signal(object)  # something to do in the window's thread

    def __init__(
        self,
        profile: Path,
        settings: Settings,
        open_tape: Callable[[Path], None],
        here: Here | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._profile = profile
        self._settings = settings
        self._open_tape = open_tape
        self._here = here
        self._lines: tuple[SessionLine, ...] = ()
        self._trashed: tuple[TrashLine, ...] = ()
        self._sessions: dict[str, Session] = {}
        self._shelf: Shelf | None = None
        self._marks: Marks | None = None
        self._asked: tuple[frozenset[str], Plan] | None = None  # what `trash_words` told last
        self._disk = ThreadPoolExecutor(1, "library-disk")
        self._moving = threading.Lock()  # held from the look at `_closed` to the last move
        self._closed = False
        self._back.connect(self._do, Qt.ConnectionType.QueuedConnection)

    # --- what is known ----------------------------------------------------------------------------

    def lines(self) -> Sequence[SessionLine]:
        """The sessions that the last `look` found, newest first, LISTED_MAX at most."""
        return self._lines

    def trashed(self) -> Sequence[TrashLine]:
        """What lies in the trash, newest first, as found by the last `look`."""
        return self._trashed

    def look(self, told: Told) -> None:
        """Look for sessions in all accounts of the profile, and into the trash."""
        self._work(self._looked, told)

    def mark(self, key: str, tags: Sequence[str], note: str) -> str:
        """Keep tags and a note with a session. Why not, or ""."""
        session = self._sessions.get(key)
        if session is None or self._marks is None:
            return GONE
        try:
            self._marks.put(session.mark, tags, note)
        except UserError as exc:
            return str(exc)
        self._lines = self._listed()
        return ""

    # --- reading ----------------------------------------------------------------------------------

    def report(self, key: str, shown: Shown) -> None:
        """Read a session's log: the document of its JSON file."""
        self._find([key], lambda found, nows: self._documents(found, nows)[0], shown)

    def compare(self, keys: Sequence[str], shown: Shown) -> None:
        """Put two to four sessions side by side: a study."""

        def compared(found: "list[Session]", nows: "list[Now | None]") -> object:
            from basisdesk.lab.library_beside import beside

            return beside(self._documents(found, nows))

        self._find(keys, compared, shown)

    def import_trades(self, path: Path, funding: Decimal | None, shown: Shown) -> None:
        """Re-price the founding notes' script's trade_log.csv: a study."""

        def imported() -> object:
            from basisdesk.lab.trade_log_study import import_trade_log

            return import_trade_log(path, self._settings, funding)

        self._show(imported, shown)

    def page(self, key: str, shown: Shown) -> None:
        """Write a session's log into the profile's export folder: the path of its page."""

        def written(found: "list[Session]", nows: "list[Now | None]") -> object:
            from basisdesk.lab.library_report import export_log

            folder = self._export_folder()
            return export_log(found[0], self._settings, folder, nows[0]) / "report.html"

        self._find([key], written, shown)

    def study_page(self, study: Mapping[str, object], shown: Shown) -> None:
        """Write a study into the export folder: the path of its page."""

        def written() -> object:
            from basisdesk.lab.pages import write_study
            from basisdesk.lab.stamp import utc_text

            stamp = utc_text(wall_ns())[:23].replace(":", "").replace(".", "")
            return write_study(study, self._export_folder() / f"{study['study']}-{stamp}")[0]

        self._show(written, shown)

    def export(self, key: str, folder: Path, told: Told) -> None:
        """Write the session log (HTML, CSV, JSON) into a new folder inside `folder`."""

        def written(found: "list[Session]", nows: "list[Now | None]") -> object:
            from basisdesk.lab.library_report import export_log

            return export_log(found[0], self._settings, folder, nows[0])

        self._find([key], written, lambda _found, sentence: told(sentence))

    # --- the trash --------------------------------------------------------------------------------

    def trash_words(self, keys: Sequence[str]) -> tuple[str, str]:
        """What would go into the trash of these sessions, and why nothing can."""
        from basisdesk.lab.library_trash import plan

        chosen = [self._sessions[key] for key in keys if key in self._sessions]
        going = plan(chosen, list(self._sessions.values()), self._held())
        self._asked = frozenset(keys), going
        return going.said, going.problem

    def trash(self, keys: Sequence[str], told: Told) -> None:
        """Put what `trash_words` said into the profile's trash: that, or nothing."""
        wanted, held = frozenset(keys), self._held()
        if self._asked is None or self._asked[0] != wanted:
            self.trash_words(keys)
        assert self._asked is not None
        told_of = self._asked[1]

        def moved() -> Then:
            from basisdesk.lab.library_trash import plan, to_trash

            known = self._found()[0]  # as it is now: a desk may have begun a session since
            if plan([each for each in known if each.key in wanted], known, held) != told_of:
                raise UserError(CHANGED)
            with self._before_leaving():
                to_trash(self._profile, told_of, held, wall_ns(), GOES_ON, still)
            return self._looked()

        def still() -> str:
            shelf = self._shelf
            same = shelf is not None and not any(map(shelf.changed, told_of.folders))
            return "" if same else CHANGED

        self._work(moved, told)

    def restore(self, name: str, told: Told) -> None:
        """Put a visit to the trash back where it lay, or into the archive."""
        held = self._held()

        def restored() -> Then:
            from basisdesk.lab.library_trash import restore

            with self._before_leaving():
                restore(self._profile, name, held, wall_ns())
            return self._looked()

        self._work(restored, told)

    def replay(self, key: str, part: int = 0) -> str:
        """Play a session's tape in a window of its own; part: which, from 0. Why not, or ""."""
        session = self._sessions.get(key)
        if session is None:
            return GONE
        if part >= len(session.tapes) or not session.tapes[part].path.is_file():
            return "This session has no tape: nothing was recorded, or it lies in the trash."
        if self._here is not None and key == self._held().running:
            return "This session runs now and its tape is still being written."
        self._open_tape(session.tapes[part].path)
        return ""

    def close(self) -> None:
        """No more answers and moves; what was asked for and not begun is dropped."""
        self._closed = True
        self._disk.shutdown(wait=False, cancel_futures=True)

    async def closed(self) -> None:
        """Close, and wait until nothing moves any more: the account's lock must not go before.

        Reading is not waited for: it moves nothing, and a large profile takes seconds.
        """
        self.close()
        if self._moving.locked():
            await asyncio.get_running_loop().run_in_executor(None, self._moved)

    def _moved(self) -> None:
        with self._moving:
            pass

    # --- in the thread ----------------------------------------------------------------------------

    @contextmanager
    def _before_leaving(self) -> Iterator[None]:
        """What is moved in here is moved while the desk still has its account. Raises UserError."""
        with self._moving:
            if self._closed:
                raise UserError(LEFT)
            yield

    def _found(self) -> "tuple[list[Session], list[Thrown]]":
        from basisdesk.lab.library import Shelf
        from basisdesk.lab.library_trash import thrown

        if self._shelf is None:
            own = self._settings.tape.folder
            self._shelf = Shelf(self._profile, Path(own).expanduser() if own else None)
        return self._shelf.look(), thrown(self._profile)

    def _looked(self) -> Then:
        from basisdesk.lab.library_marks import Marks

        found, trash = self._found()

        def then() -> None:
            self._marks = Marks(self._profile)  # here, where they are written too
            self._sessions = {each.key: each for each in found}
            self._lines = self._listed()
            self._trashed = tuple(TrashLine(*each) for each in trash)

        return then

    def _documents(self, found: "list[Session]", nows: "list[Now | None]") -> list[dict[str, Any]]:
        from basisdesk.lab.library_report import session_log

        documents = []
        for each, now in zip(found, nows, strict=True):
            document = session_log(each, self._settings, now).document
            documents.append(document)
            if now is not None:  # before the answer: list and report are then of one moment
                self._send(partial(self._revalue, each.key, document))
        return documents

    def _revalue(self, key: str, document: Mapping[str, Any]) -> None:
        """List the running session with the money its log told of this moment."""
        session = self._sessions.get(key)
        if session is None:
            return
        terms = {row["term"]: Decimal(row["usdt"]) for row in document["attribution"]}
        end = session.start + terms["total"]
        self._sessions[key] = msgspec.structs.replace(session, terms=terms, end=end)
        self._lines = self._listed()

    def _export_folder(self) -> Path:
        folder = self._profile / EXPORT
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise UserError(f"Cannot make {folder}: {exc.strerror}.") from exc
        return folder

    # --- to the thread and back -------------------------------------------------------------------

    def _find(
        self,
        keys: Sequence[str],
        read: "Callable[[list[Session], list[Now | None]], object]",
        shown: Shown,
    ) -> None:
        """Read these sessions in the thread, the running one with what the desk knows now."""
        found = [self._sessions[key] for key in keys if key in self._sessions]
        if len(found) != len(keys) or not found:
            shown(None, GONE)
            return
        running = self._held().running
        nows = [
            self._here.now() if self._here is not None and each.key == running else None
            for each in found
        ]
        self._show(lambda: read(found, nows), shown)

    def _show(self, read: Callable[[], object], shown: Shown) -> None:
        def work() -> Then:
            found = read()
            return lambda: shown(found, "")

        self._submit(work, lambda sentence: shown(None, sentence))

    def _work(self, work: Callable[[], Then], told: Told) -> None:
        def done() -> Then:
            then = work()

            def both() -> None:
                then()
                told(self._remark())

            return both

        self._submit(done, told)

    def _submit(self, work: Callable[[], Then], failed: Callable[[str], None]) -> None:
        if not self._closed:
            self._disk.submit(self._worked, work, failed)

    def _worked(self, work: Callable[[], Then], failed: Callable[[str], None]) -> None:
        try:
            self._send(work())
        except UserError as exc:
            said = str(exc)
            self._send(lambda: failed(said))
        except Exception as exc:  # noqa: BLE001 - a thread's death is silent: it is told instead
            log.error("the library's disk thread", exc_info=exc)
            self._send(lambda: failed(FAULT))

    def _send(self, then: Then) -> None:
        with suppress(RuntimeError):  # the desk went meanwhile, and its objects with it
            self._back.emit(then)

    @Slot(object)
    def _do(self, then: object) -> None:
        if callable(then) and not self._closed:
            then()

    # --- small ones -------------------------------------------------------------------------------

    def _held(self) -> "Held":
        from basisdesk.lab.library_trash import Held

        here = self._here
        if here is None:
            return Held()
        home = "" if here.account == "main" else f"accounts/{here.account}/"
        return Held(here.account, f"{home}{here.mode}/{here.session}")

    def _listed(self) -> tuple[SessionLine, ...]:
        return tuple(map(self._line, islice(self._sessions.values(), LISTED_MAX)))

    def _remark(self) -> str:
        """What a person has to know of the list: why there are no notes, that it is cut."""
        count = len(self._sessions)
        cut = f"Of {count:,} sessions the newest {LISTED_MAX:,} are listed; the others are kept."
        notes = self._marks.problem if self._marks is not None else ""
        return notes or (cut if count > LISTED_MAX else "")

    def _line(self, session: "Session") -> SessionLine:
        return session_line(session, self._marks, running=session.key == self._held().running)


def session_line(
    session: "Session", marks: "Marks | None", *, running: bool = False
) -> SessionLine:
    """A session as the library's window lists it."""
    from basisdesk.lab.replay import text

    mark = marks.of(session.mark) if marks is not None else None
    terms = session.terms
    money = {name: text(terms[name]) if terms else "" for name in ("fees", "funding", "borrow")}
    return SessionLine(
        key=session.key,
        account=session.place.account,
        mode=session.place.mode,
        begun_ns=session.begun_ns,
        ended_ns=session.ended_ns,
        pairs_closed=session.pairs_closed,
        pairs_open=session.pairs_open,
        net=text(session.net) if terms else "",
        version=session.version,
        mb=session.tape_bytes / 1e6,
        status=session.status,
        tape=session.tapes[0].path if session.tapes else None,
        tapes_mb=tuple(tape.size / 1e6 for tape in session.tapes),
        tags=mark.tags if mark is not None else (),
        note=mark.note if mark is not None else "",
        pairs_opened=session.pairs_opened,
        refusals=session.refusals,
        session=session.session,
        archived=session.place.archived,
        running=running,
        **money,
    )
