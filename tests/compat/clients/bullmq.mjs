// BullMQ: 10,000 jobs, some delayed, some that fail at first, some behind a rate limit; each must be completed, and
// each of its attempts be run once.   node bullmq.mjs PORT [JOBS]
import assert from "node:assert/strict";
import { Queue, QueueEvents, Worker } from "bullmq";

const connection = { port: Number(process.argv[2]), host: "127.0.0.1", maxRetriesPerRequest: null };
const jobs = Number(process.argv[3] ?? 10000);
const limited = Math.floor(jobs / 100);

// By its number: every tenth is delayed, every seventh fails at its first attempt.
const delayOf = (i) => (i % 10 === 0 ? 50 + (i % 500) : 0);
const fails = (i) => i % 7 === 0;
const options = (i) => ({ delay: delayOf(i), attempts: 3, backoff: { type: "fixed", delay: 20 }, removeOnComplete: false });

async function work(name, count, workerOptions) {
  const runs = new Map();
  const completed = new Set();
  const early = [];
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  await events.waitUntilReady();
  let reported = 0;
  events.on("completed", () => ++reported);
  const handle = async (job) => {
    const i = job.data.i;
    runs.set(i, (runs.get(i) ?? 0) + 1);
    if (Date.now() < job.timestamp + delayOf(i) - 2) early.push(i);
    if (fails(i) && job.attemptsMade === 0) throw new Error("the first attempt fails");
    return i;
  };
  let all;
  const done = new Promise((resolve) => (all = resolve));
  const workers = [0, 1].map(() => new Worker(name, handle, { connection, concurrency: 50, ...workerOptions }));
  for (const worker of workers)
    worker.on("completed", (job) => {
      assert(!completed.has(job.data.i), `job ${job.data.i} was completed twice`);
      completed.add(job.data.i);
      if (completed.size === count) all();
    });
  const start = Date.now();
  for (let first = 0; first < count; first += 1000)
    await queue.addBulk(Array.from({ length: Math.min(1000, count - first) }, (_, k) =>
      ({ name: "job", data: { i: first + k }, opts: options(first + k) })));
  await done;
  const took = Date.now() - start;
  for (let i = 0; i < count; ++i) assert.equal(runs.get(i), fails(i) ? 2 : 1, `job ${i}`);
  assert.deepEqual(early, [], "delayed jobs that came early");
  const counts = await queue.getJobCounts("completed", "failed", "waiting", "active", "delayed");
  assert.deepEqual(counts, { completed: count, failed: 0, waiting: 0, active: 0, delayed: 0, paused: 0 });
  while (reported < count) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const worker of workers) await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return took;
}

const took = await work("many", jobs, {});
const tookLimited = await work("limited", limited, { limiter: { max: 20, duration: 100 } });
assert(tookLimited >= (limited / 20 - 1) * 100, `a rate limit of 200/s let ${limited} jobs through in ${tookLimited} ms`);
console.log(`BullMQ: ${jobs} jobs in ${took} ms, ${limited} behind a rate limit in ${tookLimited} ms; none lost, none run twice`);
