import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { syncIdentity } from "../../packages/core-node/src/sync/sync-protocol.ts";
import { loadNetwork } from "../../packages/node/src/network.ts";
import { sendFunds } from "../funds.ts";
import { rssMb, type StartedNode, startNodeProcess } from "../processes.ts";
import { ATTACKS } from "./attack/attacks.ts";
import { type HonestFigures, HonestLoad } from "./attack/honest-load.ts";
import { hostileProcess } from "./attack/hostile-process.ts";

/*
 * `npm run attack [-- --attacks spam,visits --seconds 15 --names 4]`: a node between two honest peers, with clients of
 * its own, while somebody does one bad thing to it as fast as it lets him. Says what the node spends and what honest
 * people notice, with and without.
 */

const { values } = parseArgs({
  options: {
    attacks: { type: "string" },
    seconds: { type: "string", default: "12" },
    /** Names of peers that the attacker goes by at once. */
    names: { type: "string", default: "4" },
    "file-bytes": { type: "string", default: "20000000" },
  },
});
const SECONDS = Number(values.seconds);
const NAMES = Number(values.names);
const BEGIN_MS = 2_000;
/** Messages whose files nobody has, so that the node looks for them: an attacker may say that it has. */
const MISSING_FILES = 40;
const RECOVER_MS = 3_000;
const FLAGS = ["--log-level", "error"];

interface Outcome extends HonestFigures {
  readonly attack: string;
  /** Processors that the node and the attacker took. */
  readonly nodeCores: number;
  readonly attackerCores: number;
  readonly rssMb: number;
  readonly loopDelayMs: { readonly p99: number; readonly max: number };
  readonly connections: number;
  readonly sentPerSecond: number;
  readonly sentMbPerSecond: number;
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function metrics({ apiUrl }: StartedNode): Promise<(name: string) => number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  return (name) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1) ?? Number.NaN,
    );
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measure(
  name: string,
  node: StartedNode,
  peer: StartedNode,
  fileHash: string,
): Promise<Outcome> {
  const address = node.peerAddresses[0] ?? "";
  const { topics } = DEFINITION;
  const identity = { ...syncIdentity(DEFINITION) };
  const target = { address, topic: topics.messages, fileHash, names: NAMES, identity };
  const hostile = name === "none" ? null : await hostileProcess(name, target);
  await pause(BEGIN_MS);
  const load = await HonestLoad.begin(node, peer);
  await metrics(node);
  const [startedMs, ofNode, ofHostile] = [
    performance.now(),
    cpuSeconds(node.pid),
    hostile === null ? 0 : cpuSeconds(hostile.pid),
  ];
  const before = hostile?.sent() ?? { pieces: 0, bytes: 0 };
  const honest = await load.measure(SECONDS);
  const spent = (performance.now() - startedMs) / 1_000;
  const read = await metrics(node);
  const after = hostile?.sent() ?? before;
  const outcome = {
    attack: name,
    nodeCores: (cpuSeconds(node.pid) - ofNode) / spent,
    attackerCores: hostile === null ? 0 : (cpuSeconds(hostile.pid) - ofHostile) / spent,
    rssMb: rssMb(node.pid),
    loopDelayMs: {
      p99: read('twentysix_event_loop_delay_seconds{statistic="p99"}') * 1_000,
      max: read('twentysix_event_loop_delay_seconds{statistic="max"}') * 1_000,
    },
    connections: read("twentysix_connected_peers"),
    sentPerSecond: (after.pieces - before.pieces) / spent,
    sentMbPerSecond: (after.bytes - before.bytes) / spent / 1e6,
    ...honest,
  };
  load.close();
  await hostile?.kill();
  await pause(RECOVER_MS);
  return outcome;
}

const round = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);

function row({ attack, ...one }: Outcome): string {
  const latencies = ({ p50, p99, failed }: HonestFigures["postMs"]): string =>
    `${round(p50)} / ${round(p99)}${failed > 0 ? ` (${failed} failed)` : ""}`;
  const cells = [
    attack,
    `${one.nodeCores.toFixed(2)} / ${one.attackerCores.toFixed(2)}`,
    String(Math.round(one.rssMb)),
    `${round(one.loopDelayMs.p99)} / ${round(one.loopDelayMs.max)}`,
    latencies(one.postMs),
    latencies(one.getMs),
    latencies(one.gossipMs),
    `${round(one.sentPerSecond)}/s, ${round(one.sentMbPerSecond)} MB/s`,
    String(one.connections),
  ];
  return `| ${cells.join(" | ")} |`;
}

const HEAD = [
  "| attack | cores of node / attacker | RSS, MB | event loop p99 / max, ms | POST p50 / p99, ms | GET p50 / p99, ms | gossip p50 / p99, ms | sent | peers |",
  "|---|---|---|---|---|---|---|---|---|",
];

const DEFINITION = loadNetwork("local");
const folder = mkdtempSync(join(tmpdir(), "twentysix-attack-"));
const nodes: StartedNode[] = [];
try {
  for (let index = 0; index < 3; index += 1) {
    const known = nodes.flatMap(({ peerAddresses }) => peerAddresses);
    const flags = [...FLAGS, ...(known.length === 0 ? [] : ["--peers", known.join(",")])];
    nodes.push(await startNodeProcess(join(folder, String(index)), flags));
  }
  const [node, peer] = nodes;
  if (node === undefined || peer === undefined) throw new Error("There is no node");
  const account = createEvmAccount({ privateKey: randomBytes(32) });
  await sendFunds(node.apiUrl, [account.address]);
  const client = createClient({ apiUrl: node.apiUrl, createSha256: createNodeSha256 });
  const file = new Blob([randomBytes(Number(values["file-bytes"]))]);
  const { fileHash } = await client.storeFile({ account, file, sync: true });
  await pause(BEGIN_MS);
  say(HEAD.join("\n"));
  for (let index = 0; index < MISSING_FILES; index += 1) {
    const content = { item_type: "storage", item_hash: randomBytes(32).toString("hex") };
    await client.createMessage({ account, type: "STORE", content, sync: false });
  }
  const outcomes: Outcome[] = [];
  for (const name of ["none", ...(values.attacks ?? Object.keys(ATTACKS).join()).split(","), "none"]) {
    const outcome = await measure(name, node, peer, fileHash);
    say(row(outcome));
    outcomes.push(outcome);
  }
  process.stdout.write(`${JSON.stringify({ seconds: SECONDS, names: NAMES, outcomes })}\n`);
} finally {
  await Promise.all(nodes.map((one) => one.stop()));
  rmSync(folder, { recursive: true, force: true });
}
