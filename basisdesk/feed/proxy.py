"""The way through a user's own HTTP proxy: a tunnel (CONNECT) that TLS goes through unread.

The proxy looks the venue's name up, we look up the proxy's; what is on this machine is never asked
for through it. The environment's proxies are not looked at.
"""

import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import msgspec
from websockets.asyncio.client import connect

from basisdesk.feed.faults import Fault
from basisdesk.feed.names import Names
from basisdesk.feed.shared import LOOPBACK


def through(proxy: str, url: str) -> str:
    """The proxy to ask this address for; "" where it is reached directly."""
    return "" if (urlsplit(url).hostname or "") in LOOPBACK else proxy


def told(fault: Fault, proxy: str) -> Fault:
    """A fault on the way: the reader has to know that a proxy stood between."""
    if not proxy or fault.reason.startswith("proxy"):
        return fault
    return msgspec.structs.replace(fault, reason=f"{fault.reason}, through the proxy")


async def by_number(proxy: str, names: Names) -> str:
    """The proxy's address with its host as a number, found in a thread of our own."""
    parts = urlsplit(proxy)
    port = parts.port or 80
    found = (await names.addresses(parts.hostname or "", port))[0]
    named, at, _ = parts.netloc.rpartition("@")
    return f"http://{named}{at}{_literal(found)}:{port}"


class Unmoved(connect):
    """A connect that follows no redirect: it would lead to another host through the proxy."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The redirect is the fault."""
        return exc


def pool(tls: ssl.SSLContext, names: Names, proxy: str) -> httpcore.AsyncConnectionPool:
    """Plain connections: no redirects, no cookies; through the proxy where there is one."""
    if not proxy:
        return httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=2, max_keepalive_connections=1
        )
    parts = urlsplit(proxy)
    named = (unquote(parts.username or ""), unquote(parts.password or ""))
    return httpcore.AsyncHTTPProxy(
        proxy_url=f"http://{_literal(parts.hostname or '')}:{parts.port or 80}",
        proxy_auth=named if parts.username else None,
        ssl_context=tls,
        max_connections=2,
        max_keepalive_connections=1,
        network_backend=_Named(names),
    )


class _Named(httpcore.AnyIOBackend):
    """Looks the proxy's name up in a thread of its own; see `Names`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the base class's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream to the proxy. Raises OSError, or httpcore's own words for one."""
        found = await self._names.addresses(host.strip("[]"), port)
        return await super().connect_tcp(found[0], port, timeout, local_address, socket_options)


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
