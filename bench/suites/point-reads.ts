import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BenchContext } from "../context.ts";
import { readCorpus } from "../corpus.ts";
import { type Figure, quantile } from "../figures.ts";
import { expectStatuses, type LoadResult, runLoad } from "../load.ts";
import { startNodeProcess } from "../processes.ts";

const CONNECTIONS = 64;
const REQUESTS = 60_000;
/** Reads that warm the node and the generator up. */
const WARM_UP = 5_000;

/** `GET /api/v0/messages/{hash}` of messages spread over the corpus. */
export async function pointReads(context: BenchContext): Promise<Figure[]> {
  const hashes = await spreadHashes(context);
  const node = await startNodeProcess(context.dataDir, context.databaseFlags);
  try {
    await read(node.apiUrl, hashes, WARM_UP);
    const result = await read(node.apiUrl, hashes, REQUESTS);
    expectStatuses(result, 200);
    return [
      {
        name: `GET by hash, ${CONNECTIONS} connections`,
        value: result.perSecond,
        unit: "requests/s",
        target: ">= 6000",
        baseline: { name: "node:http server with a constant answer", value: await bareServer() },
        remark: `the generator took ${result.generatorCores.toFixed(2)} of a core`,
      },
      { name: "GET by hash, p99", value: quantile(result.latenciesMs, 0.99), unit: "ms" },
    ];
  } finally {
    await node.stop();
  }
}

function read(apiUrl: string, hashes: readonly string[], count: number): Promise<LoadResult> {
  let sent = 0;
  return runLoad(apiUrl, CONNECTIONS, () => {
    if (sent >= count) return null;
    const hash = hashes[(sent * 7_919) % hashes.length];
    sent += 1;
    return { method: "GET", path: `/api/v0/messages/${hash}` };
  });
}

/** About 20,000 hashes from all over the corpus. */
async function spreadHashes({ messages, corpusPath }: BenchContext): Promise<string[]> {
  const step = Math.max(1, Math.floor(messages / 20_000));
  const hashes: string[] = [];
  let index = 0;
  for await (const line of readCorpus(await corpusPath(0, Math.round(messages * 0.9)))) {
    if (index % step === 0) hashes.push((JSON.parse(line) as { item_hash: string }).item_hash);
    index += 1;
  }
  return hashes;
}

/** The same load against a server that does nothing. */
async function bareServer(): Promise<number> {
  const answer = JSON.stringify({ status: "processed", text: "x".repeat(900) });
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(answer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const result = await read(`http://127.0.0.1:${port}`, ["0"], WARM_UP * 4);
  server.close();
  return result.perSecond;
}
