"""The one command line. Errors are one line on stderr with exit code 2; --json prints one object.

Each command imports what it needs when it runs, so the desk's exchange and window come up sooner.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import platformdirs

from basisdesk import __version__
from basisdesk.app.desk_command import add_desk
from basisdesk.app.lab_commands import Ends, add_lab
from basisdesk.app.library_commands import add_library
from basisdesk.clock import wall_ns
from basisdesk.config import Settings, load_settings, profile_dir
from basisdesk.errors import SettingsError, UserError

if TYPE_CHECKING:
    from basisdesk.lab.tape import TapeReader

IMPORT_FORMATS = ("raw-jsonl", "cryptofeed", "hftbacktest")
EXPORT_COLUMNS = {  # lab.export repeats them; here, --help needs no engine
    "quotes": "t_recv_ns,t_venue_ms,instrument,bid,bid_size,ask,ask_size",
    "books": "t_recv_ns,instrument,side,level,price,size",
    "trades": "t_recv_ns,t_venue_ms,instrument,price,size,taker_side",
    "funding": "t_recv_ns,instrument,rate,interval_h,next_ms,mark,index",
    "basis": "t_recv_ns,long,short,mid_bp,open_bp,close_bp,age_long_ms,age_short_ms",
}
EXPORT_NOTES = """
t_recv_ns is our receive time (UTC nanoseconds), t_venue_ms the venue's (0: it gave none).
Prices are per coin and sizes in coins. An empty cell (null in Parquet) is a figure nobody knew.
quotes    every best bid and ask; of a leg that has no such channel, every change of its book's top
books     10 levels a side, side bid or ask, level 1 the best, every --every SECONDS
trades    taker_side buy or sell: who took
funding   rate as a fraction per interval, as it floats before the settlement
basis     (perp - spot) / spot in basis points at each change of either leg's best bid or ask;
          open_bp and close_bp at --qty coins (0: at the touch); between two perpetuals --long
          stands for the spot. The ages say how old each leg's price was. Legs in two currencies
          need the leg of their rate on the tape as well."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{self.prog}: {message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, or 2 after one sentence on stderr."""
    try:
        typed = sys.argv[1:] if argv is None else argv
        arguments = _parser(typed).parse_args(typed)
        code: int = arguments.run(arguments)
    except UserError as exc:
        print(f"basisdesk: {exc}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return code


def _parser(typed: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="basisdesk", description="Practise the spot-perp basis trade on paper.")
    parser.add_argument("--version", action="version", version=f"basisdesk {__version__}")
    add_desk(parser)
    parser.set_defaults(run=_desk)
    commands = parser.add_subparsers(title="commands", parser_class=_Parser)
    _add_record(commands)
    _add_import(commands)
    _add_export(commands)
    _add_replay(commands)
    _add_journal_commands(commands)
    _add_demo(commands)
    _add_measures(commands)
    ends = Ends(_show, _profile)
    add_lab(commands, ends, typed)
    add_library(commands, ends, _settings)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: an option given before the command is not overwritten by the command's default.
    keep = argparse.SUPPRESS
    parser.add_argument("--profile", metavar="DIR", default=keep, help="folder of the user's data")
    parser.add_argument("--config", metavar="FILE", default=keep, help="settings file (TOML)")


def _desk(arguments: argparse.Namespace) -> int:
    from basisdesk.app.desk import run_desk
    from basisdesk.app.desk_command import desk_options

    return run_desk(desk_options(arguments, _settings(arguments), _profile(arguments)))


# --- tapes ----------------------------------------------------------------------------------------


def _add_record(commands: Any) -> None:
    parser = commands.add_parser("record", help="headless recorder: feeds to a tape")
    _common(parser)
    parser.add_argument("--leg", action="append", required=True, metavar="VENUE:MARKET:SYMBOL")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--out", required=True, type=Path, metavar="TAPE")
    parser.add_argument("--endpoint", action="append", default=[], metavar="VENUE.CHANNEL=URL")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_record)


def _record(arguments: argparse.Namespace) -> int:
    from basisdesk.app.record import RecordOptions, record

    pairs = [text.partition("=") for text in arguments.endpoint]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise UserError(f"--endpoint {wrong}: write VENUE.CHANNEL=URL.")
    made = record(
        RecordOptions(
            legs=tuple(arguments.leg),
            seconds=arguments.seconds,
            out=arguments.out,
            endpoints={name: url for name, _, url in pairs},
            settings=_settings(arguments),
        )
    )
    if arguments.json:
        _print_json(made)
    else:
        print(f"{arguments.out}: " + ", ".join(f"{v} {k}" for k, v in made.items()))
    return 0


