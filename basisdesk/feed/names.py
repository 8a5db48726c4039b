"""Host names to addresses, each lookup in a thread of its own that nobody has to wait for.

The loop's executor is shared and joined at exit; one dead name server would stall everything.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any

Resolve = Callable[[str, int], list[str]]


class Names:
    """Looks names up; one lookup of a name at a time, and its answer is for all who wait."""

    def __init__(self, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or _system_resolve
        self._open: dict[str, asyncio.Future[list[str] | OSError]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """IP addresses of a host, best first. Raises OSError (socket.gaierror) when unknown."""
        if _is_literal(host):
            return [host]
        answer = self._open.get(host)
        if answer is None:
            answer = self._open[host] = self._start(host, port)
        found = await asyncio.shield(answer)  # a cancelled waiter leaves it to the others
        if isinstance(found, OSError):
            raise found
        return found

    def _start(self, host: str, port: int) -> "asyncio.Future[list[str] | OSError]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str] | OSError] = loop.create_future()

        def deliver(found: list[str] | OSError) -> None:
            self._open.pop(host, None)
            if not answer.done():
                answer.set_result(found)

        def work() -> None:
            found: list[str] | OSError
            try:
                found = self._resolve(host, port)
            except OSError as exc:
                found = exc
            except UnicodeError:  # a label that is too long or cannot be encoded
                found = socket.gaierror(socket.EAI_NONAME, "not a host name")
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(deliver, found)

        threading.Thread(target=work, name=f"lookup {host}", daemon=True).start()
        return answer


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _system_resolve(host: str, port: int) -> list[str]:
    rows: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
