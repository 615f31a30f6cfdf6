"""Commands on the bits of strings, for run.py."""

OFFSETS = [b"0", b"1", b"7", b"8", b"9", b"15", b"63", b"64", b"100", b"300", b"4000", b"-1", b"x", b"4294967296", b"9223372036854775807"]
# Where a range may begin and end; up to more bits than the strings have.
PLACES = [b"0", b"1", b"2", b"3", b"5", b"8", b"13", b"37", b"200", b"5000", b"-1", b"-2", b"-5", b"-9", b"-70", b"-5000",
          b"9223372036854775807", b"-9223372036854775808", b"x"]
TYPES = [b"i1", b"u1", b"i5", b"u8", b"i8", b"u16", b"i16", b"u31", b"i32", b"u63", b"i63", b"i64", b"u64", b"i65", b"u0", b"i", b"x8", b"U8"]
NUMBERS = [b"0", b"1", b"-1", b"2", b"15", b"-16", b"100", b"127", b"-128", b"200", b"255", b"65535", b"-40000", b"2147483647",
           b"9223372036854775807", b"-4611686018427387904", b"9223372036854775808", b"y"]


def bitmap(g):
    r, k = g.rng, g.key
    offset = lambda: r.choice(OFFSETS)  # noqa: E731
    place = lambda: r.choice(PLACES)  # noqa: E731
    unit = lambda: g.maybe(r.choice([b"BYTE", b"BIT", b"bit", b"BITS"]))  # noqa: E731
    field = lambda: [r.choice(TYPES[:12] if r.random() < 0.95 else TYPES), r.choice([b"", b"", b"#"]) + r.choice(OFFSETS[:9] if r.random() < 0.97 else OFFSETS)]  # noqa: E731
    number = lambda: r.choice(NUMBERS[:16] if r.random() < 0.97 else NUMBERS)  # noqa: E731
    read = lambda: [b"GET", *field()]  # noqa: E731
    change = lambda: r.choice([[b"SET", *field(), number()], [b"INCRBY", *field(), number()],  # noqa: E731
                               [b"OVERFLOW", r.choice([b"WRAP", b"SAT", b"FAIL", b"sat", b"fail"] if r.random() < 0.97 else [b"X"])], read()])
    several = lambda draw: [w for _ in range(r.randint(0, 5)) for w in draw()]  # noqa: E731
    return r.choice([
        lambda: [b"SETBIT", k(), offset(), r.choice([b"0", b"1", b"1", b"2", b"x"])], lambda: [b"SETBIT", k(), str(r.randrange(3000)).encode(), b"1"],
        lambda: [b"GETBIT", k(), offset()], lambda: [b"GETBIT", k(), str(r.randrange(3000)).encode()],
        lambda: [b"BITCOUNT", k(), *r.choice([[], [place(), place(), *unit()], [place()]])],
        lambda: [b"BITPOS", k(), r.choice([b"0", b"1", b"1", b"0", b"2", b"x"]), *r.choice([[], [place()], [place(), place()], [place(), place(), *unit()]])],
        lambda: [b"BITOP", r.choice([b"AND", b"OR", b"XOR", b"and"]), k(), *g.some(k)],
        lambda: [b"BITOP", b"NOT", k(), k()], lambda: [b"BITOP", r.choice([b"NOT", b"X"]), k(), *g.some(k)],
        lambda: [b"BITFIELD", k(), *several(change)], lambda: [b"BITFIELD", k(), *several(change)], lambda: [b"BITFIELD", k(), *several(read)],
        lambda: [b"BITFIELD_RO", k(), *several(read)], lambda: [b"BITFIELD_RO", k(), *several(change)],
        lambda: [b"SET", k(), r.randbytes(r.choice([0, 1, 7, 8, 9, 31, 64, 100, 600]))], lambda: [b"SET", k(), b"\xff" * r.choice([1, 8, 13, 70])],
        lambda: [b"SET", k(), b"\x00" * r.choice([1, 8, 13, 70])],
        lambda: [b"SET", k(), g.word()], lambda: [b"GET", k()], lambda: [b"STRLEN", k()], lambda: [b"OBJECT", b"ENCODING", k()],
        lambda: [b"EXPIRE", k(), b"1000"], lambda: [b"PERSIST", k()], lambda: [b"DEL", k()], lambda: [b"ZADD", k(), b"1", b"a"] if r.random() < 0.2 else [b"GET", k()],
    ])()
