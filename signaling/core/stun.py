"""STUN messages as ICE uses them: read, checked, answered (RFC 8489, RFC 8445 §7).

`parse` accepts only what is well formed to the last byte; nothing of it is trusted before
`Message.is_authentic`. Attributes this server need not understand are kept by number only.
"""

import hashlib
import hmac
import ipaddress
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack, unpack_from
from typing import Final

MAGIC_COOKIE: Final = 0x2112A442
HEADER_BYTES: Final = 20
MESSAGE_LIMIT_BYTES: Final = 1500
ATTRIBUTE_LIMIT: Final = 32

BINDING_REQUEST: Final = 0x0001
BINDING_INDICATION: Final = 0x0011
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111
ANSWERS: Final = frozenset({BINDING_SUCCESS, BINDING_ERROR})

MAPPED_ADDRESS: Final = 0x0001
USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
UNKNOWN_ATTRIBUTES: Final = 0x000A
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
ICE_CONTROLLED: Final = 0x8029
ICE_CONTROLLING: Final = 0x802A

UNDERSTOOD: Final = frozenset({USERNAME, MESSAGE_INTEGRITY, PRIORITY, USE_CANDIDATE})
UNDERSTOOD_IN_ANSWERS: Final = frozenset({MAPPED_ADDRESS, XOR_MAPPED_ADDRESS})
COMPREHENSION_OPTIONAL: Final = 0x8000
FINGERPRINT_XOR: Final = 0x5354554E

REASONS: Final = {420: "Unknown Attribute", 487: "Role Conflict"}


class StunError(ValueError):
    """The bytes are not a STUN message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message. `attributes` holds the first value of each type before the integrity."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]
    authenticated: bytes
    integrity: bytes

    @property
    def username(self) -> str:
        """The USERNAME, `local:remote` fragments of the ICE session; empty when there is none."""
        return self.attributes.get(USERNAME, b"").decode("utf-8", "replace")

    def is_authentic(self, password: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY proves that the sender knows the password (§14.5)."""
        return hmac.compare_digest(self.integrity, _hmac(password, self.authenticated))

    def unknown_attributes(self) -> list[int]:
        """The comprehension-required attributes that this server does not know (§6.3)."""
        return [t for t in self.attributes if t < COMPREHENSION_OPTIONAL and t not in UNDERSTOOD]


def parse(datagram: bytes) -> Message:
    """Read a message. Raises `StunError` unless every length, and the FINGERPRINT, is right."""
    if not HEADER_BYTES <= len(datagram) <= MESSAGE_LIMIT_BYTES:
        raise StunError("wrong size")
    kind, length, cookie = unpack_from("!HHI", datagram)
    if kind >= 0x4000 or cookie != MAGIC_COOKIE:
        raise StunError("not STUN")
    if length % 4 or length != len(datagram) - HEADER_BYTES:
        raise StunError("wrong length")
    attributes: dict[int, bytes] = {}
    authenticated = integrity = b""
    offset = HEADER_BYTES
    for _ in range(ATTRIBUTE_LIMIT + 1):
        if offset == len(datagram):
            return Message(kind, datagram[8:20], attributes, authenticated, integrity)
        attribute, size = unpack_from("!HH", datagram, offset)
        start, stop = offset + 4, offset + 4 + size
        if stop > len(datagram):
            raise StunError("attribute exceeds message")
        if attribute == FINGERPRINT:
            _check_fingerprint(datagram, offset, size)
        elif attribute == MESSAGE_INTEGRITY and not integrity:
            integrity = datagram[start:stop]
            authenticated = _with_length(datagram[:offset], offset + 4)
        elif not integrity:
            attributes.setdefault(attribute, datagram[start:stop])
        offset = stop + -size % 4
    raise StunError("too many attributes")


def _check_fingerprint(datagram: bytes, offset: int, size: int) -> None:
    if size != 4 or offset + 8 != len(datagram):
        raise StunError("FINGERPRINT is not last")
    (given,) = unpack_from("!I", datagram, offset + 4)
    if given != zlib.crc32(datagram[:offset]) ^ FINGERPRINT_XOR:
        raise StunError("wrong FINGERPRINT")


def binding_request(transaction: bytes) -> bytes:
    """The question to a STUN server how it sees us; `transaction`: 12 bytes nobody can guess."""
    head = pack("!HHI", BINDING_REQUEST, 8, MAGIC_COOKIE) + transaction
    return head + _attribute(FINGERPRINT, pack("!I", zlib.crc32(head) ^ FINGERPRINT_XOR))


def mapped_address(answer: Message) -> tuple[str, int] | None:
    """The address and port that a success response tells (§14.2); None when it tells none.

    A response with something that must be understood and is not counts as none (§6.3.3).
    """
    value = answer.attributes.get(XOR_MAPPED_ADDRESS, b"")
    strange = {t for t in answer.attributes if t < COMPREHENSION_OPTIONAL} - UNDERSTOOD_IN_ANSWERS
    if answer.kind != BINDING_SUCCESS or strange or len(value) not in (8, 20):
        return None
    family, port = unpack_from("!xBH", value)
    if family != (1 if len(value) == 8 else 2):
        return None
    address = ipaddress.ip_address(_masked(value[4:], answer.transaction))
    return str(address), port ^ MAGIC_COOKIE >> 16


def _masked(address: bytes, transaction: bytes) -> bytes:
    """An address under the mask of §14.2, or out of it again."""
    mask = pack("!I", MAGIC_COOKIE) + transaction
    return bytes(a ^ b for a, b in zip(address, mask, strict=False))


def success(request: Message, host: str, port: int, password: bytes) -> bytes:
    """The Binding success response that tells the sender its address (§14.2)."""
    address = ipaddress.ip_address(host).packed
    family = 1 if len(address) == 4 else 2
    masked = _masked(address, request.transaction)
    value = pack("!BBH", 0, family, port ^ MAGIC_COOKIE >> 16) + masked
    return build(BINDING_SUCCESS, request.transaction, [(XOR_MAPPED_ADDRESS, value)], password)


def error(request: Message, code: int, unknown: Sequence[int], password: bytes) -> bytes:
    """The Binding error response; `unknown` lists the attributes of a 420 (§14.8, §14.13)."""
    reason = REASONS[code].encode()
    attributes = [(ERROR_CODE, pack("!HBB", 0, code // 100, code % 100) + reason)]
    if unknown:
        attributes.append((UNKNOWN_ATTRIBUTES, b"".join(pack("!H", t) for t in unknown)))
    return build(BINDING_ERROR, request.transaction, attributes, password)


def build(
    kind: int, transaction: bytes, attributes: Sequence[tuple[int, bytes]], password: bytes
) -> bytes:
    """Write a message with MESSAGE-INTEGRITY and FINGERPRINT as its last attributes."""
    body = b"".join(_attribute(number, value) for number, value in attributes)
    head = pack("!HHI", kind, len(body), MAGIC_COOKIE) + transaction + body
    signed = _with_length(head, len(head) + 4)
    message = signed + _attribute(MESSAGE_INTEGRITY, _hmac(password, signed))
    message = _with_length(message, len(message) - HEADER_BYTES + 8)
    return message + _attribute(FINGERPRINT, pack("!I", zlib.crc32(message) ^ FINGERPRINT_XOR))


def _attribute(number: int, value: bytes) -> bytes:
    return pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + pack("!H", length) + message[4:]


def _hmac(password: bytes, data: bytes) -> bytes:
    return hmac.new(password, data, hashlib.sha1).digest()
