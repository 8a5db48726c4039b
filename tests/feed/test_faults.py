import socket
import ssl

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.feed.faults import CALL_ERRORS, TEXT_MAX, clean, fault_of, http_fault


@pytest.mark.parametrize(
    ("exc", "reason", "how"),
    [
        (ConnectionRefusedError(111, "refused"), "refused", "away"),
        (socket.gaierror(-2, "unknown"), "name lookup failed", "away"),
        (TimeoutError(), "timed out", "away"),
        (ssl.SSLEOFError(8, "EOF"), "closed during the TLS handshake", "retry"),
        (ssl.SSLCertVerificationError(1, "x"), "blocked, TLS certificate", "tls"),
        (ssl.SSLError(1, "wrong version"), "blocked, TLS", "tls"),
        (OSError("Multiple exceptions: [Errno 111]"), "refused at every address", "away"),
        (OSError(101, "Network is unreachable"), "network: Network is unreachable", "away"),
        (ConnectionResetError(104, "reset by peer"), "network: reset by peer", "retry"),
        (ValueError("cannot follow"), "redirect refused", "cool"),
        (RuntimeError("odd"), "RuntimeError: odd", "retry"),
    ],
)
def test_each_exception_has_plain_words(exc, reason, how):
    fault = fault_of(exc)
    assert fault.reason.startswith(reason)
    assert fault.how == how


@pytest.mark.parametrize(
    ("status", "after", "how", "after_s"),
    [
        (429, "7", "cool", 7.0),
        (429, None, "cool", 0.0),
        (418, "soon", "cool", 0.0),
        (403, "-5", "cool", 0.0),
        (451, "99999999999", "cool", 0.0),
        (302, None, "cool", 0.0),
        (404, None, "odd", 0.0),
        (503, "9", "retry", 0.0),
        (500, None, "retry", 0.0),
    ],
)
def test_a_status_says_how_long_to_stay_away(status, after, how, after_s):
    fault = http_fault(status, after)
    assert (fault.how, fault.after_s) == (how, after_s)
    assert str(status) in fault.reason


@given(st.text())
def test_words_from_outside_are_plain_and_short(text):
    shown = clean(text)
    assert len(shown) <= TEXT_MAX
    assert shown.isprintable()
    assert not set("<>&") & set(shown)


def wrapped(kind, *causes):
    """An exception of httpcore around what the socket said, the deepest last."""
    exc = outer = getattr(httpcore, kind)("in other words")
    for cause in causes:
        exc.__cause__ = cause
        exc = cause
    return outer


@pytest.mark.parametrize(
    ("exc", "reason", "how"),
    [
        (wrapped("ConnectError", OSError("all"), ConnectionRefusedError()), "refused", "away"),
        (wrapped("ReadTimeout", TimeoutError()), "timed out", "away"),
        (wrapped("ReadError", ConnectionResetError(104, "reset")), "network: reset", "retry"),
        (wrapped("ConnectError", ssl.SSLCertVerificationError(1, "x")), "blocked, TLS", "tls"),
        (wrapped("RemoteProtocolError"), "broken answer: RemoteProtocolError", "retry"),
        (wrapped("UnsupportedProtocol"), "broken answer: UnsupportedProtocol", "retry"),
    ],
)  # fmt: skip
def test_what_an_http_call_raises_is_said_in_the_words_of_the_socket(exc, reason, how):
    assert isinstance(exc, CALL_ERRORS)
    fault = fault_of(exc)
    assert fault.reason.startswith(reason)
    assert fault.how == how
