"""What fuzzing found in the product, as it was sent, replayed at every run. Records that were finds are kinds of `support/poison.py`."""

from typing import Final

_HEAD: Final = (
    b"Host: localhost\r\nAuthorization: @AUTH@\r\nContent-Type: application/json\r\nIdempotency-Key: @KEY@\r\n"
)
RAW: Final[dict[str, tuple[bytes, str]]] = {
    "a body announced, awaited and unreadable: the connection was half closed when 'Continue' was to be said": (
        b"POST /fiches HTTP/1.1\r\n" + _HEAD + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "400",
    ),
}
"""Bytes, and the status they are answered with."""
