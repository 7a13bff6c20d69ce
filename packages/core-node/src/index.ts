export { REQUEST_COSTS } from "./api/http/rate-limit.ts";
export { type ApiSettings, DEFAULT_API_SETTINGS } from "./api/settings.ts";
export { assertDatabase } from "./archive/assert-database.ts";
export { ExportPositionError, ImportOutOfRoomError, NoDatabaseError } from "./archive/errors.ts";
export { type ExportOptions, type ExportReport, exportMessages } from "./archive/export-messages.ts";
export {
  type ImportOptions,
  type ImportProblem,
  type ImportReport,
  type ImportServices,
  importMessages,
} from "./archive/import-messages.ts";
export { type VerifyReport, verifyData } from "./archive/verify-data.ts";
export { type CoreNode, type CoreNodeOptions, startCoreNode } from "./core-node.ts";
export { type DataPaths, dataPaths } from "./data-paths.ts";
export { PipelineError, type PipelineErrorCode } from "./pipeline/errors.ts";
export { Pipeline, type PipelineOptions } from "./pipeline/pipeline.ts";
export { stateRulesOf } from "./pipeline/state-rules.ts";
export type { CopyResult } from "./pipeline/writer/jobs.ts";
export { folderBytes } from "./services/disk-usage.ts";
