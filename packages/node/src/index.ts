export { startCloudNode } from "./cloud/start-cloud-node.ts";
export { DataDirInUseError } from "./data-lock.ts";
export { IdentityError } from "./identity.ts";
export { loadNetwork } from "./network.ts";
export { SettingError } from "./setting-error.ts";
export { type RunningNode, type ServingNode, startNode, startReplicaNode } from "./start-node.ts";
export { exportMessages, type ImportReport, importMessages, verifyDataDir } from "./tasks.ts";
export { VERSION } from "./version.ts";
