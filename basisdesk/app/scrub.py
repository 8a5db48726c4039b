"""Takes out of a text what tells who a person is, or would let somebody in.

Known things by what they are here (home, user, machine, own addresses of the settings), unknown
ones by their shape: addresses, absolute paths, e-mail, numbers of a network, accounts.
"""

import getpass
import ipaddress
import os
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from basisdesk.config import Settings

LINE_CHARS_MAX = 400
WORD_MIN = 2  # one letter is everywhere, and tells of nobody
SECRET_MIN = 6
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|PROXY|AUTH|CREDENTIAL", re.IGNORECASE)
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s'\"<>)\]]+)", re.IGNORECASE)
_AT = r"[^\s'\"<>()@]"  # of a mail's address, or of who logs in with what
_MAIL = re.compile(rf"(?<!{_AT}){_AT}+@[\w-]+(?:\.[\w-]+)*")
_NUMBER = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_NUMBER_6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
# "2001:db8::1", "fe80::1%eth0", "::ffff:10.0.0.1": what looks like one is then tried
_SIX = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4})?(?:%[\w.-]+)?",
    re.IGNORECASE,
)
# Folders of a path may have blanks; where one ends, a separator stands right behind a sign.
_FOLDERS = r"(?:[^\s'\"<>|:\\/]+(?: [^\s'\"<>|:\\/]+){0,7}[\\/]+)*"
_LAST = r"[^\s'\"<>|:,;()\\/]*"
_START = r"(?:/(?!/)|[A-Za-z]:[\\/]+|\\\\+)"
_PATH = re.compile(rf"(?<![\w~.<>/\\\u2026]){_START}(?!\s){_FOLDERS}{_LAST}")
_HOMELY = re.compile(rf"~[\\/]+{_FOLDERS}{_LAST}")
_QUOTED = re.compile(rf"(['\"])((?:{_START}|~[\\/])[^'\"<>|]*)(?=\1)")
_API = re.compile(r"/(?:api|v5|fapi|0|derivatives)/")
_ACCOUNT = re.compile(
    r"\b(account) [\w-]{1,32}(?= (?:is open|cannot|of the|holds)\b)", re.IGNORECASE
)
# Names of accounts that are words of ours: without these a report could not be read.
_OUR_WORDS = {"main", "live", "simulated", "demo", "paper", "test"}
_KEPT_HOSTS = ("127.0.0.1", "localhost")


def own_places() -> dict[str, str]:
    """Folders of this installation, and what stands for each."""
    python = Path(os.__file__).parent
    return {
        str(python): "python",
        str(python / "site-packages"): "site-packages",
        str(Path(msgspec.__file__).parents[1]): "site-packages",
        str(Path(__file__).parents[1]): "basisdesk",
        str(Path.home()): "~",
    }


