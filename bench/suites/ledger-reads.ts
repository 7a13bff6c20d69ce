import { createHash } from "node:crypto";
import { type Figure, quantile } from "../figures.ts";
import { expectStatuses, type LoadRequest, runLoad } from "../load.ts";
import type { StartedNode } from "../processes.ts";
import { ACCOUNTS, WHALE } from "./ledger-rows.ts";

const CONNECTIONS = 64;
const REQUESTS = 30_000;
const WARM_UP = 3_000;
/** Pages of each walk. */
const PAGES = 100;

const REF = "ef".repeat(32);

/** An instance with a disk and a volume whose size its client says. */
const INSTANCE = JSON.stringify({
  address: "0xSomebody",
  time: 1_790_000_000,
  allow_amend: false,
  environment: {},
  resources: { vcpus: 2, memory: 4_096 },
  payment: { chain: "ETH", type: "credit", receiver: "0x1" },
  rootfs: { parent: { ref: REF, use_latest: true }, persistence: "host", size_mib: 20_480 },
  volumes: [
    { ref: REF, mount: "/opt", estimated_size_mib: 100 },
    { mount: "/data", name: "data", persistence: "host", size_mib: 30_000 },
  ],
});

const ESTIMATE = JSON.stringify({
  message: {
    type: "INSTANCE",
    item_type: "inline",
    item_hash: createHash("sha256").update(INSTANCE).digest("hex"),
    item_content: INSTANCE,
  },
});

const accountAt = (at: number): string =>
  `0xAccount${String(1 + ((at * 7_919) % ACCOUNTS)).padStart(6, "0")}`;

/** Point reads and estimates under load. */
export async function ledgerLoad(
  { apiUrl, usage }: Pick<StartedNode, "apiUrl" | "usage">,
  hashes: readonly string[],
  say: (text: string) => void,
): Promise<Figure[]> {
  const loads: readonly [name: string, target: string | undefined, request: (at: number) => LoadRequest][] = [
    [
      "price estimates over HTTP",
      ">= 3000",
      () => ({ method: "POST", path: "/api/v0/price/estimate", body: ESTIMATE }),
    ],
    [
      "price estimates of a bare instance over HTTP",
      ">= 3000",
      () => ({ method: "POST", path: "/api/v0/price/estimate/instance", body: INSTANCE }),
    ],
    [
      "prices by hash",
      undefined,
      (at) => ({ method: "GET", path: `/api/v0/price/${hashes[(at * 7_919) % hashes.length]}` }),
    ],
    [
      "balances by address",
      undefined,
      (at) => ({ method: "GET", path: `/api/v0/addresses/${accountAt(at)}/balance` }),
    ],
    [
      "consumed credits by hash",
      undefined,
      (at) => ({
        method: "GET",
        path: `/api/v0/messages/${hashes[(at * 7_919) % hashes.length]}/consumed_credits`,
      }),
    ],
  ];
  const figures: Figure[] = [];
  for (const [name, target, request] of loads) {
    await load(apiUrl, WARM_UP, request);
    const before = usage().cpuSeconds;
    const result = await load(apiUrl, REQUESTS, request);
    const nodeMicros = ((usage().cpuSeconds - before) / REQUESTS) * 1e6;
    expectStatuses(result, 200);
    say(`${name}: ${result.perSecond.toFixed(0)} a second`);
    figures.push({
      name: `${name}, ${CONNECTIONS} connections`,
      value: result.perSecond,
      unit: "requests/s",
      ...(target === undefined ? {} : { target }),
      remark: `p99 ${quantile(result.latenciesMs, 0.99).toFixed(1)} ms; the node took ${nodeMicros.toFixed(0)} us of processor time each, the generator ${result.generatorCores.toFixed(2)} of a core`,
    });
  }
  return figures;
}

