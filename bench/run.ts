import { statSync } from "node:fs";
import { join } from "node:path";
import { ensureCorpus, readCorpus } from "./corpus.ts";
import { benchFolder, startBenchNode, uploadFiles } from "./node-under-test.ts";

/*
 * `npm run bench -- --messages N`: durable ingest of signed messages by import, through a whole node. Prints one
 * JSON object; a table beside a baseline is still to come.
 */

const position = process.argv.indexOf("--messages");
const count = position < 0 ? 100_000 : Number(process.argv[position + 1]);
const IN_FLIGHT = 4_096;
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const corpus = await ensureCorpus(count, say);
const folder = benchFolder();
const node = await startBenchNode(folder.path);
await uploadFiles(node.apiUrl);
const running = new Set<Promise<unknown>>();
let textBytes = 0;
const startedMs = performance.now();
for await (const line of readCorpus(corpus)) {
  textBytes += Buffer.byteLength(line);
  if (running.size >= IN_FLIGHT) await Promise.race(running);
  const job: Promise<unknown> = node.core.pipeline
    .submit(line, { origin: "import" })
    .finally(() => running.delete(job));
  running.add(job);
}
await Promise.all(running);
const seconds = (performance.now() - startedMs) / 1000;
const { root } = await node.core.pipeline.stateRoot();
await node.close();
const databaseBytes = statSync(join(folder.path, "core", "messages.sqlite")).size;
folder.remove();
process.stdout.write(
  `${JSON.stringify({ messages: count, perSecond: Math.round(count / seconds), bytesBeyondText: Math.round((databaseBytes - textBytes) / count), root })}\n`,
);
