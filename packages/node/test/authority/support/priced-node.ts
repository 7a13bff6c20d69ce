import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createDeferred } from "@twentysix/platform";
import { startTestNode, type TestNode } from "../../support/test-node.ts";

/** What something costs, as a node tells it. */
export interface ListedCost {
  readonly itemHash: string;
  readonly owner: string;
  /** Credits a second, a decimal text. */
  readonly credit: string;
  /** The product of an execution; none: a file. */
  readonly product?: string;
  readonly sizeMib?: number;
  /** `credit` by default. */
  readonly payment?: "credit" | "hold";
  /** Unix milliseconds; none: it is not told. */
  readonly startedMs?: number;
  /** Unix milliseconds; none: it goes on. */
  readonly endedMs?: number;
}

/**
 * What becomes of a submission: it passes, the connection breaks before or after the node has it, or it breaks and
 * the network goes on carrying what it was given.
 */
export type Fate = "passes" | "is lost" | "loses its answer" | "comes late";

/** A real node behind a server that knows what things cost, and at which connections can break. */
export interface PricedNode {
  readonly apiUrl: string;
  readonly node: TestNode;
  readonly costs: ListedCost[];
  /** The node's clock: what begins later is not there yet, and what ends later still is. For ever by default. */
  setNow(now: () => number): void;
  /** Breaks the connection of the n-th submission from now on; resolves when that has happened. */
  breakAt(number: number, fate: Exclude<Fate, "passes">): Promise<void>;
  /** What comes late comes now. */
  deliverLate(): Promise<void>;
  remove(): Promise<void>;
}

/** What all is billed by. */
const LIST = "26".repeat(32);

export async function startPricedNode(): Promise<PricedNode> {
  const node = await startTestNode();
  const costs: ListedCost[] = [];
  let now = (): number => Number.POSITIVE_INFINITY;
  const fates: Fate[] = [];
  const late: (() => Promise<unknown>)[] = [];
  let broken = createDeferred<void>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", node.apiUrl);
    if (url.pathname === "/api/v0/costs") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(costsAnswer(liveAt(costs, now()), url.searchParams)));
      return;
    }
    if (url.pathname === "/api/v1/costs/ended") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(endedAnswer(costs, now(), url.searchParams)));
      return;
    }
    const isSubmission = request.method === "POST" && url.pathname === "/api/v0/messages";
    const fate = isSubmission ? (fates.shift() ?? "passes") : "passes";
    const body = await buffer(request);
    const send = (): Promise<Response> => sendOn(request, url, body);
    if (fate === "comes late") late.push(send);
    if (fate === "passes" || fate === "loses its answer") await answer(response, await send(), fate);
    if (fate === "passes") return;
    request.socket.destroy();
    broken.resolve();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    node,
    costs,
    setNow(clock) {
      now = clock;
    },
    breakAt(number, fate) {
      broken = createDeferred<void>();
      fates.splice(0, fates.length, ...Array.from({ length: number - 1 }, () => "passes" as const), fate);
      return broken.promise;
    },
    async deliverLate() {
      for (const send of late.splice(0)) await send();
    },
    async remove() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await node.remove();
    },
  };
}

function sendOn(request: IncomingMessage, url: URL, body: Buffer): Promise<Response> {
  const { method = "GET" } = request;
  const contentType = request.headers["content-type"];
  return fetch(url, {
    method,
    ...(method === "POST" ? { body: new Uint8Array(body) } : {}),
    headers: contentType === undefined ? {} : { "content-type": contentType },
  });
}

async function answer(response: ServerResponse, received: Response, fate: Fate): Promise<void> {
  const bytes = Buffer.from(await received.arrayBuffer());
  if (fate !== "passes") return;
  const type = received.headers.get("content-type") ?? "text/plain";
  response.writeHead(received.status, { "content-type": type }).end(bytes);
}

const isLive = ({ startedMs = 0, endedMs = Number.POSITIVE_INFINITY }: ListedCost, nowMs: number): boolean =>
  startedMs <= nowMs && (endedMs === Number.POSITIVE_INFINITY || endedMs > nowMs);

const liveAt = (costs: readonly ListedCost[], nowMs: number): readonly ListedCost[] =>
  costs.filter((cost) => isLive(cost, nowMs));

/** In pages of two, so that a walk has several. */
function endedAnswer(costs: readonly ListedCost[], nowMs: number, query: URLSearchParams): object {
  const owner = query.get("address");
  const sinceMs = Number(query.get("since") ?? 0) * 1_000;
  const ended = costs
    .filter((cost) => owner === null || cost.owner === owner)
    .filter(({ endedMs }) => endedMs !== undefined && endedMs > sinceMs && endedMs <= nowMs)
    .toSorted((a, b) => (a.endedMs ?? 0) - (b.endedMs ?? 0));
  const from = Number(query.get("cursor") || 0);
  return {
    resources: ended.slice(from, from + 2).map((cost) => ({
      ...resourceOf(cost, true),
      ended_at: dateOf(cost.endedMs),
    })),
    pagination_per_page: 2,
    next_cursor: from + 2 < ended.length ? String(from + 2) : null,
  };
}

const dateOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString().replace("Z", "000Z");

function costsAnswer(costs: readonly ListedCost[], query: URLSearchParams): object {
  const owner = query.get("address");
  const page = Number(query.get("page") ?? 1);
  const pageSize = Number(query.get("pagination") ?? 100);
  const withLines = query.get("include_details") === "2";
  const matching = costs
    .filter((cost) => owner === null || cost.owner === owner)
    .filter(({ payment = "credit" }) => payment === (query.get("payment_type") ?? "credit"))
    .toSorted((a, b) => (a.itemHash < b.itemHash ? -1 : 1));
  return {
    summary: {},
    filters: {},
    resources: matching
      .slice((page - 1) * pageSize, page * pageSize)
      .map((cost) => resourceOf(cost, withLines)),
    pagination_page: page,
    pagination_total: matching.length,
    pagination_per_page: pageSize,
    pagination_item: "resources",
  };
}

function resourceOf(cost: ListedCost, withLines: boolean): object {
  const { itemHash, owner, credit, product, sizeMib, payment = "credit", startedMs } = cost;
  const nothing = "0.000000000000000000";
  const costs = { cost_hold: nothing, cost_stream: nothing, cost_credit: credit };
  const line =
    product === undefined
      ? { type: "STORAGE", name: "STORAGE", size_mib: sizeMib ?? 0 }
      : { type: "EXECUTION", name: product, size_mib: null };
  return {
    item_hash: itemHash,
    owner,
    payment_type: payment,
    consumed_credits: 0,
    ...costs,
    pricing_revision: LIST,
    started_at: dateOf(startedMs),
    detail: withLines ? [{ ...line, ...costs }] : null,
  };
}
