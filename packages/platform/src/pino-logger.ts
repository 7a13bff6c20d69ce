import { createRequire } from "node:module";
import { destination as fileDestination, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import { serialiseError } from "./error-record.ts";
import type { LogFields, Logger, LogLevel, RecordLevel } from "./logger.ts";

/** Takes finished lines, each with its line feed. */
export interface LogDestination {
  write(line: string): void;
}

export interface PinoLoggerOptions {
  readonly level: LogLevel;
  /** Human-readable lines instead of JSON. Default: whether standard error is a terminal. */
  readonly pretty?: boolean;
  /** Where the lines go. Default: standard error, written at once so that a crash loses none. */
  readonly destination?: LogDestination;
  /** Fields of every record. */
  readonly fields?: LogFields;
}

const STANDARD_ERROR = 2;

/** A logger that writes one JSON object a line (`time` in ISO 8601), or readable lines on a terminal. */
export function createPinoLogger(options: PinoLoggerOptions): Logger {
  const isPretty = options.pretty ?? process.stderr.isTTY === true;
  const destination = options.destination ?? fileDestination({ dest: STANDARD_ERROR, sync: true });
  const logger = pino(
    {
      level: options.level,
      base: { ...options.fields },
      messageKey: "message",
      timestamp: stdTimeFunctions.isoTime,
      serializers: { error: serialiseError },
      formatters: { level: (label) => ({ level: label }) },
    },
    isPretty ? prettify(destination) : destination,
  );
  return wrap(logger);
}

/** Turns each JSON line into readable text on its way out. What does so is loaded for a terminal alone. */
function prettify(destination: LogDestination): LogDestination {
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
  const format = prettyFactory({
    messageKey: "message",
    errorLikeObjectKeys: ["error"],
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
    colorize: process.stderr.isTTY === true && process.env.NO_COLOR === undefined,
  });
  return { write: (line) => destination.write(format(line)) };
}

function wrap(logger: PinoLogger): Logger {
  const writer =
    (level: RecordLevel) =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message);
  return {
    get level() {
      return logger.level as LogLevel;
    },
    trace: writer("trace"),
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    fatal: writer("fatal"),
    child: (fields) => wrap(logger.child(fields)),
    isEnabled: (level) => logger.isLevelEnabled(level),
  };
}
