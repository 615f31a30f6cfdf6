"""Streams for the differential runner: commands drawn at random, and what of their replies is compared."""


def stream(self):
    k, s = self.key, self.small
    r = self.rng
    number = lambda: b"%d" % r.randint(0, 40)  # noqa: E731
    given = lambda: r.choice([number(), b"%s-%d" % (number(), r.randint(0, 3))])  # noqa: E731
    entry = lambda: given() if r.random() < 0.97 else r.choice([b"x", b"5-x", b"0-0", b""])  # noqa: E731
    new = lambda: r.choice([entry, entry, lambda: number() + b"-*"])()  # noqa: E731
    start = lambda: r.choice([b"-", entry(), b"(" + given(), b"(-"][:r.choice([3, 3, 4])])  # noqa: E731
    end = lambda: r.choice([b"+", entry(), b"(" + given()])  # noqa: E731
    group = lambda: r.choice([b"g", b"g", b"h"])  # noqa: E731
    consumer = lambda: r.choice([b"ann", b"bob"])  # noqa: E731
    count = lambda: self.maybe(b"COUNT", s())  # noqa: E731
    limit = lambda: self.maybe(b"LIMIT", s()) if r.random() < 0.4 else []  # noqa: E731
    trim = lambda: [*r.choice([[b"MAXLEN", *self.maybe(r.choice([b"~", b"="])), s()],  # noqa: E731
                               [b"MINID", *self.maybe(r.choice([b"~", b"="])), entry()]]), *limit()]
    fields = lambda: self.pairs(lambda: r.choice([b"a", b"b", b"12"]), self.word, 2)  # noqa: E731
    return r.choice([
        *[lambda: [b"XADD", k(), *self.maybe(b"NOMKSTREAM"), new(), *fields()]] * 3,
        lambda: [b"XADD", k(), *trim(), new(), *fields()],
        *[lambda: [b"XREADGROUP", b"GROUP", group(), consumer(), *count(), *self.maybe(b"NOACK"), b"STREAMS", k(), r.choice([b">", b">", b"0", entry(), b"$"])]] * 3,
        *[lambda: [b"XGROUP", b"CREATE", k(), group(), r.choice([b"0", b"$", entry()]), *self.maybe(b"MKSTREAM"), *self.maybe(b"ENTRIESREAD", s())]] * 3,
        lambda: [b"XREADGROUP", b"GROUP", group(), consumer(), *count(), b"STREAMS", k(), k(), b">", b">"],
        lambda: [b"XTRIM", k(), *trim()], lambda: [b"XDEL", k(), *self.some(entry)], lambda: [b"XDEL", k(), *self.some(given)],
        lambda: [b"XLEN", k()],
        lambda: [b"XRANGE", k(), start(), end(), *count()], lambda: [b"XREVRANGE", k(), end(), start(), *count()],
        lambda: [b"XREAD", *count(), b"STREAMS", k(), r.choice([entry(), b"$"])],
        lambda: [b"XREAD", *count(), b"STREAMS", k(), k(), entry(), entry()],
        # Below what was deleted 7.2 refuses it and 7.0 does not.
        lambda: [b"XSETID", k(), b"4%d" % r.randint(1, 9), *self.maybe(b"ENTRIESADDED", s()), *self.maybe(b"MAXDELETEDID", entry())],
        lambda: [b"XGROUP", b"SETID", k(), group(), r.choice([b"0", b"$", b"-", b"+", entry()]), *self.maybe(b"ENTRIESREAD", s())],
        lambda: [b"XGROUP", b"DESTROY", k(), group()],
        lambda: [b"XGROUP", b"CREATECONSUMER", k(), group(), consumer()], lambda: [b"XGROUP", b"DELCONSUMER", k(), group(), consumer()],
        lambda: [b"XACK", k(), group(), *self.some(entry)], lambda: [b"XPENDING", k(), group()],
        lambda: [b"XPENDING", k(), group(), *self.maybe(b"IDLE", b"0"), start(), end(), s(), *self.maybe(consumer())],
        lambda: [b"XCLAIM", k(), group(), consumer(), r.choice([b"0", b"100000"]), *self.some(entry), *self.maybe(b"JUSTID"), *self.maybe(b"FORCE"), *self.maybe(b"RETRYCOUNT", s()), *self.maybe(b"LASTID", entry())],
        lambda: [b"XAUTOCLAIM", k(), group(), consumer(), r.choice([b"0", b"0", b"100000"]), start(), *count(), *self.maybe(b"JUSTID")],
        lambda: [b"XINFO", b"STREAM", k(), *self.maybe(b"FULL"), *self.maybe(b"COUNT", s())],
        lambda: [b"XINFO", b"GROUPS", k()], lambda: [b"DEBUG", b"DIGEST-VALUE", k()], lambda: [b"COPY", k(), k(), *self.maybe(b"REPLACE")],
        lambda: [b"DEL", k()] if r.random() < 0.3 else [b"TYPE", k()], lambda: [b"SET", k(), b"v"] if r.random() < 0.2 else [b"XLEN", k()],
    ])()


def normal_stream(command, reply):
    if command[0] in (b"XINFO", b"XPENDING") and isinstance(reply, list):
        return stream_facts(reply)
    if command[:2] == [b"XGROUP", b"CREATECONSUMER"] and reply in (b":0", b":1"):
        return b":made or known"
    return reply


def stream_facts(reply):
    """Without what is not the same: times, how the index is made, and consumers that have got nothing, which
    7.0 makes when they get something and 7.2 when they ask."""
    if not isinstance(reply, list):
        return reply
    fields = {b"$seen-time", b"$active-time", b"$radix-tree-nodes"}
    if len(reply) > 1 and reply[0] in (b"$name", b"$length"):
        pairs = [[n, v] for n, v in zip(reply[::2], reply[1::2]) if n not in fields]
        for pair in pairs:
            if pair[0] == b"$consumers":
                has = isinstance(pair[1], list)
                pair[1] = [stream_facts(c) for c in pair[1] if c[c.index(b"$pel-count") + 1] != b":0"] if has else b":some"
        return [[n, stream_facts(v)] for n, v in pairs]
    if reply and isinstance(reply[0], bytes) and b"-" in reply[0] and len(reply) in (3, 4):
        return [b":some time" if isinstance(v, bytes) and v[:1] == b":" and i == len(reply) - 2 else stream_facts(v)
                for i, v in enumerate(reply)]
    return [stream_facts(v) for v in reply]
