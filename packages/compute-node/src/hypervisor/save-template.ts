import { chmodSync, createWriteStream, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { raceAbort, type Timers } from "@twentysix/platform";
import { HypervisorError } from "./errors.ts";
import type { RunningVm } from "./hypervisor.ts";

const POLL_MS = 10;

/**
 * Stops a machine and writes the state of its devices beside its memory, which is in its file already. QEMU may start
 * no program and open no file for this: it writes into a socket of ours.
 *
 * @throws HypervisorError TEMPLATE_FAILED
 */
export async function saveTemplate(
  vm: RunningVm,
  folder: string,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  const capabilities = [{ capability: "x-ignore-shared", state: true }];
  await vm.qmp("migrate-set-capabilities", { capabilities }, signal);
  await vm.qmp("stop", {}, signal);
  const partial = join(folder, "state.partial");
  const receiver = await receive(join(vm.runDir, "work"), partial, signal);
  try {
    await vm.qmp("migrate", { uri: "unix:work/state.sock" }, signal);
    await migrated(vm, timers, signal);
    await raceAbort(receiver.written, signal);
  } finally {
    receiver.server.close();
  }
  renameSync(partial, join(folder, "state"));
  // The answer may be lost in its end.
  await vm.qmp("quit", {}, signal).catch((error: unknown) => {
    if (!(error instanceof HypervisorError && error.code === "QMP_CLOSED")) throw error;
  });
}

/** Takes one connection, and writes what comes to a file. */
async function receive(
  folder: string,
  file: string,
  signal: AbortSignal,
): Promise<{ readonly server: Server; readonly written: Promise<void> }> {
  const path = join(folder, "state.sock");
  rmSync(path, { force: true });
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = createServer(resolve);
  server.maxConnections = 1;
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(path, listening);
  });
  // The machine's user is another one; nobody else reaches the folder.
  chmodSync(path, 0o666);
  const written = promise.then((socket) =>
    pipeline(socket, createWriteStream(file, { mode: 0o600 }), { signal }),
  );
  written.catch(() => undefined);
  return { server, written };
}

async function migrated(vm: RunningVm, timers: Timers, signal: AbortSignal): Promise<void> {
  for (;;) {
    const progress = await vm.qmp<{ readonly status?: string; readonly "error-desc"?: string }>(
      "query-migrate",
      {},
      signal,
    );
    if (progress.status === "completed") return;
    if (progress.status === "failed" || progress.status === "cancelled") {
      const reason = progress["error-desc"] ?? progress.status;
      throw new HypervisorError("TEMPLATE_FAILED", `the state of ${vm.vmHash} was not saved: ${reason}`);
    }
    await timers.sleep(POLL_MS, signal);
  }
}
