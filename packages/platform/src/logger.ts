/** From the most to the least talkative; `silent` writes nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** The levels that a record can have. */
export type RecordLevel = Exclude<LogLevel, "silent">;

/** What a record says beside its message. Put an error under `error`: its code, details and cause are kept. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where events of the program are told. Injected; a component gets a child named after it. */
export interface Logger {
  readonly level: LogLevel;
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** A logger whose records all carry these fields too. */
  child(fields: LogFields): Logger;
  /** Whether a record of this level would be written: ask before computing costly fields. */
  isEnabled(level: RecordLevel): boolean;
}
