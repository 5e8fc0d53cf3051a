"""Why an outside system did not answer, in words for people. Never with its URL: URLs hold keys."""

import errno
import json
import socket

import aiohttp

_ERRNO = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "the host can't be reached",
    errno.ENETUNREACH: "the network can't be reached",
}
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectorCertificateError, "its TLS certificate is not trusted"),
    (aiohttp.ClientConnectorSSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorDNSError, "its name can't be resolved"),
    (socket.gaierror, "its name can't be resolved"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before the answer"),
    (aiohttp.ClientPayloadError, "the answer is incomplete or too long"),
    (aiohttp.InvalidURL, "its URL is not a valid one"),
    (json.JSONDecodeError, "the answer is not JSON"),
)
"""The first that fits."""


def reason(error: BaseException, *, timeout: float | None = None) -> str:
    """Half a sentence such as ``the connection was refused``.

    Args:
        error: what the client library raised.
        timeout: how long was waited, in seconds, if that is to be said.
    """
    if isinstance(error, TimeoutError) and timeout is not None:
        return f"no answer within {timeout:g} s"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it answered HTTP {error.status}"
    if isinstance(error, OSError) and error.errno in _ERRNO:
        return _ERRNO[error.errno]
    words = (text for kind, text in _WORDS if isinstance(error, kind))
    return next(words, f"the request failed ({type(error).__name__})")