def _add_import(commands: Any) -> None:
    parser = commands.add_parser("import", help="recordings of other collectors to a tape")
    _common(parser)
    parser.add_argument("files", nargs="+", metavar="FILE[@CONN]")
    parser.add_argument("--format", required=True, choices=IMPORT_FORMATS)
    parser.add_argument("--out", required=True, type=Path, metavar="TAPE")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    from basisdesk.lab import importer
    from basisdesk.lab.tape import header_for

    sources = [importer.parse_source(text) for text in arguments.files]
    header = header_for("import", __version__, wall_ns())
    made = importer.import_files(sources, arguments.format, arguments.out, header)
    if arguments.json:
        _print_json(made._asdict() | {"tape": str(arguments.out)})
    else:
        print(
            f"{arguments.out}: {made.frames} frames and {made.beats} heartbeats over "
            f"{(made.last_ns - made.first_ns) / 1e9:.1f} s; {made.skipped} other lines left out."
        )
    if made.broken:
        print(
            f"basisdesk: {made.broken} lines could not be read and were left out, the first: "
            f"{made.first_broken}.",
            file=sys.stderr,
        )
    return 0


def _add_export(commands: Any) -> None:
    kinds = "\n".join(f"  {what:8}{columns}" for what, columns in EXPORT_COLUMNS.items())
    parser = commands.add_parser(
        "export",
        help="a tape as a table, CSV or Parquet",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"columns, in this order:\n{kinds}\n{EXPORT_NOTES}",
    )
    _common(parser)
    parser.add_argument("tape", type=Path, metavar="TAPE")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv|FILE.parquet")
    parser.add_argument("--what", required=True, choices=tuple(EXPORT_COLUMNS))
    parser.add_argument("--long", default="", metavar="LEG", help="basis: the leg to buy")
    parser.add_argument("--short", default="", metavar="LEG", help="basis: the leg to sell")
    parser.add_argument("--qty", type=float, default=0.0, help="basis: base coins; 0: the touch")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="books")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    from basisdesk.lab.export import ExportOptions, export
    from basisdesk.lab.tape import TapeReader

    reader = TapeReader(arguments.tape)
    options = ExportOptions(
        arguments.what,
        arguments.out,
        arguments.long,
        arguments.short,
        arguments.qty,
        arguments.every,
    )
    rows = export(reader, _tape_settings(arguments, reader), options)
    _say_lost(reader)
    if arguments.json:
        _print_json({"rows": rows, "what": arguments.what, "out": str(arguments.out)})
    else:
        print(f"{arguments.out}: {rows} rows of {arguments.what}.")
    return 0


def _add_replay(commands: Any) -> None:
    parser = commands.add_parser("replay", help="run a tape headless and print what came of it")
    _common(parser)
    parser.add_argument("tape", type=Path, metavar="TAPE")
    parser.add_argument("--commands", type=Path, metavar="FILE.jsonl", dest="commands_file")
    parser.add_argument("--instruments", type=Path, metavar="FILE.json")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="write the journal here")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    from basisdesk.lab import replay
    from basisdesk.lab.tape import TapeReader
    from basisdesk.ledger.journal import Journal

    reader = TapeReader(arguments.tape)
    settings = _tape_settings(arguments, reader)
    commands = replay.read_commands(arguments.commands_file) if arguments.commands_file else []
    journal = None
    if arguments.journal:
        if arguments.journal.exists():
            raise UserError(f"{arguments.journal} exists already. Choose another --journal file.")
        journal = Journal.open(arguments.journal)
    try:
        engine = replay.fresh_engine(settings, journal, reader.header.speed)
        if arguments.instruments:
            engine.market.apply(replay.read_instruments(arguments.instruments), 0)
        frames = replay.with_commands(reader, commands)
        if not reader.header.entries:
            replay.open_session(engine, reader.header)
        count = replay.run(engine, frames)
    finally:
        if journal:
            journal.close()
    result = replay.report(engine, engine.books.start, count)
    _say_lost(reader)
    if arguments.json:
        _print_json(result)
    else:
        _print_replay(result)
    return 0


def _say_lost(reader: "TapeReader") -> None:
    if reader.lost_bytes:
        print(
            f"basisdesk: {reader.path} ends in an unfinished block; {reader.lost_bytes} bytes "
            "were left out.",
            file=sys.stderr,
        )


def _tape_settings(arguments: argparse.Namespace, reader: "TapeReader") -> Settings:
    """The settings named with --config, else those of the recording, else the defaults."""
    if getattr(arguments, "config", None):
        return _settings(arguments)
    if not reader.header.settings:
        return Settings()
    try:
        return msgspec.json.decode(reader.header.settings, type=Settings)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise UserError(f"Settings of tape {reader.path}: {exc}. Give --config FILE.") from exc


