"""Golden tapes: a market told by hand, the real command line, and a ledger worked out on paper.

A scene is a few prices and commands. Its ledger stands in `golden/NAME.md` as a table that a person
can follow: each amount beside the arithmetic that gives it. The test evaluates the arithmetic,
replays the scene and compares every posting, in order, to the last digit. The same tape is then
played as in the window, at other speeds and scrubbed, and has to give the same ledger.
"""

import ast
import json
import re
from decimal import Decimal
from operator import add, mul, neg, pos, sub, truediv
from pathlib import Path

from basisdesk.cli import main
from basisdesk.events import BEAT
from basisdesk.lab.tape import TapeReader, TapeWriter
from basisdesk.ledger.check import check_journal, journal_entries
from tests.bybit_wire import LINEAR, REST, SPOT, instruments, ticker, write_recording
from tests.lab.replay_rig import plays_alike

S = 1_000_000_000
T0 = 1_735_689_600 * S  # 2025-01-01 00:00:00 UTC
MS0 = T0 // 1_000_000
H = 3_600  # seconds
ADA, ADA_PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
ADA_SWAP = "okx:perp:ADA-USDT-SWAP"
OKX, OKX_REST, SWAP = "okx.public", "okx.rest", "ADA-USDT-SWAP"
PLAN = {"target_bp": "-1000", "stop_bp": "5000", "max_hold_h": "720"}
SETTINGS = """
[paper]
latency_ms = 0
[fees.bybit]
spot_taker = 0.001
perp_taker = 0.00055
spot_buy_fee_in = "quote"
"""
LATE = SETTINGS.replace("latency_ms = 0", "latency_ms = 1000")
TABLES = Path(__file__).parent / "golden"
_WORK = {ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv}
_SIGN = {ast.UAdd: pos, ast.USub: neg}


