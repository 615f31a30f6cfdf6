// ioredis with a workload of all families.   node ioredis.mjs PORT
import assert from "node:assert/strict";
import Redis from "ioredis";

const port = Number(process.argv[2]);
const redis = new Redis(port, "127.0.0.1");
const text = (value) => JSON.stringify(value);
let checks = 0;
async function check(promise, expected) {
  assert.equal(text(await promise), text(expected));
  ++checks;
}

await redis.flushall();
await check(redis.set("k", "v", "EX", 100), "OK");
await check(redis.get("k"), "v");
await check(redis.getBuffer("k").then((b) => b.toString("hex")), "76");
await check(redis.incrby("n", 5), 5);
await check(redis.mset({ a: 1, b: 2 }), "OK");
await check(redis.mget("a", "b", "none"), ["1", "2", null]);

await check(redis.hset("h", { f: "1", g: "2" }), 2);
await check(redis.hgetall("h"), { f: "1", g: "2" });
await check(redis.hincrbyfloat("h", "f", 0.5), "1.5");
await check(redis.rpush("l", 1, 2, 3), 3);
await check(redis.lrange("l", 0, -1), ["1", "2", "3"]);
await check(redis.lmove("l", "m", "LEFT", "RIGHT"), "1");
await check(redis.sadd("s", "x", "y"), 2);
await check(redis.smismember("s", "x", "z"), [1, 0]);
await check(redis.zadd("z", 1, "one", 2, "two"), 2);
await check(redis.zrange("z", 0, -1, "WITHSCORES"), ["one", "1", "two", "2"]);
await check(redis.zpopmax("z"), ["two", "2"]);

await check(redis.setbit("bits", 7, 1), 0);
await check(redis.bitcount("bits"), 1);
await check(redis.bitfield("bits", "GET", "u8", 0), [1]);
await check(redis.pfadd("hll", "a", "b", "c"), 1);
await check(redis.pfcount("hll"), 3);
await check(redis.geoadd("geo", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"), 2);
await check(redis.geodist("geo", "Palermo", "Catania", "km"), "166.2742");
await check(redis.geosearch("geo", "FROMLONLAT", 15, 37, "BYRADIUS", 100, "km"), ["Catania"]);

const id = await redis.xadd("stream", "*", "field", "value");
await check(redis.xrange("stream", "-", "+"), [[id, ["field", "value"]]]);
await check(redis.xgroup("CREATE", "stream", "group", "0"), "OK");
await check(redis.xreadgroup("GROUP", "group", "me", "STREAMS", "stream", ">"),
  [["stream", [[id, ["field", "value"]]]]]);
await check(redis.xack("stream", "group", id), 1);

await check(redis.multi().set("t", 1).incr("t").get("t").exec(), [[null, "OK"], [null, 2], [null, "2"]]);
await check(redis.pipeline().get("k").hget("h", "g").exec(), [[null, "v"], [null, "2"]]);
await check(redis.eval("return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}", 1, "k", "arg"), ["k", "arg", "v"]);
redis.defineCommand("double", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], redis.call('GET', KEYS[1]))" });
await check(redis.double("n"), 10);
await check(redis.double("n"), 20); // by EVALSHA
await assert.rejects(redis.lpush("k", 1), /WRONGTYPE/);
++checks;

const found = [];
for await (const keys of redis.scanStream({ match: "*", count: 5 })) found.push(...keys);
assert.equal(new Set(found).size, await redis.dbsize());
++checks;

const other = new Redis(port, "127.0.0.1");
const message = new Promise((resolve) => other.on("pmessage", (...all) => resolve(all)));
await other.psubscribe("news.*");
await check(redis.publish("news.today", "hello"), 1);
await check(message, ["news.*", "news.today", "hello"]);
other.disconnect();

const waiting = redis.duplicate();
const popped = waiting.blpop("queue", 5);
await redis.rpush("queue", "job");
await check(popped, ["queue", "job"]);
waiting.disconnect();

const monitor = await redis.monitor();
const seen = new Promise((resolve) => monitor.on("monitor", (_, args) => resolve(args)));
await redis.echo("watched");
await check(seen, ["echo", "watched"]);
monitor.disconnect();
await redis.quit();
console.log(`ioredis: ${checks} checks`);
