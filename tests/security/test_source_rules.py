"""Rules of the source that keep hostile bytes from becoming code, markup or a way past TLS."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2] / "basisdesk"

# Modules that turn bytes into code or objects, and where one of them may stand, with the reason.
LOADERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "jsonpickle"}
# Copies of the engine in memory while a replay is played; its bytes never come from a disk.
ALLOWED_LOADERS = {("lab/snapshots.py", "pickle")}
CALLS = {"eval", "exec", "compile", "__import__", "np.load", "QSettings", "QDataStream"}
LISTENING = {"create_server", "start_server", "serve", "listen", "bind"}
# The demo exchange, and the workers that a person starts for a sweep; all of them on this machine.
MAY_LISTEN = {"demo/server.py"}
OWN_SERVE = ("lab/challenger_process.py", "serve")  # answers over its pipe
RICH_SINKS = {"setHtml", "insertHtml", "QMessageBox", "QTextEdit", "TextFormat.RichText"}


class Source(NamedTuple):
    """What the rules look at, gathered in one walk over the package. (place, node or text)."""

    calls: list[tuple[str, ast.Call, str]]
    imported: set[tuple[str, str]]
    attributes: set[tuple[str, str]]
    assigned: set[tuple[str, str]]
    addresses: list[tuple[str, str]]


@cache
def source() -> Source:
    found = Source([], set(), set(), set(), [])
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            note(found, place, node)
    return found


def note(found: Source, place: str, node: ast.AST) -> None:
    if isinstance(node, ast.Call):
        found.calls.append((place, node, name_of(node.func)))
    elif isinstance(node, ast.Attribute):
        found.attributes.add((place, node.attr))
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and "://" in node.value:
            found.addresses.append((place, node.value))
    elif isinstance(node, ast.Import):
        found.imported.update((place, alias.name.partition(".")[0]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        found.imported.add((place, node.module.partition(".")[0]))
    elif isinstance(node, ast.Assign):
        found.assigned.update((place, name_of(t).rpartition(".")[2]) for t in node.targets)


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def test_nothing_turns_bytes_into_code():
    loaders = {(place, name) for place, name in source().imported if name in LOADERS}
    assert loaders == ALLOWED_LOADERS
    assert {(place, name) for place, _, name in source().calls if name in CALLS} == set()


def test_no_shell_reads_a_command():
    shells = [
        (place, name)
        for place, node, name in source().calls
        if name in ("os.system", "os.popen", "subprocess.getoutput")
        or any(word.arg == "shell" for word in node.keywords)
    ]
    assert shells == []


def test_certificates_are_always_checked():
    refused = {"CERT_NONE", "_create_unverified_context"}
    assert {(p, n) for p, n in source().attributes if n in refused} == set()
    switched = {"check_hostname", "verify_mode"}
    assert {(p, n) for p, n in source().assigned if n in switched} == set()


@pytest.mark.parametrize("scheme", ["ws://", "http://"])
def test_an_address_without_tls_is_on_this_machine(scheme):
    said = re.compile(rf"\b{re.escape(scheme)}([\w.\\\[\]]*)")
    here = ("127.0.0.1", r"127\.0\.0\.1[", "localhost", "")  # the second: a pattern of settings
    wrong = {
        (place, host)
        for place, text in source().addresses
        for host in said.findall(text)
        # the name of SVG is no address, and HOST stands in a sentence for one
        if host not in here and host != "www.w3.org" and not host.isupper()
    }
    assert wrong == set()


def test_sql_is_never_put_together_from_values():
    wrong = []
    for place, node, name in source().calls:
        if not name.endswith((".execute", ".executemany", ".executescript")) or not node.args:
            continue
        text = node.args[0]
        if isinstance(text, ast.JoinedStr):
            first = text.values[0]
            pragma = isinstance(first, ast.Constant) and str(first.value).startswith("PRAGMA ")
            if not pragma:  # a pragma takes no parameters; those here are constants of the module
                wrong.append((place, node.lineno))
        elif isinstance(text, ast.BinOp):
            wrong.append((place, node.lineno))
    assert wrong == []


def test_only_the_demo_exchange_listens():
    listeners = {
        (place, name) for place, _, name in source().calls if name.rpartition(".")[2] in LISTENING
    }
    assert {place for place, _ in listeners - {OWN_SERVE}} == MAY_LISTEN


def test_no_place_that_reads_markup_gets_text_from_outside():
    """Labels are PlainLabel, tips go through `safe`, and what Qt would read as HTML is not used."""
    wrong = []
    for place, node, name in source().calls:
        last = name.rpartition(".")[2]
        if last in RICH_SINKS or (last == "QLabel" and place != "ui/theme.py"):
            wrong.append((place, node.lineno, name))
        if last == "setToolTip" and place != "ui/theme.py":
            argument = node.args[0]
            made = isinstance(argument, ast.Call) and name_of(argument.func) == "safe"
            if not made and not isinstance(argument, ast.Name | ast.Constant):
                wrong.append((place, node.lineno, name))
        if last in ("setOpenExternalLinks", "setOpenLinks"):
            said = node.args[0]
            if not (isinstance(said, ast.Constant) and said.value is False):
                wrong.append((place, node.lineno, name))
    assert wrong == []


def test_only_files_of_our_own_are_handed_to_other_programs():
    for place, node, name in source().calls:
        if name.endswith("openUrl"):
            url = node.args[0]
            assert isinstance(url, ast.Call), place
            assert name_of(url.func) == "QUrl.fromLocalFile", place


def test_no_event_loop_runs_inside_another():
    """Under one a coroutine that waits never wakes: dialogs open, and answer by a signal."""
    nesting = {"exec", "exec_", "processEvents", "getOpenFileName", "getSaveFileName"}
    nesting |= {"getExistingDirectory", "getText", "getItem", "waitForFinished", "QEventLoop"}
    harmless = {"qasync.QEventLoop", "view.getItem"}
    nested = {
        (place, name)
        for place, _, name in source().calls
        if name.rpartition(".")[2] in nesting and name not in harmless
        if place.startswith(("ui/", "app/")) and not place.startswith("app/bench/")
    }
    assert nested == set()
