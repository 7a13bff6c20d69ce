import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import type { TestnetFacts } from "../src/index.ts";
import { freeBasePort, goneAfterMs, processesOf, startUp, testFolder } from "./support/up-process.ts";

const IMAGES = fileURLToPath(new URL("../../../.cache/images/", import.meta.url));
/** Programs are started elsewhere within a minute of the last word of their node; guests then have to boot. */
const BOOT_MS = 240_000;
/** What the failover of a program takes at most, and the looks of this test in between. */
const FAILOVER_MS = 60_000;
const STOP_LIMIT_MS = 30_000;

const PROGRAM = `
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"it runs"})
`;

describe("a cloud of one core node and two compute nodes", {
  timeout: 900_000,
  skip: process.env.TWENTYSIX_TEST_VM === "short",
}, () => {
  test("answers by functions, and keeps one alive when its machine dies", async (t) => {
    await using folder = testFolder();
    const flags = [
      "--core",
      "1",
      "--compute",
      "2",
      "--data-dir",
      folder.path,
      "--images-dir",
      IMAGES,
      "--json",
    ];
    await using up = startUp([...flags, "--base-port", String(await freeBasePort(7))]);
    const facts = await up.ready();
    const [one, two] = facts.compute ?? [];
    assert.ok(one !== undefined && two !== undefined);

    const config = await (await fetch(`${one.api}/status/config`)).json();
    t.diagnostic(`machines run on ${(config as Config).twentysix.accelerator}`);

    const check = await (await fetch(`${one.api}/status/check/fastapi`)).json();
    const { dns: _dns, ipv4: _ipv4, internet: _internet, ...ofTheNode } = check as Record<string, boolean>;
    assert.deepEqual(new Set(Object.values(ofTheNode)), new Set([true]), JSON.stringify(check));

    const visited = await publish(facts, false);
    assert.equal(await answerOf(one.api, visited), "it runs");

    const kept = await publish(facts, true);
    const first = await placeOf(facts, kept, BOOT_MS, () => true);
    const host = [one, two].find(({ hash }) => hash === first);
    assert.ok(host !== undefined);
    const diedAtMs = Date.now();
    killMachine(join(folder.path, host === one ? "compute-1" : "compute-2"));
    const second = await placeOf(facts, kept, FAILOVER_MS + BOOT_MS, (node) => node !== first);
    assert.notEqual(second, first);
    const other = host === one ? two : one;
    assert.equal(await answerOf(other.api, kept), "it runs");
    const history = await historyOf(facts, kept);
    const decidedAtMs = Date.parse(
      history.find(({ node_hash, action }) => node_hash === second && action === "scheduled")?.timestamp ??
        "",
    );
    assert.ok(decidedAtMs - diedAtMs <= FAILOVER_MS, `decided after ${decidedAtMs - diedAtMs} ms`);

    up.process.kill("SIGTERM");
    assert.ok((await goneAfterMs(folder.path)) < STOP_LIMIT_MS);
    await up.ended;
    assert.deepEqual(processesOf(folder.path), []);
  });
});

interface Config {
  readonly twentysix: { readonly accelerator: string };
}

function clientOf({ core, accounts }: TestnetFacts) {
  const alice = accounts.find(({ role }) => role === "alice");
  const account = createEvmAccount({ privateKey: Buffer.from(alice?.privateKey.slice(2) ?? "", "hex") });
  return { account, client: createClient({ apiUrl: core[0]?.api ?? "", createSha256: createNodeSha256 }) };
}

async function publish(facts: TestnetFacts, persistent: boolean): Promise<string> {
  const { account, client } = clientOf(facts);
  const file = new Blob([`# ${persistent}\n${PROGRAM}`]);
  const code = await client.storeFile({ account, file, sync: true });
  const { itemHash } = await client.createProgram({
    account,
    sync: true,
    content: {
      type: "vm-function",
      allow_amend: false,
      code: { encoding: "plain", entrypoint: "main:app", ref: code.itemHash, use_latest: false },
      runtime: { ref: facts.runtimes?.python ?? "", use_latest: false, comment: "" },
      on: { http: true, persistent },
      environment: { reproducible: false, internet: false, aleph_api: false, shared_cache: false },
      resources: { vcpus: 1, memory: 256, seconds: 30 },
      payment: { type: "hold", chain: "ETH" },
      volumes: [],
    },
  });
  return itemHash;
}

async function answerOf(api: string, hash: string): Promise<string> {
  for (;;) {
    const answer = await fetch(`${api}/vm/${hash}/`, { signal: AbortSignal.timeout(BOOT_MS) });
    if (answer.status === 200) return await answer.text();
    assert.ok([503, 429].includes(answer.status), `${answer.status} ${await answer.text()}`);
    await sleep(1_000);
  }
}

interface Machine {
  readonly allocated_node: string | null;
  readonly observed_nodes: readonly string[];
}

/** The node on which a machine was seen last, once it is one that is wanted. */
async function placeOf(
  { scheduler }: TestnetFacts,
  hash: string,
  limitMs: number,
  isWanted: (node: string) => boolean,
): Promise<string> {
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    const answer = await fetch(`${scheduler?.api}/api/v1/vms/${hash}`, { signal });
    if (answer.ok) {
      const { allocated_node: node, observed_nodes: seen } = (await answer.json()) as Machine;
      if (node !== null && seen.includes(node) && isWanted(node)) return node;
    }
    await sleep(500, undefined, { signal });
  }
}

interface HistoryRow {
  readonly node_hash: string;
  readonly action: string;
  readonly timestamp: string;
}

async function historyOf({ scheduler }: TestnetFacts, hash: string): Promise<readonly HistoryRow[]> {
  const answer = await fetch(`${scheduler?.api}/api/v1/vms/${hash}/history`);
  return ((await answer.json()) as { readonly items: readonly HistoryRow[] }).items;
}

/** All that runs of one node, as when the power of its machine fails: nothing ends in order. */
function killMachine(folder: string): void {
  const pids = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(folder));
  assert.ok(pids.length > 0);
  execFileSync("kill", ["-KILL", ...pids]);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
