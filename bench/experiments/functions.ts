import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ProgramNode,
  startProgramNode,
} from "../../packages/compute-node/test/functions/support/program-node.ts";
import { type Figure, isMet, quantile, renderTable } from "../figures.ts";

/*
 * `npm run functions`: starts and requests of functions in real QEMU, with what this host accelerates them by. The
 * templates of the run are its own; the images are those of `twentysix image build`. Takes two to four minutes.
 */

/** Nothing but the protocol: what a start costs without anything that the function itself imports. */
const BARE = `
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
`;

/** Also measures itself: requests over the guest's own loopback, one after the other on one connection. */
const FASTAPI = `
import asyncio, time
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
async def root():
    return {"hello": "world"}

@app.get("/loopback/{count}")
async def loopback(count: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        writer.write(b"GET / HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n")
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        length = int([line for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length")][0].split(b":")[1])
        await reader.readexactly(length)
        taken.append((time.perf_counter() - began) * 1000)
    writer.close()
    return taken
`;

const COLD_STARTS = 5;
const RESUMED_STARTS = 10;
const AT_ONCE = 8;
const WARM_REQUESTS = 300;
const RATE_PER_SECOND = 50;
const RATE_SECONDS = 20;

const SETTINGS = { coldStarts: { perMinute: 10_000, burst: 10_000, simultaneous: AT_ONCE, waiting: 64 } };
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function answer(node: ProgramNode, vmHash: string, path = "/"): Promise<unknown> {
  const response = await fetch(`${node.url}/vm/${vmHash}${path}`);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} of ${vmHash}: ${response.status} ${text}`);
  return text === "ok" ? text : JSON.parse(text);
}

/** Publishes a function and asks it: from the request to the whole answer. */
async function firstAnswerMs(node: ProgramNode, label: string, code: string, memory = 256): Promise<number> {
  const resources = { vcpus: 1, memory, seconds: 60, published_ports: null };
  const { itemHash } = node.publish(label, code, { resources });
  const began = performance.now();
  await answer(node, itemHash);
  const taken = performance.now() - began;
  await node.executions.manager.stop(itemHash, null, AbortSignal.timeout(60_000));
  return taken;
}

/** Machines that are booted: no template is made or used. */
async function measureBoots(): Promise<readonly number[]> {
  const node = await startProgramNode(SETTINGS, { usesTemplates: false });
  try {
    const booted: number[] = [];
    for (let round = 0; round < COLD_STARTS; round += 1) {
      booted.push(await firstAnswerMs(node, `booted ${round}`, BARE));
      say(`booted in ${ms(booted.at(-1) ?? 0)}`);
    }
    return booted;
  } finally {
    await node[Symbol.asyncDispose]();
  }
}

async function measureStarts(node: ProgramNode, booted: readonly number[]): Promise<Figure[]> {
  await firstAnswerMs(node, "first", BARE);
  await node.functions.runner.whenTemplatesAreMade();
  const resumed: number[] = [];
  const withFastApi: number[] = [];
  for (let round = 0; round < RESUMED_STARTS; round += 1) {
    resumed.push(await firstAnswerMs(node, `resumed ${round}`, BARE));
    withFastApi.push(await firstAnswerMs(node, `fastapi ${round}`, FASTAPI));
    say(`resumed in ${ms(resumed.at(-1) ?? 0)}, with FastAPI in ${ms(withFastApi.at(-1) ?? 0)}`);
  }
  const labels = Array.from({ length: AT_ONCE }, (_, index) => `at once ${index}`);
  const atOnce = await Promise.all(labels.map((label) => firstAnswerMs(node, label, BARE)));
  const coldMs = quantile(booted, 0.5);
  const resumedMs = quantile(resumed, 0.5);
  return [
    { name: "booted: request to first answer", value: coldMs, unit: "ms", remark: spread(booted) },
    { name: "resumed: the same", value: resumedMs, unit: "ms", target: "<= 600", remark: spread(resumed) },
    { name: "resumed / booted", value: resumedMs / coldMs, unit: "", target: "<= 0.2" },
    {
      name: "resumed, with FastAPI",
      value: quantile(withFastApi, 0.5),
      unit: "ms",
      remark: spread(withFastApi),
    },
    {
      name: `${AT_ONCE} resumed at once, the last`,
      value: Math.max(...atOnce),
      unit: "ms",
      remark: spread(atOnce),
    },
  ];
}

async function measureRequests(node: ProgramNode): Promise<Figure[]> {
  const resources = { vcpus: 1, memory: 256, seconds: 60, published_ports: null };
  const { itemHash } = node.publish("warm", FASTAPI, { resources });
  await answer(node, itemHash);
  const inside = (await answer(node, itemHash, `/loopback/${WARM_REQUESTS}`)) as readonly number[];
  const through: number[] = [];
  for (let round = 0; round < WARM_REQUESTS; round += 1) {
    const began = performance.now();
    await answer(node, itemHash);
    through.push(performance.now() - began);
  }
  const guestMs = quantile(inside, 0.5);
  const nodeMs = quantile(through, 0.5);
  const sustained = await sustain(node, itemHash);
  return [
    {
      name: "warm request through the node, p50",
      value: nodeMs,
      unit: "ms",
      remark: `p99 ${ms(quantile(through, 0.99))}`,
    },
    {
      name: "the same on the guest's loopback, p50",
      value: guestMs,
      unit: "ms",
      remark: `p99 ${ms(quantile(inside, 0.99))}`,
    },
    { name: "the difference", value: nodeMs - guestMs, unit: "ms", target: "<= 15" },
    ...sustained,
  ];
}

/** Requests at a fixed rate, whatever becomes of those before: late answers count from when they were due. */
async function sustain(node: ProgramNode, vmHash: string): Promise<Figure[]> {
  const taken: number[] = [];
  let failed = 0;
  const began = performance.now();
  const asked: Promise<void>[] = [];
  for (let index = 0; index < RATE_PER_SECOND * RATE_SECONDS; index += 1) {
    const dueMs = began + (index * 1_000) / RATE_PER_SECOND;
    await delay(Math.max(0, dueMs - performance.now()));
    asked.push(
      answer(node, vmHash).then(
        () => void taken.push(performance.now() - dueMs),
        () => {
          failed += 1;
        },
      ),
    );
  }
  await Promise.all(asked);
  const seconds = (performance.now() - began) / 1_000;
  return [
    {
      name: `answered of ${RATE_PER_SECOND} requests/s for ${RATE_SECONDS} s`,
      value: taken.length / seconds,
      unit: "/s",
      target: `>= ${RATE_PER_SECOND * 0.98}`,
      remark: `p50 ${ms(quantile(taken, 0.5))}, p99 ${ms(quantile(taken, 0.99))}, ${failed} failed`,
    },
  ];
}

const ms = (value: number): string => `${Math.round(value * 10) / 10} ms`;
const spread = (samples: readonly number[]): string =>
  `median of ${samples.length}, ${ms(Math.min(...samples))} to ${ms(Math.max(...samples))}`;

const booted = await measureBoots();
const node = await startProgramNode(SETTINGS);
let figures: Figure[];
let accelerator: string;
try {
  accelerator = node.hypervisor.capabilities().accelerator;
  figures = [...(await measureStarts(node, booted)), ...(await measureRequests(node))];
} finally {
  await node[Symbol.asyncDispose]();
}
process.stdout.write(`${renderTable(figures)}\n`);
const report = {
  takenAt: new Date().toISOString(),
  node: process.version,
  accelerator,
  machine: {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
  },
  missed: figures.filter((figure) => isMet(figure) === false).map(({ name }) => name),
  figures,
};
writeFileSync(new URL("../results/functions.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
