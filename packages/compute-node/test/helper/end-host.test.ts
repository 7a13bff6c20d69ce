import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { endHost } from "../../src/helper/end-host.ts";
import { helperSocketOf } from "../../src/helper/helper-folders.ts";
import { HelperServer } from "../../src/helper/helper-server.ts";
import type { HostVerb } from "../../src/helper/host-parts.ts";
import { HypervisorError } from "../../src/hypervisor/errors.ts";

test("a machine that ends by itself meanwhile keeps nobody from ending the rest of its host", async () => {
  using folder = temporaryFolder();
  // In the place of the helper's process.
  const helper = spawn("sleep", ["60"]);
  const ended = once(helper, "exit");
  const lists = [[{ vmHash: "gone" }], []];
  const verbs: Record<string, HostVerb> = {
    hello: async () => ({ pid: helper.pid }),
    list: async () => lists.shift() ?? [],
    kill: async () => {
      throw new HypervisorError("NOT_RUNNING", "gone does not run here");
    },
    inventory: async () => ({ entries: [], orphans: [] }),
  };
  const path = helperSocketOf(folder.path);
  mkdirSync(dirname(path), { recursive: true });
  const log = createMemoryLogger();
  const server = await HelperServer.listen({
    path,
    verbs: new Map(Object.entries(verbs)),
    node: { userId: 0, groupId: 0 },
    isRoot: false,
    log,
    signal: new AbortController().signal,
  });
  const closed = ended.then(() => server[Symbol.asyncDispose]());
  try {
    await endHost(folder.path, { timers: createSystemTimers(), log }, AbortSignal.timeout(20_000));
  } finally {
    helper.kill();
    await closed;
  }
});

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "end-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
