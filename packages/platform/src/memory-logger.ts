import type { LogFields, Logger, RecordLevel } from "./logger.ts";

export interface LogRecord {
  readonly level: RecordLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its records, for tests and for tools that show them later. */
export interface MemoryLogger extends Logger {
  readonly records: readonly LogRecord[];
}

/** @param maxRecords the oldest records are forgotten beyond this. */
export function createMemoryLogger(maxRecords = 10_000): MemoryLogger {
  const records: LogRecord[] = [];
  const logger = (inherited: LogFields): MemoryLogger => {
    const writer =
      (level: RecordLevel) =>
      (message: string, fields: LogFields = {}): void => {
        records.push({ level, message, fields: { ...inherited, ...fields } });
        if (records.length > maxRecords) records.shift();
      };
    return {
      records,
      level: "trace",
      trace: writer("trace"),
      debug: writer("debug"),
      info: writer("info"),
      warn: writer("warn"),
      error: writer("error"),
      fatal: writer("fatal"),
      child: (fields) => logger({ ...inherited, ...fields }),
      isEnabled: () => true,
    };
  };
  return logger({});
}
