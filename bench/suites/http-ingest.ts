import type { BenchContext } from "../context.ts";
import { readCorpus } from "../corpus.ts";
import { type Figure, quantile } from "../figures.ts";
import { expectStatuses, runLoad } from "../load.ts";
import { startNodeProcess } from "../processes.ts";

const CONNECTIONS = 64;
const REQUESTS = 60_000;

/** One message a request, each acknowledged once it is durable. */
export async function httpIngest({
  dataDir,
  databaseFlags,
  messages,
  corpusPath,
  say,
}: BenchContext): Promise<Figure[]> {
  const bodies: string[] = [];
  for await (const line of readCorpus(await corpusPath(messages, messages + REQUESTS))) {
    bodies.push(`{"sync":false,"message":${line}}`);
  }
  const node = await startNodeProcess(dataDir, databaseFlags);
  try {
    say(`posting ${bodies.length} messages`);
    await eventLoopP99Ms(node.apiUrl);
    let sent = 0;
    const result = await runLoad(node.apiUrl, CONNECTIONS, () => {
      const body = bodies[sent];
      sent += 1;
      return body === undefined ? null : { method: "POST", path: "/api/v0/messages", body };
    });
    expectStatuses(result, 200, 202);
    const { peakRssMb, cpuSeconds } = node.usage();
    return [
      {
        name: `POST of one message, ${CONNECTIONS} connections`,
        value: result.perSecond,
        unit: "messages/s",
        target: ">= 1500",
        remark: `the generator took ${result.generatorCores.toFixed(2)} of a core`,
      },
      {
        name: "POST of one message, p99",
        value: quantile(result.latenciesMs, 0.99),
        unit: "ms",
        target: "<= 100",
      },
      { name: "POST of one message, p50", value: quantile(result.latenciesMs, 0.5), unit: "ms" },
      {
        name: "POST, processor time of the node",
        value: (cpuSeconds / bodies.length) * 1e6,
        unit: "us/message",
      },
      { name: "POST, peak resident memory", value: peakRssMb, unit: "MB", target: "<= 400" },
      {
        name: "event-loop delay of the main thread while posting, p99",
        value: await eventLoopP99Ms(node.apiUrl),
        unit: "ms",
        target: "<= 50",
      },
    ];
  } finally {
    await node.stop();
  }
}

/** What the node itself says in its metrics, since they were asked for the last time. */
async function eventLoopP99Ms(apiUrl: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  const match = /^twentysix_event_loop_delay_seconds\{statistic="p99"\} ([\d.e+-]+)$/m.exec(text);
  if (match === null) throw new Error("The metrics tell no event-loop delay");
  return Number(match[1]) * 1000;
}
