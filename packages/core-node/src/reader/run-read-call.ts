import type { ListName, ListQueries, ListReader, ReadBudget, SyncListReads } from "@twentysix/storage";
import type { TreeCall } from "../sync/tree-calls.ts";
import type { LedgerCall, ListCall, ReadCall } from "./reader-protocol.ts";

const LEDGER_CALLS: Readonly<Record<LedgerCall["kind"], true>> = {
  judgePayment: true,
  standing: true,
  ended: true,
  pricesInForce: true,
  priceList: true,
};

export function isLedgerCall(call: ReadCall): call is LedgerCall {
  return Object.hasOwn(LEDGER_CALLS, call.kind);
}

const TREE_CALLS: Readonly<Record<TreeCall["kind"], true>> = {
  treeState: true,
  treeNodes: true,
  treeLeaves: true,
  treeDigests: true,
  itemStatuses: true,
  treeLog: true,
  bodies: true,
};

export function isTreeCall(call: ReadCall): call is TreeCall {
  return Object.hasOwn(TREE_CALLS, call.kind);
}

/** Runs one read on the connection of this thread. */
export function runReadCall(reads: SyncListReads, call: ListCall, budget: ReadBudget): unknown {
  switch (call.kind) {
    case "page": {
      const page = listOf(reads, call.list).page(call.query, call.page, budget);
      if (call.list !== "accountFiles") return page;
      return { ...page, totalSizeBytes: reads.accountFilesSize(call.query.address) };
    }
    case "cursor":
      return listOf(reads, call.list).cursor(call.query, call.request, budget);
    case "accountFilesSize":
      return reads.accountFilesSize(call.address);
    case "piece":
      return reads.piece(call.part, call.position, budget);
    case "aggregateOutlines":
      return reads.aggregateOutlines(call.address, call.keys, budget);
    case "authorizations":
      return reads.authorizations(call.query, call.page, budget);
    case "channels":
      return reads.channels(call.request, budget);
    case "programsOnMessage":
      return reads.programsOnMessage(call.direction, call.request, budget);
    case "nodeMetrics":
      return reads.nodeMetrics(call.query);
    case "creditSummary":
      return reads.creditSummary(call.address, call.filter, call.after);
    case "omittedHolders":
      return reads.omittedHolders(call.publication);
    case "forecastFacts":
      return reads.forecastFacts(call.address, call.nowMicros);
  }
}

/** The call pairs each list with its own query; the union of lists forgets that pair. */
function listOf(reads: SyncListReads, name: ListName): ListReader<ListQueries[ListName]> {
  return reads.lists[name] as ListReader<ListQueries[ListName]>;
}
