export { type ApiSettings, DEFAULT_API_SETTINGS } from "./api/settings.ts";
export {
  type ExportOptions,
  ExportPositionError,
  type ExportReport,
  exportMessages,
} from "./archive/export-messages.ts";
export { type ImportOptions, type ImportReport, importMessages } from "./archive/import-messages.ts";
export { type VerifyReport, verifyData } from "./archive/verify-data.ts";
export { type CoreNode, type CoreNodeOptions, startCoreNode } from "./core-node.ts";
export { type DataPaths, dataPaths } from "./data-paths.ts";
export { PipelineError, type PipelineErrorCode } from "./pipeline/errors.ts";
export { Pipeline, type PipelineOptions } from "./pipeline/pipeline.ts";
export { stateRulesOf } from "./pipeline/state-rules.ts";
export type { CopyResult } from "./pipeline/writer/jobs.ts";
