import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { HelperGreeting } from "../../../src/helper/helper-protocol.ts";
import { HelperHypervisor } from "../../../src/hypervisor/helper-hypervisor.ts";
import type { VmSpec } from "../../../src/hypervisor/vm-spec.ts";
import { endTestHost } from "../../support/end-test-host.ts";
import { tellAccelerator } from "../../support/tell-accelerator.ts";
import { guestImage } from "./guest-image.ts";

const ENTRY = fileURLToPath(new URL("./helper-entry.ts", import.meta.url));
export const TIME = 60_000;

/** A folder of a compute node with its hypervisor; its machines and its helper end with it. */
export interface TestHost extends AsyncDisposable {
  readonly dir: string;
  /** Of the first node. */
  readonly hypervisor: HelperHypervisor;
  /** Another node on the same folder: sees the same machines. */
  connect(): Promise<HelperHypervisor>;
  helperPid(): Promise<number>;
  /** All nodes go: nobody starts the helper again until there is one. */
  disconnect(): void;
  reconnect(): Promise<void>;
  /** A small machine that boots the guest of these tests. */
  spec(vmNumber: number, changes?: Partial<VmSpec>): VmSpec;
}

/** `entry`: the program of the helper, which is told the folder of the node and that of the images. */
export async function createTestHost(entry = ENTRY): Promise<TestHost> {
  const image = await guestImage();
  const dir = mkdtempSync(join(tmpdir(), "vm-"));
  // As the node's own folder: nobody else reaches what is inside.
  chmodSync(dir, 0o700);
  const clients: HelperHypervisor[] = [];
  const connect = async (): Promise<HelperHypervisor> => {
    const options = {
      dir,
      command: { command: process.execPath, args: [entry, dir, dirname(image.kernelPath)] },
      timers: createSystemTimers(),
      log: createMemoryLogger(),
    };
    const client = await HelperHypervisor.open(options, AbortSignal.timeout(2 * TIME));
    clients.push(client);
    return client;
  };
  // What the host can do is tried once for all tests.
  const tried = join(tmpdir(), `twentysix-abilities-${process.getuid?.()}.json`);
  const abilities = join(dir, "helper", "abilities.json");
  mkdirSync(dirname(abilities), { mode: 0o700 });
  if (existsSync(tried)) copyFileSync(tried, abilities);
  let hypervisor = await connect();
  tellAccelerator(hypervisor.capabilities().accelerator);
  copyFileSync(abilities, `${tried}.${process.pid}`);
  renameSync(`${tried}.${process.pid}`, tried);
  const hello = async (): Promise<HelperGreeting> =>
    await hypervisor.helper.call<HelperGreeting>("hello", {}, AbortSignal.timeout(TIME));
  return {
    dir,
    get hypervisor() {
      return hypervisor;
    },
    connect,
    disconnect() {
      for (const client of clients) client[Symbol.dispose]();
    },
    async reconnect() {
      hypervisor = await connect();
    },
    helperPid: async () => (await hello()).pid,
    spec: (vmNumber, changes) => ({ ...specOf(vmNumber, image), ...changes }),
    async [Symbol.asyncDispose]() {
      // A test may have ended the helper: this starts it again.
      await hello();
      for (const client of clients) client[Symbol.dispose]();
      await endTestHost(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function specOf(vmNumber: number, image: Awaited<ReturnType<typeof guestImage>>): VmSpec {
  return {
    vmHash: vmNumber.toString(16).padStart(64, "a"),
    vmNumber,
    machine: "microvm",
    vcpus: 1,
    memoryMib: 128,
    kernel: { ...image, arguments: [] },
    drives: [],
    network: { kind: "none" },
    channels: ["aleph.52"],
    hasVsock: false,
    snapshot: null,
    leaseMs: null,
    limits: { overheadMib: 256, maxProcesses: 64, diskBytesPerSecond: null },
  };
}
