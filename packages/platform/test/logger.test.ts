import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryLogger, createPinoLogger } from "../src/index.ts";

function collect(): { lines: string[]; destination: { write(line: string): void } } {
  const lines: string[] = [];
  return { lines, destination: { write: (line) => lines.push(line) } };
}

describe("pino logger", () => {
  test("writes one JSON object a line with level, time, message and fields", () => {
    const { lines, destination } = collect();
    const logger = createPinoLogger({ level: "info", pretty: false, destination, fields: { node: "n1" } });
    logger.child({ component: "api" }).info("listening", { port: 4024, bytes: 2n ** 63n });
    logger.debug("not shown");
    assert.equal(lines.length, 1);
    const { time, ...record } = JSON.parse(lines[0] ?? "");
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(
      { ...record, bytes: undefined },
      { level: "info", node: "n1", component: "api", port: 4024, message: "listening", bytes: undefined },
    );
    assert.match(lines[0] ?? "", /9223372036854775808/);
  });

  test("shows an error with its code, details and causes", () => {
    const { lines, destination } = collect();
    const cause = new Error("disk full");
    const error = Object.assign(new Error("cannot store", { cause }), {
      code: "STORE",
      details: { need: 3 },
    });
    createPinoLogger({ level: "info", pretty: false, destination }).error("failed", { error });
    const record = JSON.parse(lines[0] ?? "").error;
    assert.deepEqual(
      [record.name, record.message, record.code, record.details, record.cause.message],
      ["Error", "cannot store", "STORE", { need: 3 }, "disk full"],
    );
    assert.match(record.stack, /logger\.test/);
  });

  test("a circle of causes and a thrown text are no trouble", () => {
    const { lines, destination } = collect();
    const logger = createPinoLogger({ level: "info", pretty: false, destination });
    const circular: Error & { cause?: unknown } = new Error("round");
    circular.cause = circular;
    logger.error("circle", { error: circular });
    logger.error("text", { error: "just text" });
    assert.equal(JSON.parse(lines[0] ?? "").error.cause.message, "round");
    assert.deepEqual(JSON.parse(lines[1] ?? "").error, { message: "just text" });
  });

  test("pretty lines are for people, not JSON", () => {
    const { lines, destination } = collect();
    createPinoLogger({ level: "info", pretty: true, destination }).warn("low disk", { freeBytes: 12 });
    assert.match(lines.join(""), /WARN.*low disk/);
    assert.match(lines.join(""), /freeBytes: 12/);
  });

  test("says whether a level would be written", () => {
    const { destination } = collect();
    const logger = createPinoLogger({ level: "warn", pretty: false, destination });
    assert.deepEqual(
      [logger.level, logger.isEnabled("info"), logger.isEnabled("error")],
      ["warn", false, true],
    );
  });
});

test("the memory logger keeps records with the fields of its ancestors, up to its bound", () => {
  const logger = createMemoryLogger(2);
  logger.info("first");
  logger.child({ component: "writer" }).child({ batch: 3 }).warn("slow", { tookMs: 40 });
  logger.error("last");
  assert.deepEqual(logger.records, [
    { level: "warn", message: "slow", fields: { component: "writer", batch: 3, tookMs: 40 } },
    { level: "error", message: "last", fields: {} },
  ]);
});
