#!/usr/bin/env python3
"""python3-redis with a workload of all families.   python_redis.py PORT"""
import sys
import threading

import redis

checks = 0


def check(actual, expected):
    global checks
    assert actual == expected, (actual, expected)
    checks += 1


def main(port):
    r = redis.Redis(port=port, decode_responses=True)
    r.flushall()
    check(r.set("k", "v", ex=100, nx=True), True)
    check(r.get("k"), "v")
    check(r.getdel("k"), "v")
    check(r.incr("n", 41), 41)
    check(r.mget("n", "none"), ["41", None])
    check(r.hset("h", mapping={"f": 1, "g": 2}), 2)
    check(r.hgetall("h"), {"f": "1", "g": "2"})
    check(r.rpush("l", *"abc"), 3)
    check(r.lpop("l", 2), ["a", "b"])
    check(r.sadd("s", "x", "y"), 2)
    check(r.smembers("s"), {"x", "y"})
    check(r.zadd("z", {"one": 1, "two": 2}), 2)
    check(r.zrange("z", 0, -1, withscores=True), [("one", 1.0), ("two", 2.0)])
    check(r.zrangebyscore("z", "(1", "+inf"), ["two"])
    check(r.setbit("bits", 1, 1), 0)
    check(r.bitfield("bits").incrby("u8", 0, 1).execute(), [65])
    check(r.pfadd("hll", "a", "b"), 1)
    check(r.pfcount("hll"), 2)
    check(r.geoadd("geo", (13.361389, 38.115556, "Palermo")), 1)
    check(r.geosearch("geo", longitude=13, latitude=38, radius=100, unit="km"), ["Palermo"])
    first = r.xadd("stream", {"field": "value"})
    check(r.xrange("stream"), [(first, {"field": "value"})])
    check(r.xgroup_create("stream", "group", "0"), True)
    check(r.xreadgroup("group", "me", {"stream": ">"}), [["stream", [(first, {"field": "value"})]]])
    check(r.xpending("stream", "group")["pending"], 1)
    check(r.sort("s", alpha=True, desc=True), ["y", "x"])

    with r.pipeline() as p:
        p.watch("n")
        value = int(p.get("n"))
        p.multi()
        p.set("n", value + 1)
        p.get("n")
        check(p.execute(), [True, "42"])
    check(r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")(keys=["n"], args=[8]), 50)
    check(r.fcall("f", 0) if r.function_load("#!lua name=l\nredis.register_function('f', function() return 7 end)",
                                             replace=True) else None, 7)
    check(set(r.scan_iter(count=3)), set(r.keys()))

    subscriber = r.pubsub()
    subscriber.psubscribe("n*")
    check(subscriber.get_message(timeout=5)["type"], "psubscribe")
    check(r.publish("news", "hello"), 1)
    check(subscriber.get_message(timeout=5)["data"], "hello")
    subscriber.close()

    popped = []
    waiting = threading.Thread(target=lambda: popped.append(redis.Redis(port=port).blpop("queue", 10)))
    waiting.start()
    while r.info("clients")["blocked_clients"] == 0:
        pass
    r.rpush("queue", "job")
    waiting.join()
    check(popped, [(b"queue", b"job")])
    check(r.acl_whoami(), "default")
    print(f"python3-redis: {checks} checks")


main(int(sys.argv[1]))