function load(apiUrl: string, count: number, request: (at: number) => LoadRequest) {
  let sent = 0;
  return runLoad(apiUrl, CONNECTIONS, () => {
    if (sent >= count) return null;
    sent += 1;
    return request(sent);
  });
}

const history = `/api/v0/addresses/${WHALE}/credit_history`;

/** Lists that are walked by cursor, in an order that has an index. */
const WALKS: readonly [name: string, path: string, size: number][] = [
  ["credit history, the largest account", `${history}?`, 20],
  ["credit history, its expenses", `${history}?payment_method=credit_expense`, 20],
  ["credit history, one resource", `${history}?resource=resource%2012`, 20],
  ["costs", "/api/v0/costs?include_details=1", 100],
  ["costs of one owner with lines", `/api/v0/costs?include_details=2&address=${WHALE}`, 100],
  ["balances", "/api/v0/balances?", 100],
  ["balances on two chains", "/api/v0/balances?chains=SOL,AVAX", 100],
  ["balances above 4,990 tokens", "/api/v0/balances?min_balance=4990", 100],
  ["credit balances", "/api/v0/credit_balances?", 100],
];

/** Requests that are made again and again, one at a time. */
const SINGLES: readonly [name: string, path: string][] = [
  ["summary of the whole history of the largest account", `${history}/summary`],
  ["summary of its expenses", `${history}/summary?direction=outgoing`],
  ["history of the largest account by amount, which has no index", `${history}?sort_by=amount&pagination=20`],
  ["costs without details", "/api/v0/costs"],
  ["page 9,000 of costs", "/api/v0/costs?include_details=1&pagination=100&page=9000"],
  ["page 2,900 of balances", "/api/v0/balances?page=2900"],
  ["credit balances above 900,000", "/api/v0/credit_balances?min_balance=900000"],
  ["forecast of the largest account", `/api/v1/addresses/${WHALE}/forecast`],
  ["forecast of another account", "/api/v1/addresses/0xAccount000777/forecast"],
];

/** Lists and sums, one request at a time. */
export async function ledgerLists(apiUrl: string, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, path, size] of WALKS) {
    const latenciesMs = await walk(apiUrl, `${path}&pagination=${size}`);
    say(`${name}: ${quantile(latenciesMs, 0.5).toFixed(1)} ms`);
    figures.push(latencyFigure(`${name}: page of ${size} by cursor`, latenciesMs, "<= 15"));
  }
  for (const [name, path] of SINGLES) {
    const latenciesMs: number[] = [];
    for (let at = 0; at < 15; at += 1) latenciesMs.push((await timed(apiUrl + path)).spentMs);
    say(`${name}: ${quantile(latenciesMs, 0.5).toFixed(1)} ms`);
    figures.push(latencyFigure(name, latenciesMs));
  }
  return figures;
}

function latencyFigure(name: string, latenciesMs: readonly number[], target?: string): Figure {
  return {
    name: `${name}, median`,
    value: quantile(latenciesMs, 0.5),
    unit: "ms",
    ...(target === undefined ? {} : { target }),
    remark: `worst ${Math.max(...latenciesMs).toFixed(1)} ms of ${latenciesMs.length}`,
  };
}

async function walk(apiUrl: string, path: string): Promise<number[]> {
  const latenciesMs: number[] = [];
  let cursor: string | null = "";
  while (cursor !== null && latenciesMs.length < PAGES) {
    const { spentMs, text } = await timed(`${apiUrl}${path}&cursor=${cursor}`);
    latenciesMs.push(spentMs);
    cursor = (JSON.parse(text) as { next_cursor: string | null }).next_cursor;
  }
  return latenciesMs;
}

async function timed(url: string): Promise<{ readonly spentMs: number; readonly text: string }> {
  const startedMs = performance.now();
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text.slice(0, 300)}`);
  return { spentMs: performance.now() - startedMs, text };
}

/** The body of an estimate, for measuring it without HTTP. */
export const ESTIMATED_CONTENT = INSTANCE;
