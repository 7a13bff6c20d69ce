import type { ListName, ListQueries, ListReader, ReadBudget, SyncListReads } from "@twentysix/storage";
import type { ListCall } from "./reader-protocol.ts";

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
  }
}

/** The call pairs each list with its own query; the union of lists forgets that pair. */
function listOf(reads: SyncListReads, name: ListName): ListReader<ListQueries[ListName]> {
  return reads.lists[name] as ListReader<ListQueries[ListName]>;
}
