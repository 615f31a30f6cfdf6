// node-redis with a workload of all families, in RESP3 too where it can.   node node_redis.mjs PORT
import assert from "node:assert/strict";
import { createClient } from "redis";

const client = createClient({ socket: { port: Number(process.argv[2]), host: "127.0.0.1" } });
await client.connect();
let checks = 0;
async function check(promise, expected) {
  assert.deepEqual(JSON.parse(JSON.stringify(await promise)), expected);
  ++checks;
}

await client.flushAll();
await check(client.set("k", "v", { PX: 100000, GET: true }), null);
await check(client.get("k"), "v");
await check(client.getRange("k", 0, 0), "v");
await check(client.incrByFloat("n", 1.5), "1.5");
await check(client.hSet("h", { f: "1", g: "2" }), 2);
await check(client.hGetAll("h"), { f: "1", g: "2" });
await check(client.rPush("l", ["a", "b", "c"]), 3);
await check(client.lPos("l", "b"), 1);
await check(client.sAdd("s", ["x", "y", "z"]), 3);
await check(client.sInterCard(["s", "s"]), 3);
await check(client.zAdd("z", [{ score: 1, value: "one" }, { score: 2, value: "two" }]), 2);
await check(client.zRangeWithScores("z", 0, -1), [{ value: "one", score: 1 }, { value: "two", score: 2 }]);
await check(client.zRank("z", "two"), 1);
await check(client.setBit("bits", 3, 1), 0);
await check(client.bitPos("bits", 1), 3);
await check(client.pfAdd("hll", ["a", "b"]), true);
await check(client.pfCount("hll"), 2);
await check(client.geoAdd("geo", [{ longitude: 13.361389, latitude: 38.115556, member: "Palermo" }]), 1);
await check(client.geoHash("geo", "Palermo"), ["sqc8b49rny0"]);
const id = await client.xAdd("stream", "*", { field: "value" });
await check(client.xRead({ key: "stream", id: "0" }), [{ name: "stream", messages: [{ id, message: { field: "value" } }] }]);
await check(client.xInfoStream("stream").then((info) => info.length), 1);
await check(client.multi().set("t", "1").incr("t").exec(), ["OK", 2]);

await client.executeIsolated(async (isolated) => {
  await isolated.watch("t");
  await client.set("t", "changed");
  await assert.rejects(isolated.multi().get("t").exec(), /watched keys/);
  ++checks;
});
await check(client.eval("return redis.call('LRANGE', KEYS[1], 0, -1)", { keys: ["l"] }), ["a", "b", "c"]);
await check(client.functionLoad(
  "#!lua name=lib\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)", { REPLACE: true }), "lib");
await check(client.fCall("twice", { keys: [], arguments: ["21"] }), 42);
await check(client.aclWhoAmI(), "default");

const found = [];
for await (const key of client.scanIterator({ COUNT: 3 })) found.push(key);
assert.equal(new Set(found).size, await client.dbSize());
++checks;

const subscriber = client.duplicate();
await subscriber.connect();
const message = new Promise((resolve) => subscriber.subscribe("news", (text) => resolve(text)));
while ((await client.pubSubNumSub(["news"])).news === 0);
await client.publish("news", "hello");
await check(message, "hello");
const shard = new Promise((resolve) => subscriber.sSubscribe("shard", (text) => resolve(text)));
while ((await client.sendCommand(["PUBSUB", "SHARDNUMSUB", "shard"]))[1] === 0);
await client.sPublish("shard", "split");
await check(shard, "split");
await subscriber.disconnect();

const waiting = client.duplicate();
await waiting.connect();
const popped = waiting.bzPopMin("queue", 5);
await client.zAdd("queue", { score: 7, value: "job" });
await check(popped, { key: "queue", value: "job", score: 7 });
await waiting.disconnect();
await client.quit();
console.log(`node-redis: ${checks} checks`);
