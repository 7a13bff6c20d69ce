/** The door of what works on the data of a node that is stopped: export, import, verification. */
export { assertDatabase } from "./archive/assert-database.ts";
export { ExportPositionError, ImportOutOfRoomError, NoDatabaseError } from "./archive/errors.ts";
export { type ExportOptions, type ExportReport, exportMessages } from "./archive/export-messages.ts";
export { type ImportOptions, type ImportServices, importMessages } from "./archive/import-messages.ts";
export type { ImportProblem, ImportReport } from "./archive/import-report.ts";
export { type VerifyReport, verifyData } from "./archive/verify-data.ts";
