import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import type { ChainChange, FoundChainEvent } from "@twentysix/storage";
import type { ChainSource, SourceServices } from "../../../src/chain/chain-source.ts";

/** A server that answers GraphQL, or GET with its address, as the test says. */
export async function startIndexer(
  context: TestContext,
  answer: (question: string) => unknown,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const question =
      request.method === "GET" ? String(request.url) : (JSON.parse(body) as { query: string }).query;
    response.end(JSON.stringify(answer(question)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a source wrote down, as the database would give it back. */
export function memoryRecords() {
  let position: string | null = null;
  const events: FoundChainEvent[] = [];
  const services: SourceServices & {
    readonly timers: ReturnType<typeof createSystemTimers>;
    readonly signal: AbortSignal;
  } = {
    records: { position: async () => position, blocks: async () => [] },
    change: async (change: ChainChange) => {
      if (change.kind !== "read") throw new Error(`a source made a change of kind ${change.kind}`);
      position = change.position;
      events.push(...change.events);
    },
    timers: createSystemTimers(),
    signal: new AbortController().signal,
  };
  return { services, events };
}

/** Polls until there is nothing more, as the loop of a node does. */
export async function readAll(source: ChainSource): Promise<void> {
  while (await source.poll(new AbortController().signal));
}
