import { Client, type Dispatcher } from "undici";

export interface LoadResult {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Share of one core that this generator took. */
  readonly generatorCores: number;
}

export type LoadRequest = Pick<Dispatcher.RequestOptions, "path" | "method"> & {
  readonly body?: string;
};

/** Sends requests over a number of kept connections, one at a time on each, until there are no more. */
export async function runLoad(
  apiUrl: string,
  connections: number,
  next: () => LoadRequest | null,
): Promise<LoadResult> {
  const clients = Array.from({ length: connections }, () => new Client(apiUrl, { pipelining: 1 }));
  const latenciesMs: number[] = [];
  const statuses = new Map<number, number>();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const drive = async (client: Client): Promise<void> => {
    for (let request = next(); request !== null; request = next()) {
      const sentMs = performance.now();
      const { statusCode, body } = await client.request({
        ...request,
        headers: request.body === undefined ? {} : { "content-type": "application/json" },
      });
      await body.dump();
      latenciesMs.push(performance.now() - sentMs);
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
  };
  await Promise.all(clients.map(drive));
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await Promise.all(clients.map((client) => client.close()));
  return {
    perSecond: latenciesMs.length / seconds,
    latenciesMs,
    statuses,
    generatorCores: (cpu.user + cpu.system) / 1e6 / seconds,
  };
}

/** Fails when an answer had any other status. */
export function expectStatuses(result: LoadResult, ...allowed: readonly number[]): void {
  for (const [status, count] of result.statuses) {
    if (!allowed.includes(status)) throw new Error(`${count} answers had status ${status}`);
  }
}
