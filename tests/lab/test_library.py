"""Past sessions found, cut out, tagged, compared, put into the trash and brought back."""

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from library_rig import put_tape, small_profile, write_sessions

from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.lab.library import TERMS, Shelf, tapes_at, tapes_of
from basisdesk.lab.library_beside import beside
from basisdesk.lab.library_marks import NOTE_CHARS_MAX, TAGS_MAX, Marks
from basisdesk.lab.library_report import export_log, keep_feeds, session_log
from basisdesk.lab.library_trash import MANIFEST, Held, plan, restore, thrown, to_trash
from basisdesk.ledger.lock import FileLock

NOW_NS = 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return small_profile(tmp_path_factory.mktemp("library") / "profile")


@pytest.fixture
def profile(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "profile"))


def by_name(profile):
    return {each.session: each for each in Shelf(profile).look()}


def test_sessions_of_all_accounts_modes_and_the_archive_are_found_newest_first(profile):
    found = Shelf(profile).look()
    assert [each.session for each in found] == ["four", "three", "two", "one"]
    assert {(each.place.account, each.place.mode, each.place.archived) for each in found} == {
        ("main", "simulated", ""),
        ("other", "live", ""),
        ("main", "simulated", "main-20260101T000000Z"),
    }
    assert all(each.status == "clean" and each.tape_bytes == 1_000 for each in found)


def test_a_tape_that_lies_elsewhere_is_found_and_stays_where_it_is(profile, tmp_path):
    session = next(each for each in by_name(profile).values() if not each.place.archived)
    kept = tmp_path / "tapes" / session.place.account / session.place.mode
    kept.mkdir(parents=True)
    tape = session.tapes[0].path
    moved = tape.rename(kept / tape.name)
    known = Shelf(profile, tmp_path / "tapes").look()
    found = next(each for each in known if each.key == session.key)
    assert [each.path for each in found.tapes] == [moved]
    beside_it = msgspec.structs.replace(found, key="x", session="y", tapes=())
    assert plan([found], [*known, beside_it], Held()).tapes == ()


def test_the_terms_of_a_session_sum_to_its_change_in_equity_and_sessions_to_the_account(tmp_path):
    books = write_sessions(tmp_path / "simulated", ["a", "b", "c"], trades=4, split=True)
    found = Shelf(tmp_path).look()
    for each in found:
        assert sum(each.terms[term] for term in TERMS[:-1]) == each.terms["total"] == each.net
        assert each.refusals == 1
    assert sum(each.net for each in found) == books.funds({}).equity - books.start
    assert [each.pairs_open for each in found] == [0, 1, 1]
    assert sum(each.pairs_opened for each in found) == sum(e.pairs_closed for e in found) == 12


def test_a_damaged_journal_is_one_line_with_its_reason(profile):
    path = profile / "simulated" / "journal.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4_000)
    found = [each for each in Shelf(profile).look() if each.place.folder == path.parent]
    assert [each.session for each in found] == [""]
    assert found[0].status != "clean"
    assert found[0].tape_bytes == 2_000
    with pytest.raises(UserError):
        session_log(found[0], Settings())


def test_a_name_that_is_a_path_reaches_no_tape(tmp_path):
    write_sessions(tmp_path / "simulated", ["../../evil"])
    (tmp_path / "evil.tape").write_bytes(b"x")
    (tmp_path / "simulated" / "tapes").mkdir()
    (session,) = Shelf(tmp_path).look()
    put_tape(tmp_path / "simulated", "one")
    assert session.tapes == ()
    assert tapes_of([session.session], tapes_at(session.place)) == {"../../evil": ()}


def test_a_session_log_holds_its_own_entries_and_whole_pairs(profile):
    two = by_name(profile)["two"]
    document = session_log(two, Settings()).document
    assert Decimal(document["equity"]["net"]) == two.net
    assert Decimal(document["equity"]["end"]) == two.end
    terms = {row["term"]: Decimal(row["usdt"]) for row in document["attribution"]}
    assert terms == two.terms
    assert len(document["sessions"]) == 1
    assert len(document["pairs"]) == 3  # two of its own, and the one that one left open
    assert document["feeds"]["bad_frames"] is None
    keep_feeds(two.place.folder, "two", {"frames": 9, "bad_frames": 1, "gaps": 0})
    assert session_log(two, Settings()).document["feeds"]["bad_frames"] == 1


def test_an_export_is_escaped_and_defused_and_never_written_over(profile, tmp_path):
    session = by_name(profile)["one"]
    folder = export_log(session, Settings(), tmp_path / "out")
    assert "<i>" not in (folder / "report.html").read_text()
    assert "not kept" in (folder / "report.html").read_text()
    rows = list(csv.reader((folder / "refusals.csv").read_text().splitlines()))
    assert rows[1][-1].startswith("'=")
    assert json.loads((folder / "session.json").read_text())["session"] == "one"
    assert export_log(session, Settings(), tmp_path / "out") != folder


def test_sessions_side_by_side(profile):
    found = by_name(profile)
    logs = [session_log(found[name], Settings()).document for name in ("one", "two", "three")]
    study = beside(logs)
    terms = next(each for each in study["tables"] if each["title"].startswith("Attribution"))
    for at in range(3):
        assert sum(row[2 + at] for row in terms["rows"][:-2]) == pytest.approx(
            terms["rows"][-2][2 + at], abs=0.001
        )
        assert terms["rows"][-1][2 + at] == 0  # left over
    assert ["mode", "simulated", "simulated", "live"] in study["tables"][-1]["rows"]
    for few in (logs[:1], logs + logs):
        with pytest.raises(UserError, match="2 to 4"):
            beside(few)


