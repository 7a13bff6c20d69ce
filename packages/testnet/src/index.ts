/** Whole networks on one machine, each node a process of its own. */

export type { TestnetAccount } from "./accounts.ts";
export { TestnetError, type TestnetErrorCode } from "./errors.ts";
export type { KeepingRule } from "./network-file.ts";
export type { NodeFigures } from "./node-api.ts";
export type { ProductCommand } from "./processes/core-node-process.ts";
export {
  type NodeState,
  startTestnet,
  type Testnet,
  type TestnetFacts,
  type TestnetOptions,
} from "./start-testnet.ts";
