import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { HelperHypervisor } from "../../../src/hypervisor/helper-hypervisor.ts";
import { IMAGES_FOLDER } from "../../images/support.ts";
import { endTestHost } from "../../support/end-test-host.ts";
import { tellAccelerator } from "../../support/tell-accelerator.ts";

const ENTRY = fileURLToPath(new URL("./compute-node-entry.ts", import.meta.url));
const HELPER = fileURLToPath(new URL("../../instances/support/instance-helper.ts", import.meta.url));
const IPV4_POOL = "10.237.0.0/16";

/** A whole compute node as a process of its own. */
export interface ComputeProcess extends AsyncDisposable {
  readonly url: string;
  /** Processes of its machines, by the hash of each. */
  machines(): Promise<ReadonlyMap<string, number>>;
  /** SIGKILL: it runs no further instruction. Another one is started on its folder. */
  killAndRestart(): Promise<void>;
}

export async function startComputeProcess(coreNodeUrl: string): Promise<ComputeProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), "compute-"));
  chmodSync(dataDir, 0o711);
  const dir = join(dataDir, "compute");
  const helper = { command: process.execPath, args: [HELPER, dir, IMAGES_FOLDER, IPV4_POOL] };
  const start = () => startEntry([ENTRY, dataDir, coreNodeUrl, JSON.stringify(helper), IPV4_POOL]);
  let { child, url } = await start();
  const hypervisor = await HelperHypervisor.open(
    { dir, command: null, timers: createSystemTimers(), log: createMemoryLogger() },
    AbortSignal.timeout(60_000),
  );
  tellAccelerator(hypervisor.capabilities().accelerator);
  const signal = AbortSignal.timeout(1_200_000);
  return {
    get url() {
      return url;
    },
    async machines() {
      const running = await hypervisor.list(signal);
      return new Map(running.map(({ vmHash, pid }) => [vmHash, pid]));
    },
    async killAndRestart() {
      child.kill("SIGKILL");
      await once(child, "close");
      ({ child, url } = await start());
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await once(child, "close");
      hypervisor[Symbol.dispose]();
      await endTestHost(dir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function startEntry(
  words: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const flags = ["--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const ready = /^ready (\{.*\})$/m.exec(said);
      if (ready?.[1] !== undefined) resolve((JSON.parse(ready[1]) as { readonly api: string }).api);
    });
    child.once("close", () => reject(new Error("the compute node ended before it was ready")));
  });
  return { child, url };
}
