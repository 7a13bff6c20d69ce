import {
  createPinoLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
  listenForShutdown,
} from "@twentysix/platform";
import { createNodeCrypto } from "@twentysix/protocol/node";
import { DEFAULT_COMPUTE_SETTINGS } from "../../../src/compute-settings.ts";
import { startComputeNode } from "../../../src/start-compute-node.ts";
import { IMAGES_FOLDER } from "../../images/support.ts";

/** A compute node as a process of its own: `node compute-node-entry.ts DATA-FOLDER CORE-NODE HELPER-COMMAND IPV4-POOL`. */
const [, , dataDir, coreNodeUrl, helper, ipv4Pool] = process.argv;
if (dataDir === undefined || coreNodeUrl === undefined || helper === undefined || ipv4Pool === undefined) {
  throw new Error("needs four words");
}
const clock = createSystemClock();
const node = await startComputeNode(
  {
    ...{ dataDir, apiHost: "127.0.0.1", apiPort: 0, coreNodeUrls: [coreNodeUrl] },
    settings: {
      ...DEFAULT_COMPUTE_SETTINGS,
      network: { ...DEFAULT_COMPUTE_SETTINGS.network, ipv4Pool, firstHostPort: 37_000, lastHostPort: 37_499 },
    },
    helperCommand: JSON.parse(helper) as { command: string; args: string[] },
    ...{
      imagesDir: IMAGES_FOLDER,
      imageBuild: null,
      domainPorts: { http: null, tls: null },
      signer: null,
      forwardHost: "127.0.0.1",
      developerKeys: [],
    },
    ...{ allowsPrivateSources: true, version: "0.1.0", crypto: createNodeCrypto() },
    ...{ clock, timers: createSystemTimers(), random: createSystemRandom() },
    log: createPinoLogger({ level: "warn" }),
  },
  AbortSignal.timeout(120_000),
);
process.stdout.write(`ready ${JSON.stringify({ api: node.apiUrl })}\n`);
listenForShutdown({ onFirst: () => void node.close(), onSecond: () => process.exit(1) }, clock);
