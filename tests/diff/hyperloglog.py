"""HyperLogLogs, for run.py. What GET says is compared too, so that each byte must be the same."""

HEADER = b"HYLL\x01\x00\x00\x00"
REGISTERS = 16384


def zeros(n):
    return bytes([n - 1]) if n <= 64 else bytes([0x40 | (n - 1) >> 8, (n - 1) & 255])


def sparse(rng):
    """Runs that somebody else has written: mostly whole, some too short, too long, or any bytes."""
    runs, left = b"", REGISTERS
    for _ in range(rng.randint(0, 12)):
        length = rng.choice([rng.randint(1, 4), rng.randint(1, 80), rng.randint(1, 2000)])
        if length <= 4 and rng.random() < 0.8:
            runs += bytes([0x80 | (rng.choice([1, 2, 3, 32]) - 1) << 2 | (length - 1)])
        else:
            runs += zeros(length)
        left -= length
    kind = rng.random()
    if kind < 0.7 and left > 0:
        runs += zeros(left)
    elif kind < 0.75:
        runs += rng.randbytes(rng.randint(1, 9)) + b"\x01"
    return runs


def value(rng):
    cached = bytes([rng.choice([0, 7]), 0, 0, 0, 0, 0, 0, rng.choice([0, 0x80, 0x80])])
    kind = rng.random()
    if kind < 0.7:
        return HEADER + cached + sparse(rng)
    if kind < 0.9:
        # Values up to 31: where many registers are beyond what a hash can give, Redis' estimate is beyond 64 bits.
        return HEADER[:4] + b"\x00\x00\x00\x00" + cached + bytes(b & 0xdf for b in rng.randbytes(64)) * (12288 // 64)
    return rng.choice([HEADER, HEADER + cached, b"HYLL\x02\x00\x00\x00" + cached, b"HYLX\x01\x00\x00\x00" + cached, b"HYLL\x00\x00\x00\x00" + cached,
                       HEADER[:4] + b"\x00\x00\x00\x00" + cached + b"\x00" * 12289, b""])


def hyperloglog(g):
    r, k = g.rng, g.key
    few = lambda: str(r.randrange(300)).encode()  # noqa: E731
    many = lambda: [str(r.randrange(50000)).encode() for _ in range(r.choice([1, 10, 100, 500]))]  # noqa: E731
    return r.choice([
        lambda: [b"PFADD", k(), *g.some(few)], lambda: [b"PFADD", k(), *g.some(g.word)], lambda: [b"PFADD", k(), *many()], lambda: [b"PFADD", k()],
        lambda: [b"PFADD", k(), r.randbytes(r.randrange(40))], lambda: [b"PFADD", k(), *many()],
        lambda: [b"PFCOUNT", k()], lambda: [b"PFCOUNT", *g.some(k)], lambda: [b"PFCOUNT", k()],
        lambda: [b"PFMERGE", k(), *g.some(k)], lambda: [b"PFMERGE", k()], lambda: [b"PFMERGE", k(), k()],
        lambda: [b"GET", k()], lambda: [b"GET", k()], lambda: [b"STRLEN", k()],
        lambda: [b"PFDEBUG", r.choice([b"DECODE", b"ENCODING", b"encoding", b"NOSUCH"]), k()], lambda: [b"PFDEBUG", b"ENCODING", k()],
        lambda: [b"PFDEBUG", r.choice([b"TODENSE", b"GETREG"]), k()] if r.random() < 0.1 else [b"GET", k()],
        lambda: [b"SET", k(), value(r)], lambda: [b"SET", k(), value(r)], lambda: [b"DEL", k()], lambda: [b"DEL", k()], lambda: [b"DEL", *g.some(k)],
        lambda: [b"SET", k(), g.word()] if r.random() < 0.3 else [b"GET", k()], lambda: [b"ZADD", k(), b"1", b"a"] if r.random() < 0.3 else [b"GET", k()],
        lambda: [b"CONFIG", b"SET", b"hll-sparse-max-bytes", r.choice([b"3000", b"3000", b"300", b"40", b"18", b"0"])] if r.random() < 0.2 else [b"GET", k()],
    ])()
