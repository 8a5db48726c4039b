"""WebSocket and HTTP server on 127.0.0.1 that speaks for the simulated market (signatures first)."""

from collections.abc import Callable

from basisdesk.demo.options import DemoOptions

__all__ = ["DemoOptions", "main_demo", "serve"]


async def serve(options: DemoOptions, ready: Callable[[int], None]) -> None:
    """Serve until cancelled. Calls ready(port) when listening. Raises UserError."""
    raise NotImplementedError


def main_demo(options: DemoOptions) -> int:
    """Run until stdin ends or SIGTERM/SIGINT; prints {"port","ws","rest","epoch_ms","speed"}."""
    raise NotImplementedError