class Scene:
    """Prices and commands by the second after T0. Books are (price, size) levels, best first.

    journal: of the last replay. asleep: (from, to) in seconds: the machine slept, so the recording
    has nothing at all there, not even heartbeats.
    """

    def __init__(self, settings=SETTINGS, asleep=None):
        self.settings = settings
        self.asleep = asleep
        self.rows = [(T0, row) for row in instruments()]
        self.commands = []
        self.journal = None
        self._u = 0

    def book(self, t_s, conn, bids, asks, symbol="ADAUSDT"):
        """A snapshot of the top of book and of the depth; bids and asks: [(price, size)]."""
        self._u += 1
        for depth in (1, 50):
            data = {"s": symbol, "b": bids[:depth], "a": asks[:depth], "u": self._u + 1}
            data["seq"] = self._u + 1
            ms = _ms(t_s)
            message = {"topic": f"orderbook.{depth}.{symbol}", "type": "snapshot", "ts": ms}
            self._say(t_s, conn, message | {"data": data, "cts": ms})

    def quotes(self, seconds, spot, perp, size="50000"):
        """Both legs' best prices at each of these seconds; spot, perp: (bid, ask) or levels.

        As levels a side is [(price, size), ...], best first.
        """
        for t_s in seconds:
            for conn, (bid, ask) in ((SPOT, spot), (LINEAR, perp)):
                self.book(t_s, conn, _side(bid, size), _side(ask, size))

    def mark(self, t_s, mark, rate="0.0001", next_h=8.0, interval_h=8):
        """The perpetual's ticker. next_h: hours after T0 of the coming settlement."""
        row = ticker(mark, rate, _ms(next_h * H), _ms(t_s))
        said = json.loads(row["data"])
        said["data"]["fundingIntervalHour"] = str(interval_h)
        self._say(t_s, LINEAR, said)

    def history(self, t_s, rows):
        """What Bybit published of the perpetual's funding; rows: [(hours after T0, rate)]."""
        told = [
            {"symbol": "ADAUSDT", "fundingRate": rate, "fundingRateTimestamp": str(_ms(hour * H))}
            for hour, rate in rows
        ]
        body = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": told}}
        path = "/v5/market/funding/history?category=linear&symbol=ADAUSDT&limit=200"
        self._say(t_s, REST, body | {"retExtInfo": {}, "time": _ms(t_s)}, path=path)

    def trade(self, t_s, conn, taker, price, size):
        """A public trade; taker: "Buy" or "Sell"."""
        row = {"T": _ms(t_s), "s": "ADAUSDT", "S": taker, "v": size, "p": price, "i": "1"}
        row["BT"] = False
        message = {"topic": "publicTrade.ADAUSDT", "type": "snapshot", "ts": _ms(t_s)}
        self._say(t_s, conn, message | {"data": [row]})

    def do(self, t_s, **command):
        """A command; an entry gets a plan that does not act unless it brings its own."""
        if command["do"] == "open_pair":
            usual = {"long": ADA, "short": ADA_PERP, "qty": "10000", "leverage": "2", "exit": PLAN}
            command = usual | command
        self.commands.append({"t_ns": T0 + round(t_s * S)} | command)

    def replay(self, folder, capsys):
        """What `basisdesk replay --json` says, and the journal's transactions as rows."""
        recording = write_recording(folder / "scene.jsonl", self.rows)
        lines = [{"basisdesk_commands": 1}, *self.commands]
        commands = folder / "commands.jsonl"
        commands.write_text("\n".join(json.dumps(line) for line in lines))
        config = folder / "settings.toml"
        config.write_text(self.settings)
        tape, self.journal = folder / "scene.tape", folder / "journal.db"
        how = ["--format", "raw-jsonl", "--out", str(tape)]
        assert main(["import", str(recording), *how]) == 0
        if self.asleep:
            tape = _slept(tape, folder / "slept.tape", *self.asleep)
        capsys.readouterr()
        given = ["--commands", str(commands), "--config", str(config)]
        given += ["--journal", str(self.journal)]
        assert main(["replay", str(tape), *given, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert check_journal(self.journal).problems == []
        plays_alike(tape, commands, config, said["ledger_digest"])
        return said, postings(self.journal)

    def outcomes(self, *kinds):
        """The outcomes of these kinds that the last replay journaled, in order."""
        found = (outcome for _, outcome, _ in journal_entries(self.journal))
        return [outcome for outcome in found if isinstance(outcome, kinds)]

    def _say(self, t_s, conn, message, **more):
        row = {"conn": conn, "data": json.dumps(message)} | more
        self.rows.append((T0 + round(t_s * S), row))


class OkxScene(Scene):
    """A scene with OKX's ADA swap beside Bybit: 100 coins a contract, steps of a tenth of one."""

    def __init__(self, settings=SETTINGS):
        super().__init__(settings)
        row = {"instType": "SWAP", "instId": SWAP, "uly": "ADA-USDT", "instFamily": "ADA-USDT"}
        row |= {"baseCcy": "", "quoteCcy": "", "settleCcy": "USDT", "ctVal": "100", "ctMult": "1"}
        row |= {"ctValCcy": "ADA", "ctType": "linear", "expTime": "", "lever": "75"}
        row |= {"tickSz": "0.0001", "lotSz": "0.1", "minSz": "0.1", "maxLmtSz": "1000000"}
        row |= {"maxMktSz": "52000", "ruleType": "normal", "state": "live"}
        path = f"/api/v5/public/instruments?instType=SWAP&instId={SWAP}"
        self._say(0, OKX_REST, {"code": "0", "msg": "", "data": [row]}, path=path)

    def swap(self, seconds, bid, ask, contracts="500"):
        """The swap's best prices at each of these seconds, sizes in contracts."""
        for t_s in seconds:
            self._u += 1
            sides = {"asks": [[ask, contracts, "0", "1"]], "bids": [[bid, contracts, "0", "1"]]}
            row = sides | {"ts": str(_ms(t_s)), "seqId": self._u}
            self._channel(t_s, "bbo-tbt", row)
            row = row | {"checksum": 0, "prevSeqId": -1}
            self._channel(t_s, "books", row, action="snapshot")

    def swap_mark(self, t_s, mark, rate, next_h, after_h):
        """The swap's mark and funding; next_h, after_h: its next two settlements, hours from T0."""
        at = {"instId": SWAP, "instType": "SWAP", "ts": str(_ms(t_s))}
        self._channel(t_s, "mark-price", at | {"markPx": mark})
        row = {"fundingRate": rate, "fundingTime": str(_ms(next_h * H))}
        row |= {"nextFundingTime": str(_ms(after_h * H)), "maxFundingRate": "0.0075"}
        self._channel(t_s, "funding-rate", at | row)

    def _channel(self, t_s, channel, row, **more):
        arg = {"channel": channel, "instId": SWAP}
        self._say(t_s, OKX, {"arg": arg} | more | {"data": [row]})


def _ms(t_s):
    return MS0 + round(t_s * 1000)


def _side(best, size):
    return [(best, size)] if isinstance(best, str) else best


def _slept(tape, path, from_s, to_s):
    """The tape without the heartbeats that the importer puts into a silence."""
    reader = TapeReader(tape)
    with TapeWriter(path, reader.header, 1 << 30) as writer:
        for frame in reader:
            second = (frame.t_ns - T0) / S
            if frame.conn != BEAT or not from_s < second < to_s:
                writer.put(frame)
    return path


def postings(journal):
    """(second, cause, account, currency, amount) of each posting after the opening deposit."""
    return [
        (
            Decimal(txn.ts_ns - T0) / S,
            txn.cause,
            line.account,
            line.currency,
            line.amount,
        )
        for _, _, txns in journal_entries(journal)
        for txn in txns
        if txn.cause != "opening"
        for line in txn.postings
    ]


def worked(name):
    """The hand-worked ledger of `golden/NAME.md`: (posting rows, attribution terms).

    In a posting row an empty second or cause means: as in the row above. Raises AssertionError
    where an amount is not what its arithmetic gives.
    """
    rows, terms = [], {}
    second = cause = ""
    for cells in _cells((TABLES / f"{name}.md").read_text("utf-8")):
        if len(cells) == 6:
            second, cause = cells[0] or second, cells[1] or cause
            amount = _agreed(name, cells[4], cells[5])
            rows.append((Decimal(second), cause, cells[2], cells[3], amount))
        elif len(cells) == 3:
            terms[cells[0]] = _agreed(name, cells[1], cells[2])
    assert rows, f"{name}.md has no ledger table"
    return rows, terms


def meets_paper(name, said, booked):
    """Assert that a replay's postings and attribution are those worked out by hand."""
    rows, terms = worked(name)
    told, paper = ("\n".join(map(_line, table)) for table in (booked, rows))
    assert told == paper, f"the desk booked\n{told}\n\n{name}.md says\n{paper}"
    if terms:
        found = {term: Decimal(x) for term, x in said["pairs"][0]["attribution"].items()}
        assert {term: found[term] for term in terms} == terms


def _cells(text):
    """The cells of each table row, without heads and rules; thousands separators removed."""
    for line in text.splitlines():
        if not line.startswith("|") or re.fullmatch(r"[|\s:-]+", line):
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]
        if cells[0] not in ("second", "term"):
            yield cells


def _agreed(name, amount, how):
    figure = Decimal(amount.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    sum_text = how.replace(",", "").replace("\N{MINUS SIGN}", "-")
    sum_text = sum_text.replace("\N{MULTIPLICATION SIGN}", "*").replace("\N{DIVISION SIGN}", "/")
    result = _evaluate(ast.parse(sum_text, mode="eval").body)
    assert result == figure, f"{name}.md: {how} is {result}, not {amount}"
    return figure


def _evaluate(node):
    match node:
        case ast.Constant(value=value):
            return Decimal(str(value))
        case ast.UnaryOp(op=op, operand=operand):
            return _SIGN[type(op)](_evaluate(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return _WORK[type(op)](_evaluate(left), _evaluate(right))
    raise AssertionError(f"no arithmetic: {ast.dump(node)}")


def _line(row):
    second, cause, account, currency, amount = row
    return f"{_plain(second)} s  {cause}  {account}  {currency} {_plain(amount)}"


def _plain(amount):
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
