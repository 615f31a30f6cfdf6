"""RDB files as old versions of Redis wrote them, put together by hand: nobody here can run those any more.

    data = RdbFile(6).key(HASH_ZIPMAP, b"h", text(zipmap([(b"f", b"v")]))).bytes()

The encodings are described in src/server/persist/rdb_format.h and old_encodings.h.
"""
import struct

STRING, LIST, SET, ZSET, HASH, ZSET2 = 0, 1, 2, 3, 4, 5
HASH_ZIPMAP, LIST_ZIPLIST, SET_INTSET, ZSET_ZIPLIST, HASH_ZIPLIST, LIST_QUICKLIST = 9, 10, 11, 12, 13, 14
STREAM = 15


def crc64(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


def length(n):
    if n < 64:
        return bytes([n])
    if n < 16384:
        return bytes([0x40 | n >> 8, n & 255])
    return b"\x80" + struct.pack(">I", n)


def text(raw):
    return length(len(raw)) + raw


def score(value):
    """As a text behind a byte of length, before Redis 4."""
    if value == float("inf"):
        return b"\xfe"
    if value == float("-inf"):
        return b"\xff"
    raw = repr(value).encode()
    return bytes([len(raw)]) + raw


def ziplist_entry(value):
    """Encoding and payload of an integer or a text."""
    if isinstance(value, int):
        if 0 <= value <= 12:
            return bytes([0xF1 + value])
        for code, size in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
            if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
                return bytes([code]) + value.to_bytes(size, "little", signed=True)
    if len(value) < 64:
        return bytes([len(value)]) + value
    if len(value) < 16384:
        return bytes([0x40 | len(value) >> 8, len(value) & 255]) + value
    return b"\x80" + struct.pack(">I", len(value)) + value


def ziplist(values):
    body, last, before = b"", 0, 0
    for value in values:
        entry = (bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)) + ziplist_entry(value)
        last, before = len(body), len(entry)
        body += entry
    return struct.pack("<IIH", 11 + len(body), 10 + last, len(values)) + body + b"\xff"


def zipmap(pairs):
    def size(n):
        return bytes([n]) if n < 254 else b"\xfe" + struct.pack("<I", n)
    body = b"".join(size(len(f)) + f + size(len(v)) + b"\x00" + v for f, v in pairs)
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def intset(values):
    width = next(w for w in (2, 4, 8) if all(-(1 << 8 * w - 1) <= v < 1 << 8 * w - 1 for v in values))
    return struct.pack("<II", width, len(values)) + b"".join(
        v.to_bytes(width, "little", signed=True) for v in sorted(values))


class RdbFile:
    def __init__(self, version):
        self.version = version
        self.data = b"REDIS%04d" % version + b"\xfe\x00"

    def key(self, kind, name, value, expire_s=None):
        if expire_s is not None:
            self.data += b"\xfd" + struct.pack("<i", expire_s)
        self.data += bytes([kind]) + text(name) + value
        return self

    def bytes(self):
        data = self.data + b"\xff"
        return data + struct.pack("<Q", crc64(data)) if self.version >= 5 else data
