"""Places on the map, for run.py.

Coordinates come from a grid whose points differ, so that no two places are equally far from a third by accident: which
of those comes first is not said anywhere."""

NAMES = [b"p%d" % i for i in range(40)]
UNITS = [b"m", b"km", b"ft", b"mi", b"KM", b"yd"]
NUMBERS = [b"0", b"1", b"100", b"1000", b"200000", b"5000", b"3000000", b"25000000", b"-1", b"x", b"0.5", b"1e3", b"inf"]


def normal_geo(command, reply):
    """Of members equally far away, which ones COUNT takes is not said anywhere: where distances come along, each that
    stands alone keeps its member, and of the others and of the last the distance is compared; else how many they are."""
    if b"COUNT" not in command or b"ANY" in command or not isinstance(reply, list):
        return reply
    if b"WITHDIST" not in command:
        return len(reply)
    distances = [item[1] for item in reply]
    return [item if distances.count(item[1]) == 1 and item is not reply[-1] else item[1] for item in reply]


def geo(g):
    r, k = g.rng, g.key
    name = lambda: r.choice(NAMES if r.random() < 0.95 else [b"nobody", b""])  # noqa: E731

    def point():
        kind = r.random()
        if kind < 0.02:
            return r.choice([[b"200", b"0"], [b"0", b"86"], [b"x", b"1"], [b"1", b"y"], [b"-180.0001", b"0"], [b"nan", b"0"]])
        if kind < 0.06:
            return [r.choice([b"180", b"-180", b"0"]), r.choice([b"85.05112878", b"-85.05112878", b"0"])]
        if kind < 0.5:  # a town
            return [b"%.6f" % (13 + r.random()), b"%.6f" % (38 + r.random())]
        if kind < 0.7:  # the other side of the date line
            return [b"%.5f" % r.choice([179.9 + r.random() / 10, -180 + r.random() / 10]), b"%.5f" % r.uniform(-1, 1)]
        return [b"%.4f" % r.uniform(-180, 180), b"%.4f" % r.uniform(-85.05, 85.05)]

    unit = lambda: r.choice(UNITS if r.random() < 0.3 else UNITS[:4])  # noqa: E731
    size = lambda: r.choice(NUMBERS if r.random() < 0.3 else NUMBERS[1:8])  # noqa: E731
    count = lambda: [b"COUNT", r.choice([b"1", b"2", b"3", b"5", b"10", b"100", b"0", b"-1", b"x"])]  # noqa: E731

    def options(*more):
        some = [*count(), *(g.maybe(b"ANY") if r.random() < 0.3 else []), b"WITHDIST"] if r.random() < 0.3 else g.maybe(b"WITHDIST")
        words = [*g.maybe(r.choice([b"ASC", b"DESC", b"asc"])), *some, *g.maybe(b"WITHCOORD"), *g.maybe(b"WITHHASH")]
        return words + list(more) + (r.choice([[b"NOSUCH"], [b"COUNT"], [b"STORE"]]) if r.random() < 0.03 else [])

    def store():
        plain = [*g.maybe(r.choice([b"ASC", b"DESC"])), *(count() if r.random() < 0.3 else [])]
        return plain + [r.choice([b"STORE", b"STOREDIST"]), k()] if r.random() < 0.3 else options()

    def area():
        parts = [[b"FROMMEMBER", name()] if r.random() < 0.5 else [b"FROMLONLAT", *point()],
                 [b"BYRADIUS", size(), unit()] if r.random() < 0.5 else [b"BYBOX", size(), size(), unit()]]
        if r.random() < 0.06:
            parts.append(r.choice(parts))
        if r.random() < 0.06:
            parts.append(r.choice([[b"FROMMEMBER", name()], [b"FROMLONLAT", *point()], [b"BYRADIUS", size(), unit()], [b"BYBOX", size(), size(), unit()]]))
        if r.random() < 0.06:
            parts.pop()
        r.shuffle(parts)
        return [w for part in parts for w in part]

    def places():
        return [w for _ in range(r.choice([1, 1, 3, 10, 40])) for w in (*point(), name())]

    return r.choice([
        lambda: [b"GEOADD", k(), *g.maybe(r.choice([b"NX", b"XX", b"CH", b"nx"])), *g.maybe(r.choice([b"CH", b"XX"])), *places()],
        lambda: [b"GEOADD", k(), *places()], lambda: [b"GEOADD", k(), *places()], lambda: [b"GEOADD", k(), *places(), *g.maybe(b"1")],
        lambda: [b"GEODIST", k(), name(), name(), *g.maybe(unit())], lambda: [b"GEODIST", k(), name(), name(), *(g.maybe(unit(), unit()))],
        lambda: [b"GEOHASH", k(), *g.some(name)], lambda: [b"GEOHASH", k(), *g.some(name)], lambda: [b"GEOPOS", k(), *g.some(name)], lambda: [b"GEOPOS", k()],
        lambda: [b"GEOSEARCH", k(), *area(), *options()], lambda: [b"GEOSEARCH", k(), *area(), *options()], lambda: [b"GEOSEARCH", k(), *area(), *options()],
        lambda: [b"GEOSEARCH", k(), *options(), *area()], lambda: [b"geosearch", k(), *area(), *options()],
        lambda: [b"GEOSEARCHSTORE", k(), k(), *area(), *g.maybe(r.choice([b"ASC", b"DESC"])), *(count() if r.random() < 0.3 else []), *g.maybe(b"STOREDIST")],
        lambda: [b"GEOSEARCHSTORE", k(), k(), *area(), *(options() if r.random() < 0.2 else [])],
        lambda: [b"GEORADIUS", k(), *point(), size(), unit(), *store()], lambda: [b"GEORADIUS", k(), *point(), size(), unit(), *options()],
        lambda: [b"GEORADIUS_RO", k(), *point(), size(), unit(), *options()], lambda: [b"GEORADIUS_RO", k(), *point(), size(), unit(), *store()],
        lambda: [b"GEORADIUSBYMEMBER", k(), name(), size(), unit(), *store()], lambda: [b"GEORADIUSBYMEMBER_RO", k(), name(), size(), unit(), *options()],
        lambda: [b"ZREM", k(), name()], lambda: [b"ZCARD", k()],
        # Not ZSCORE: 7.0 prints distances with up to 17 digits, 7.2 the shortest.
        lambda: [b"ZRANGE", k(), b"0", b"-1"],
        lambda: [b"ZADD", k(), r.choice([b"-1", b"0", b"1.5", b"4503599627370496", b"1e300", b"inf", b"-inf", b"3479099956230698"]), name()] if r.random() < 0.2 else [b"ZRANK", k(), name()],
        lambda: [b"DEL", k()] if r.random() < 0.5 else [b"SET", k(), b"a"], lambda: [b"DEL", k()],
    ])()
