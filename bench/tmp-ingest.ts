import { statSync } from "node:fs";
import { join } from "node:path";
import { ensureCorpus, readCorpus } from "./corpus.ts";
import { benchFolder, startBenchNode, uploadFiles } from "./node-under-test.ts";

const N = Number(process.argv[2] ?? 100000);
const path = await ensureCorpus(N, console.log);
const folder = benchFolder();
const node = await startBenchNode(folder.path);
await uploadFiles(node.apiUrl);
let inflight = 0,
  n = 0;
const stat: Record<string, number> = {};
let text = 0;
let last = performance.now(),
  lastN = 0;
const t0 = last;
let release: (() => void) | null = null;
for await (const line of readCorpus(path)) {
  text += line.length;
  if (inflight >= 4096)
    await new Promise<void>((r) => {
      release = r;
    });
  inflight++;
  node.core.pipeline.submit(line, { origin: "import" }).then((r) => {
    inflight--;
    n++;
    const k = r.status + (r.errorCode ?? "");
    stat[k] = (stat[k] ?? 0) + 1;
    release?.();
    release = null;
    if (n % 20000 === 0) {
      const now = performance.now();
      console.log(
        n,
        Math.round((n - lastN) / ((now - last) / 1000)) + "/s",
        "rss",
        Math.round(process.memoryUsage.rss() / 1e6),
        "wal",
        Math.round(
          (statSync(join(folder.path, "core/messages.sqlite-wal"), { throwIfNoEntry: false })?.size ?? 0) /
            1e6,
        ),
        "db",
        Math.round(statSync(join(folder.path, "core/messages.sqlite")).size / 1e6),
      );
      last = now;
      lastN = n;
    }
  });
}
while (inflight > 0) await new Promise((r) => setTimeout(r, 5));
console.log(stat, Math.round(N / ((performance.now() - t0) / 1000)) + "/s");
const t1 = performance.now();
console.log(await node.core.pipeline.stateRoot(), Math.round(performance.now() - t1) + "ms");
await node.close();
const db = statSync(join(folder.path, "core/messages.sqlite")).size;
console.log("bytes per message beyond text", Math.round((db - text) / N), "db", db / 1e6, "text", text / 1e6);
folder.remove();