# --- tags and notes


def test_tags_and_notes_are_kept_private_and_within_limits(profile):
    marks = Marks(profile)
    marks.put("one", [" carry ", "carry", "", "a\nb"], " first\ttry ")
    assert Marks(profile).of("one").tags == ("carry", "a b")
    assert Marks(profile).of("one").note == "first try"
    assert marks.path.stat().st_mode & 0o777 == 0o600
    for tags, note in ((["x" * 33], ""), ([str(n) for n in range(TAGS_MAX + 1)], ""),
                       ([], "x" * (NOTE_CHARS_MAX + 1))):  # fmt: skip
        with pytest.raises(UserError):
            marks.put("one", tags, note)
    marks.put("one", [], "")
    assert b"one" not in marks.path.read_bytes()


def test_two_desks_lose_none_of_each_others_notes(profile):
    one, other = Marks(profile), Marks(profile)
    one.put("one", ["a"], "")
    other.put("two", ["b"], "")
    assert Marks(profile).of("one").tags == ("a",)


@pytest.mark.parametrize("body", [b"{broken", b"\xff\xff", b'{"version": 1, "marks": [1]}'])
def test_a_damaged_file_of_notes_is_put_aside_not_lost(profile, body):
    path = profile / "sessions.json"
    path.write_bytes(body)
    marks = Marks(profile)
    assert "damaged" in marks.problem
    marks.put("one", ["new"], "")
    assert (profile / "sessions.json.damaged-1").read_bytes() == body
    assert Marks(profile).of("one").tags == ("new",)


def test_a_newer_file_of_notes_is_not_written(profile):
    (profile / "sessions.json").write_text('{"version": 9, "marks": {}}')
    with pytest.raises(UserError, match="newer"):
        Marks(profile).put("one", ["a"], "")


# --- the trash


def test_one_session_among_others_loses_its_tape_alone_and_gets_it_back(profile):
    found = by_name(profile)
    going = plan([found["one"]], list(found.values()), Held())
    assert "The ledger is one chain" in going.said
    folder = to_trash(profile, going, Held(), NOW_NS)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert by_name(profile)["one"].tapes == ()
    assert by_name(profile)["two"].tapes
    again = plan([by_name(profile)["one"]], list(by_name(profile).values()), Held())
    assert "no tape" in again.problem
    (line,) = thrown(profile)
    restore(profile, line.name, Held(), NOW_NS)
    assert by_name(profile)["one"].tapes
    assert thrown(profile) == []


def test_all_sessions_of_an_account_take_its_folder_and_come_back(profile):
    found = by_name(profile)
    (profile / "simulated" / "alerts.json").write_text("{}")
    going = plan([found["one"], found["two"]], list(found.values()), Held())
    assert "whole ledger of account main" in going.said
    to_trash(profile, going, Held(), NOW_NS, ("alerts.json",))
    assert [path.name for path in (profile / "simulated").iterdir()] == ["alerts.json"]
    assert set(by_name(profile)) == {"three", "four"}
    restore(profile, thrown(profile)[0].name, Held(), NOW_NS)
    assert set(by_name(profile)) == {"one", "two", "three", "four"}
    assert by_name(profile)["one"].place.archived == ""


def test_an_account_that_began_anew_gets_the_old_one_into_the_archive(profile):
    found = by_name(profile)
    going = plan([found["one"], found["two"]], list(found.values()), Held())
    to_trash(profile, going, Held(), NOW_NS)
    write_sessions(profile / "simulated", ["five"])
    assert "archive" in restore(profile, thrown(profile)[0].name, Held(), NOW_NS)
    now = by_name(profile)
    assert now["one"].place.archived.startswith("main-2027")
    assert now["five"].place.archived == ""


def test_the_running_session_and_an_open_account_are_refused(profile):
    found = by_name(profile)
    known = list(found.values())
    running = Held("main", found["two"].key)
    assert "runs now" in plan([found["two"]], known, running).problem
    unread = msgspec.structs.replace(found["two"], key="simulated/", session="", tapes=())
    assert plan([unread], [unread], running).folders == ()  # too large to be read, yet it runs
    alone = plan([found["one"]], known, running)
    to_trash(profile, alone, running, NOW_NS)
    lock = FileLock(profile / "accounts" / "other" / "desk.lock")
    try:
        with pytest.raises(UserError, match="open in another desk"):
            to_trash(profile, plan([found["three"]], known, running), running, NOW_NS)
    finally:
        lock.release()
    assert "three" in by_name(profile)


@pytest.mark.parametrize("place", ["../out", "/etc/out", "simulated/../../out", "a\\b"])
def test_a_manifest_leads_nowhere_outside_of_the_profile(profile, place):
    found = by_name(profile)
    folder = to_trash(profile, plan([found["one"]], list(found.values()), Held()), Held(), NOW_NS)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["parts"][0]["place"] = place
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="outside of the profile"):
        restore(profile, folder.name, Held(), NOW_NS)
    assert by_name(profile)["one"].tapes == ()
    with pytest.raises(UserError, match="no name"):
        restore(profile, "../simulated", Held(), NOW_NS)


def test_a_place_that_is_taken_is_not_written_over(profile):
    found = by_name(profile)
    folder = to_trash(profile, plan([found["one"]], list(found.values()), Held()), Held(), NOW_NS)
    put_tape(profile / "simulated", "one", 7)
    with pytest.raises(UserError, match="is there again"):
        restore(profile, folder.name, Held(), NOW_NS)
    assert by_name(profile)["one"].tape_bytes == 7