class Scrubber:
    """Takes private things out of any text. hosts: names that may stay, as the venues' own.

    places: folders and what stands for each. accounts: names a person gave to accounts.
    """

    def __init__(
        self,
        settings: Settings,
        places: Mapping[str, str],
        hosts: Iterable[str] = (),
        accounts: Iterable[str] = (),
    ) -> None:
        self._hosts = frozenset((*hosts, *_KEPT_HOSTS))
        self._places = sorted(places.items(), key=lambda pair: -len(pair[0]))
        named = dict.fromkeys({*accounts} - _OUR_WORDS, "<account>")
        words = {**named, **_who(), **dict.fromkeys(_secrets(settings), "<private>")}
        words |= dict.fromkeys(_environment(), "<private>")
        self._words = {word.lower(): sign for word, sign in words.items() if len(word) >= WORD_MIN}
        longest = sorted(self._words, key=len, reverse=True)
        self._word = re.compile("|".join(map(_bounded, longest)) or r"(?!)", re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """The text as it may leave the machine; each line bounded."""
        return "\n".join(self._line(line[: 4 * LINE_CHARS_MAX]) for line in text.splitlines())

    def _line(self, line: str) -> str:
        line = _URL.sub(self._address, line)
        for folder, sign in self._places:
            line = line.replace(folder, sign)
        line = _QUOTED.sub(lambda found: found.group(1) + _last(found.group(2)), line)
        line = _HOMELY.sub(_last_of, line)
        line = _PATH.sub(_last_of, line)
        line = self._word.sub(lambda found: self._words[found.group().lower()], line)
        line = _ACCOUNT.sub(r"\1 <account>", line)
        line = _MAIL.sub("<address>", line)
        line = _SIX.sub(_six, line)
        line = _NUMBER.sub(lambda m: m.group() if m.group() in _KEPT_HOSTS else "<address>", line)
        line = _NUMBER_6.sub("<address>", line)
        return line if len(line) <= LINE_CHARS_MAX else line[:LINE_CHARS_MAX] + "\u2026"

    def _address(self, found: "re.Match[str]") -> str:
        """Scheme and host of a venue; of any other address the scheme alone."""
        scheme = found.group(1)
        try:
            host = urlsplit(found.group()).hostname or ""
        except ValueError:
            host = ""
        return f"{scheme}://{host if host in self._hosts else '<private>'}"


def _who() -> dict[str, str]:
    """Who sits here, and at what machine."""
    names: dict[str, str] = {}
    for name in (platform.node(), platform.node().partition(".")[0]):
        names[name] = "<machine>"
    told = (os.environ.get(key, "") for key in ("USER", "USERNAME", "LOGNAME"))
    for name in (Path.home().name, *told):
        names[name] = "<user>"
    with suppress(OSError, KeyError):  # a number without a name
        names[getpass.getuser()] = "<user>"
    return {name: sign for name, sign in names.items() if name not in ("", "root", "localhost")}


def _secrets(settings: Settings) -> set[str]:
    """What the settings hold of addresses, names, passwords and files of a person's own."""
    sources = settings.forecast.indicators
    urls = [settings.alerts.webhook, settings.network.proxy]
    urls += [each.url for each in sources.values()]
    urls += [url for channels in settings.feeds.values() for url in channels.values()]
    found = {*urls, *settings.alerts.webhook_hosts, *(each.file for each in sources.values())}
    for url in urls:
        try:
            parts = urlsplit(url)
            told = (parts.netloc, parts.hostname, parts.username, parts.password, parts.query)
        except ValueError:
            continue
        found |= {part for part in told if part} | {unquote(part) for part in told if part}
        found |= {part for part in parts.path.split("/") if len(part) >= SECRET_MIN}
    return {word for word in found if word} - set(_KEPT_HOSTS)


def _environment() -> set[str]:
    """Values of the environment that look like secrets, by their names."""
    return {
        value
        for name, value in os.environ.items()
        if _SECRET.search(name) and len(value) >= SECRET_MIN and not value.startswith("/")
    }


def _bounded(word: str) -> str:
    """Matches a word, not a part of another one."""
    left = r"(?<!\w)" if word[0].isalnum() else ""
    right = r"(?!\w)" if word[-1].isalnum() else ""
    return f"{left}{re.escape(word)}{right}"


def _six(found: "re.Match[str]") -> str:
    """No address of a network's sixth version, but a time of day and a colon behind one."""
    text = found.group()
    core = text if text.endswith("::") else text.rstrip(":")
    try:
        own = ipaddress.IPv6Address(core).is_loopback
    except ValueError:
        return text
    return text if own else f"<address>{text[len(core) :]}"


def _last_of(found: "re.Match[str]") -> str:
    return _last(found.group())


def _last(path: str) -> str:
    """The name of a file; where it lies is nobody's business. An API's short path stays."""
    if _API.match(path):
        return path.partition("?")[0]
    home = "~/" if path.startswith("~") else ""
    last = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    return f"{home}\u2026/{last}" if last not in ("", "~") else path
