import type { Reason } from "../model/reason.ts";

/** Where a migration is; written before each step, so that it goes on after a restart. */
export type MigrationStep = "export" | "import" | "switched" | "rollback" | "finished";

export interface ExportedFile {
  readonly name: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly download_path: string;
}

export interface MigrationJob {
  readonly vmHash: string;
  readonly source: string;
  readonly target: string;
  readonly step: MigrationStep;
  readonly startedAtMs: number;
  readonly reason: Reason;
  /** Targets on which an import failed. */
  readonly failedTargets: readonly string[];
  /** Migrations of this machine that failed in a row. */
  readonly attempts: number;
  /** Not tried again before; only of finished ones. */
  readonly notBeforeMs: number | null;
  /** Its node says that it cannot be exported. */
  readonly isImpossible: boolean;
  readonly error: string | null;
}
