"""What one HTTP call's steps tell: how long the round trip took, and a handshake to clean up."""

from collections.abc import Mapping

import httpcore

from basisdesk.clock import mono_s


class CallTrace:
    """Given to httpcore as the "trace" of one call.

    trip_ms: of the answer's head, connecting aside. sent: somebody was there, and was asked.
    A TLS handshake that is cancelled (a deadline, a more urgent call) leaves its socket open in
    httpcore 1.0.9, which cleans up after exceptions of its own only; it is closed here.
    """

    def __init__(self) -> None:
        self.trip_ms = 0.0
        self.sent = False
        self._sent_s = 0.0
        self._plain: httpcore.AsyncNetworkStream | None = None  # connected, not yet encrypted

    async def note(self, event: str, info: Mapping[str, object]) -> None:
        """One step, as httpcore names it."""
        if event == "connection.connect_tcp.complete":
            stream = info["return_value"]
            self._plain = stream if isinstance(stream, httpcore.AsyncNetworkStream) else None
        elif event == "connection.start_tls.failed" and self._plain is not None:
            await self._plain.aclose()
        elif event == "http11.send_request_headers.started":
            self._sent_s, self.sent = mono_s(), True
        elif event == "http11.receive_response_headers.complete":
            self.trip_ms = (mono_s() - self._sent_s) * 1e3
