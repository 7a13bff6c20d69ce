import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { createNodeCrypto } from "@twentysix/protocol/node";
import { type ComputeSettings, DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import type { ComputeNodeOptions, RunningComputeNode } from "../../src/start/compute-node-options.ts";
import { startComputeNode } from "../../src/start-compute-node.ts";
import { IMAGES_FOLDER } from "../images/support.ts";
import { endTestHost } from "./end-test-host.ts";
import { tellAccelerator } from "./tell-accelerator.ts";

const HELPER = fileURLToPath(new URL("../instances/support/instance-helper.ts", import.meta.url));

const IMAGES = { imagesDir: IMAGES_FOLDER, imageBuild: null };

export interface TestComputeNode extends AsyncDisposable {
  readonly node: RunningComputeNode;
  readonly dataDir: string;
  /** With what else is said of its images, where that is given. */
  restart(imageBuild?: ComputeNodeOptions["imageBuild"]): Promise<void>;
}

/** A whole compute node on this host, with a helper of its own. */
export async function startTestComputeNode(
  coreNodeUrls: readonly string[],
  changes: Partial<ComputeSettings> = {},
  images: Pick<ComputeNodeOptions, "imageBuild"> & { readonly imagesDir: string } = IMAGES,
  vsockProgram?: string,
): Promise<TestComputeNode> {
  const dataDir = mkdtempSync(join(tmpdir(), "compute-"));
  chmodSync(dataDir, 0o711);
  const dir = join(dataDir, "compute");
  const ipv4Pool = changes.network?.ipv4Pool ?? "10.236.0.0/16";
  const vsock = vsockProgram === undefined ? [] : [vsockProgram];
  const args = [HELPER, dir, images.imagesDir, ipv4Pool, ...vsock];
  const helperCommand = { command: process.execPath, args };
  const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
  const log = createPinoLogger({ level: "error" });
  const settings: ComputeSettings = {
    ...DEFAULT_COMPUTE_SETTINGS,
    network: { ...DEFAULT_COMPUTE_SETTINGS.network, ipv4Pool, firstHostPort: 36_000, lastHostPort: 36_499 },
    ...changes,
  };
  const start = (imageBuild: ComputeNodeOptions["imageBuild"]): Promise<RunningComputeNode> =>
    startComputeNode(
      {
        ...{ dataDir, apiHost: "127.0.0.1", apiPort: 0, coreNodeUrls, settings, helperCommand },
        ...{
          imagesDir: images.imagesDir,
          imageBuild,
          domainPorts: { http: 0, tls: 0 },
          signer: null,
          forwardHost: "127.0.0.1",
          developerKeys: [],
        },
        ...{ allowsPrivateSources: true, version: "0.1.0", crypto: createNodeCrypto() },
        ...{ clock, timers, random, log },
      },
      AbortSignal.timeout(120_000),
    );
  let node = await start(images.imageBuild);
  await tellAcceleratorOf(node.apiUrl);
  return {
    dataDir,
    get node() {
      return node;
    },
    async restart(imageBuild = images.imageBuild) {
      await node.close();
      node = await start(imageBuild);
    },
    async [Symbol.asyncDispose]() {
      await node.close();
      await endTestHost(dir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function tellAcceleratorOf(apiUrl: string): Promise<void> {
  const config = await (await fetch(`${apiUrl}/status/config`)).json();
  tellAccelerator((config as { twentysix: { accelerator: "kvm" | "tcg" } }).twentysix.accelerator);
}
