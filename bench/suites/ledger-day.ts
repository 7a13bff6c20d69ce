import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { localAuthority, signedPost } from "../funds.ts";
import { accountAddress, fillAccounts, resourceHash } from "../ledger/fill-accounts.ts";
import { startNodeProcess } from "../processes.ts";

const ACCOUNTS = 100_000;
const RESOURCES = 10;
/** Entries in one post of expenses: what fits into an inline content. */
const ENTRIES = 700;
/** Posts on their way at once. */
const IN_FLIGHT = 16;

/**
 * A day of 100,000 accounts with 1,000,000 resources: every resource is billed, nearly all credits of every tenth
 * account expire, and what cannot be paid for any more is marked. By a whole node, over its HTTP API.
 */
export async function ledgerDay({ say }: BenchContext): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-bench-ledger-"));
  try {
    await (await startNodeProcess(folder)).stop();
    const databasePath = join(folder, "core", "messages.sqlite");
    const nowMicros = BigInt(Date.now()) * 1_000n;
    const expiryMicros = nowMicros + 90_000_000n;
    say(`writing ${ACCOUNTS * RESOURCES} resources`);
    fillAccounts(databasePath, { accounts: ACCOUNTS, resources: RESOURCES, expiryMicros, nowMicros });
    const posts = await expensePosts();
    return await measure(folder, databasePath, posts, expiryMicros, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bills of one day, one entry a resource. */
async function expensePosts(): Promise<string[]> {
  const credits = localAuthority("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  const posts: string[] = [];
  let entries: Record<string, unknown>[] = [];
  const flush = async (): Promise<void> => {
    const content = { expense: { count: entries.length, credits: entries } };
    const time = Date.now() / 1_000 + posts.length / 1_000;
    posts.push(await signedPost(credits, { type: "aleph_credit_expense", content }, time, "ALEPH_CREDIT"));
    entries = [];
  };
  for (let account = 0; account < ACCOUNTS; account += 1) {
    const address = accountAddress(account);
    for (let index = 0; index < RESOURCES; index += 1) {
      const executionId = resourceHash(account, index).toString("hex");
      entries.push({ address, amount: 100, execution_id: executionId });
      if (entries.length === ENTRIES) await flush();
    }
  }
  if (entries.length > 0) await flush();
  return posts;
}

async function measure(
  folder: string,
  databasePath: string,
  posts: readonly string[],
  expiryMicros: bigint,
  say: (text: string) => void,
): Promise<Figure[]> {
  // The files of these resources are rows without bytes, which the node would complain of.
  const node = await startNodeProcess(folder, ["--log-level", "fatal"]);
  try {
    say(`posting ${posts.length} posts of expenses`);
    const before = node.usage().cpuSeconds;
    await eventLoopP99Ms(node.apiUrl);
    const billedMs = await timed(() => submitAll(node.apiUrl, posts));
    const untilMs = Number(expiryMicros / 1_000n) - Date.now();
    if (untilMs > 0) {
      say(`waiting ${Math.ceil(untilMs / 1_000)} s for the credits to expire`);
      await new Promise((resolve) => setTimeout(resolve, untilMs));
    }
    const sweptMs = await timed(() => untilSwept(databasePath));
    const eventLoopMs = await eventLoopP99Ms(node.apiUrl);
    const { cpuSeconds } = node.usage();
    const marked = countOf(databasePath, "SELECT count(*) AS n FROM items WHERE status = 4");
    return [
      {
        name: `a day of ${ACCOUNTS} accounts with ${ACCOUNTS * RESOURCES} resources, billing and sweeping`,
        value: (billedMs + sweptMs) / 1_000,
        unit: "s",
        target: "<= 60",
        remark: `${posts.length} posts of up to ${ENTRIES} expenses; ${marked} messages marked for removal`,
      },
      { name: "of it: 1,000,000 bills", value: billedMs / 1_000, unit: "s" },
      { name: "of it: sweeps after credits expired", value: sweptMs / 1_000, unit: "s" },
      { name: "processor time of the node", value: cpuSeconds - before, unit: "s" },
      {
        name: "event-loop delay of the main thread meanwhile, p99",
        value: eventLoopMs,
        unit: "ms",
        target: "<= 50",
      },
    ];
  } finally {
    await node.stop();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function submitAll(apiUrl: string, posts: readonly string[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let post = posts[next++]; post !== undefined; post = posts[next++]) {
      const response = await fetch(`${apiUrl}/api/v0/messages`, {
        method: "POST",
        body: `{"sync":true,"message":${post}}`,
      });
      if (response.status !== 200) throw new Error(`A post was not processed: ${await response.text()}`);
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Every account whose event has come was looked at. */
async function untilSwept(databasePath: string): Promise<void> {
  const due =
    "SELECT count(*) AS n FROM accounts WHERE next_event_us <= CAST(unixepoch('subsec') * 1000000 AS INTEGER)";
  while (countOf(databasePath, due) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

function countOf(databasePath: string, sql: string): number {
  const database = new DatabaseSync(databasePath, { readOnly: true });
  try {
    return Number((database.prepare(sql).get() as { n: number }).n);
  } finally {
    database.close();
  }
}

/** What the node itself says in its metrics, since they were asked for the last time. */
async function eventLoopP99Ms(apiUrl: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  const match = /^twentysix_event_loop_delay_seconds\{statistic="p99"\} ([\d.e+-]+)$/m.exec(text);
  if (match === null) throw new Error("The metrics tell no event-loop delay");
  return Number(match[1]) * 1_000;
}
