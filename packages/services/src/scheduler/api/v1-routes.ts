import type { FastifyInstance, FastifyReply } from "fastify";
import { type NodeRecord, nodeStatusOf } from "../model/node.ts";
import { historyView } from "./history-view.ts";
import { nodeLoads, nodeView } from "./node-view.ts";
import { pageOf, pageView } from "./page.ts";
import { Query } from "./query.ts";
import type { ApiSources } from "./sources.ts";
import { statsOf } from "./stats.ts";
import { timeText } from "./time-text.ts";
import { hasText, vmFilter } from "./vm-filter.ts";
import { vmView } from "./vm-view.ts";

const NODE_STATUSES = ["Healthy", "Unreachable", "Unknown", "removed"] as const;
const INTERVALS_MS: Readonly<Record<string, number>> = { "5m": 300_000, "1h": 3_600_000, "1d": 86_400_000 };
const MAX = Number.MAX_SAFE_INTEGER;

/** The routes under `/api/v1`. Source: scheduler API, as its clients read it. */
export function addV1Routes(server: FastifyInstance, sources: ApiSources): void {
  server.get("/api/v1/stats", () => statsOf(sources));
  server.get("/api/v1/stats/history", ({ query }) => statsHistory(new Query(query), sources));
  addVmRoutes(server, sources);
  addNodeRoutes(server, sources);
}

function statsHistory(query: Query, { samples }: ApiSources) {
  const interval = query.oneOf("interval", Object.keys(INTERVALS_MS))?.[0] ?? "1h";
  const items = samples.list(INTERVALS_MS[interval] ?? 0).map(({ atMs, figures }) => ({
    timestamp: timeText(atMs),
    ...figures,
  }));
  return { interval, items };
}

function addVmRoutes(server: FastifyInstance, { view, store, planning }: ApiSources): void {
  server.get("/api/v1/vms", ({ query: raw }) => {
    const query = new Query(raw);
    return pageOf(view.vms().filter(vmFilter(query)), query, ({ vm }) => vm.order, vmView);
  });
  server.get<{ Params: { hash: string } }>("/api/v1/vms/:hash", ({ params }, reply) => {
    const seen = view.vm(params.hash.toLowerCase()) ?? view.vm(params.hash);
    return seen === null ? notFound(reply, "VM not found") : vmView(seen);
  });
  server.get<{ Params: { hash: string } }>("/api/v1/vms/:hash/history", ({ params, query }, reply) => {
    if (!store.vms.has(params.hash)) return notFound(reply, "VM not found");
    return historyPage("vm", params.hash, new Query(query), store);
  });
  server.get<{ Params: { hash: string } }>("/api/v1/vms/:hash/explain", ({ params }, reply) => {
    const explanation = store.vms.has(params.hash) ? planning.explain(params.hash) : null;
    const seen = view.vm(params.hash);
    if (seen === null) return notFound(reply, "VM not found");
    return {
      vm_hash: params.hash,
      status: seen.status,
      allocated_node: seen.vm.allocatedNode,
      reason: seen.vm.reason,
      decision: explanation?.decision ?? null,
      nodes: (explanation?.nodes ?? []).map(({ nodeHash, excludedBy, rank }) => ({
        node_hash: nodeHash,
        excluded_by: excludedBy,
        rank,
      })),
    };
  });
}

function addNodeRoutes(server: FastifyInstance, { view, store }: ApiSources): void {
  server.get("/api/v1/nodes", ({ query: raw }) => {
    const query = new Query(raw);
    const loads = nodeLoads(store.vms.values());
    const nodes = view.nodes().filter(nodeFilter(query));
    return pageOf(
      nodes,
      query,
      ({ order }) => order,
      (node) => nodeView(node, loads.get(node.registration.nodeHash)),
    );
  });
  server.get<{ Params: { hash: string } }>("/api/v1/nodes/:hash", ({ params }, reply) => {
    const node = store.nodes.get(params.hash);
    if (node === undefined) return notFound(reply, "Node not found");
    return nodeView(node, nodeLoads(store.vms.values()).get(params.hash));
  });
  server.get<{ Params: { hash: string } }>("/api/v1/nodes/:hash/history", ({ params, query }, reply) => {
    if (!store.nodes.has(params.hash)) return notFound(reply, "Node not found");
    return historyPage("node", params.hash, new Query(query), store);
  });
}

function nodeFilter(query: Query): (node: NodeRecord) => boolean {
  const tests: ((node: NodeRecord) => boolean)[] = [];
  const when = <Value>(value: Value | null, test: (value: Value, node: NodeRecord) => boolean): void => {
    if (value !== null) tests.push((node) => test(value, node));
  };
  // Users see the last digits of a hash: those in the middle are no name of it.
  when(query.texts("hash"), (fragments, { registration: { nodeHash } }) =>
    fragments.some((one) => nodeHash.startsWith(one.toLowerCase()) || nodeHash.endsWith(one.toLowerCase())),
  );
  when(query.oneOf("status", NODE_STATUSES), (statuses, node) => statuses.includes(nodeStatusOf(node)));
  when(
    query.boolean("supports_ipv6"),
    (value, { capabilities }) => (capabilities?.isIpv6Public ?? false) === value,
  );
  when(
    query.boolean("confidential_computing_enabled"),
    (value, { capabilities }) => (capabilities?.hasConfidential ?? false) === value,
  );
  when(query.texts("cpu_architecture"), (values, { report }) =>
    hasText(values, report?.cpuArchitecture ?? null),
  );
  when(query.texts("cpu_vendor"), (values, { report }) => hasText(values, report?.cpuVendor ?? null));
  when(query.boolean("has_gpu"), (value, { report }) => (report?.gpus ?? []).length > 0 === value);
  when(query.boolean("staked"), (value, { registration }) => registration.isLinked === value);
  when(
    query.integer("active_since", { min: 0, max: MAX }),
    (value, { updatedAtMs }) => updatedAtMs >= value * 1_000,
  );
  return (node) => tests.every((test) => test(node));
}

function historyPage(of: "vm" | "node", hash: string, query: Query, store: ApiSources["store"]) {
  const { page, pageSize } = query.page();
  const { rows, total } = store.history(of, hash, { limit: pageSize, offset: (page - 1) * pageSize });
  return pageView(rows.map(historyView), { page, pageSize }, total);
}

const notFound = (reply: FastifyReply, error: string): FastifyReply => reply.code(404).send({ error });
