import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { createVirtualTime, listenForShutdown } from "../src/index.ts";

function setUp() {
  const time = createVirtualTime();
  const source = new EventEmitter();
  const told: string[] = [];
  const stop = listenForShutdown(
    {
      onFirst: (signal) => told.push(`first ${signal}`),
      onSecond: (signal) => told.push(`second ${signal}`),
    },
    time.clock,
    source,
  );
  return { time, source, told, stop };
}

test("copies of one key press count once, a later signal is a second wish", async () => {
  const { time, source, told } = setUp();
  source.emit("SIGINT", "SIGINT");
  source.emit("SIGINT", "SIGINT");
  await time.advance(100);
  source.emit("SIGTERM", "SIGTERM");
  assert.deepEqual(told, ["first SIGINT"]);
  await time.advance(200);
  source.emit("SIGTERM", "SIGTERM");
  assert.deepEqual(told, ["first SIGINT", "second SIGTERM"]);
});

test("nothing is heard, and no listener is left, after it is told to stop", () => {
  const { source, told, stop } = setUp();
  stop();
  source.emit("SIGINT", "SIGINT");
  assert.deepEqual(told, []);
  assert.deepEqual(source.eventNames(), []);
});
