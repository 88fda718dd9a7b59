"""The tree hash of RFC 9162 written as its text has it: recursive, all leaves at hand."""

import hashlib
from collections.abc import Sequence


def naive_root(leaves: Sequence[bytes]) -> str:
    """Return the root (hex) over leaves."""
    return _hash(leaves).hex()


def _hash(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + _hash(leaves[:k]) + _hash(leaves[k:])).digest()