def _print_replay(result: dict[str, Any]) -> None:
    print(
        f"{result['frames']} frames, {result['bad_frames']} bad, {result['gaps']} gaps; equity "
        f"{result['equity']['start']} -> {result['equity']['end']} USDT; digest "
        f"{result['ledger_digest'][:16]}"
    )
    for pair in result["pairs"]:
        print(
            f"pair {pair['pair']}: {pair['qty']} long {pair['long']} / short {pair['short']}, net "
            f"{pair['attribution']['total']} USDT, {pair['close_reason'] or 'open'}"
        )
    for refusal in result["refusals"]:
        print(f"refused: {refusal['text']}")


# --- journals -------------------------------------------------------------------------------------


def _add_journal_commands(commands: Any) -> None:
    check = commands.add_parser("check", help="verify every invariant of a journal")
    _common(check)
    check.add_argument("journal", type=Path, metavar="JOURNAL")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)
    report = commands.add_parser("report", help="session log of a journal: HTML, CSV, JSON")
    _common(report)
    report.add_argument("journal", type=Path, metavar="JOURNAL")
    report.add_argument("--out", required=True, type=Path, metavar="DIR")
    report.set_defaults(run=_report)


def _check(arguments: argparse.Namespace) -> int:
    from basisdesk.ledger.check import check_journal

    found = check_journal(arguments.journal)
    if arguments.json:
        _print_json(found)
    else:
        for problem in found.problems:
            print(problem)
        print(f"{arguments.journal}: {'clean' if found.ok else 'NOT CLEAN'}")
    return 0 if found.ok else 1


def _report(arguments: argparse.Namespace) -> int:
    from basisdesk.engine import Engine, MemoryJournal
    from basisdesk.lab.report import tables_beside, write_report
    from basisdesk.ledger.check import journal_entries
    from basisdesk.venues import known_venues

    entries = journal_entries(arguments.journal)
    engine = Engine(_settings(arguments), known_venues(), MemoryJournal())
    engine.restore(entries)
    more = tables_beside(arguments.journal)
    for path in write_report(arguments.out, entries, engine, more=more):
        print(path)
    return 0


# --- demo exchange, bench, doctor -----------------------------------------------------------------


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser("demo-exchange", help="the local exchange alone")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--scenario", default="mixed")
    parser.add_argument("--symbol", default="ADAUSDT")
    parser.add_argument("--state", type=Path, metavar="FILE")
    parser.add_argument("--epoch-ms", type=int)
    parser.add_argument("--faults", type=Path, metavar="FILE")
    parser.add_argument("--rate", type=float, default=1.0, help="messages a second, times this")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="PEM: serve wss and https")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM: the certificate's key")
    parser.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from basisdesk.demo.exchange import main_demo
    from basisdesk.demo.options import DemoOptions

    given = {k: v for k, v in vars(arguments).items() if k in DemoOptions.__struct_fields__}
    return main_demo(DemoOptions(**given))


def _add_measures(commands: Any) -> None:
    bench = commands.add_parser("bench", help="performance figures beside bare-library limits")
    _common(bench)
    bench.add_argument("--json", action="store_true")
    bench.add_argument(
        "--only",
        metavar="NAME",
        help="one group: engine venue socket ... paint start memory replay",
    )
    bench.set_defaults(run=_bench)
    doctor = commands.add_parser("doctor", help="versions, folders and what is missing")
    _common(doctor)
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)


def _bench(arguments: argparse.Namespace) -> int:
    from basisdesk.app.bench import run_bench

    result = run_bench(arguments.only)
    lines = [f"{name:32} {value:,.4g}" for name, value in result["figures"].items()]
    return _show(result, lines, as_json=arguments.json)


def _doctor(arguments: argparse.Namespace) -> int:
    from basisdesk.app.doctor import examine

    found = examine(_profile(arguments), _settings(arguments))
    lines = [f"{name:20} {value}" for name, value in found.items()]
    return _show(found, lines, as_json=arguments.json)


# --- small ones -----------------------------------------------------------------------------------


def _profile(arguments: argparse.Namespace) -> Path:
    default = Path(platformdirs.user_data_dir("basisdesk", appauthor=False))
    return profile_dir(getattr(arguments, "profile", None), default)


def _settings(arguments: argparse.Namespace) -> Settings:
    named = getattr(arguments, "config", None)
    if named:
        path = Path(named)
        if not path.exists():
            raise SettingsError(f"No settings file {path}. Check --config.")
        return load_settings(path)
    return load_settings(_profile(arguments) / "settings.toml")


def _show(found: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        _print_json(found)
    else:
        print("\n".join(lines))
    return 0


def _print_json(value: Any) -> None:
    print(msgspec.json.encode(value).decode())
