import type { LogFields, Logger, RecordLevel } from "@twentysix/platform";
import { toldJson } from "../told-json.ts";
import type { Trace } from "../trace.ts";

const TOLD: ReadonlySet<RecordLevel> = new Set(["info", "warn", "error", "fatal"]);
const GRAVE: ReadonlySet<RecordLevel> = new Set(["error", "fatal"]);

/**
 * Logs of a node in the trace.
 *
 * @param onGrave told of what a node calls an error
 */
export function toldLogger(trace: Trace, name: string, onGrave: (line: string) => void): Logger {
  const logger = (inherited: LogFields): Logger => {
    const writer =
      (level: RecordLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (!TOLD.has(level)) return;
        const line = `${name} ${level}: ${message} ${toldJson({ ...inherited, ...fields })}`;
        trace.add(line);
        if (GRAVE.has(level)) onGrave(line);
      };
    return {
      level: "info",
      trace: () => undefined,
      debug: () => undefined,
      info: writer("info"),
      warn: writer("warn"),
      error: writer("error"),
      fatal: writer("fatal"),
      child: (fields) => logger({ ...inherited, ...fields }),
      isEnabled: (level) => TOLD.has(level),
    };
  };
  return logger({});
}
