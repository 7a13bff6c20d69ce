#!/usr/bin/env node
// The launcher: plain JavaScript that runs on Node 20 and brings the command up on the project's Node 24.
import { fileURLToPath } from "node:url";
import { findNode, missingRuntimeMessage } from "./node-runtime.mjs";
import { stopWhenNpmStops } from "./parent-watch.mjs";
import { becomeNode, replaceProcess } from "./run-with-node.mjs";
import { isTuned, RUNTIME_FLAGS, tunedEnvironment } from "./runtime-tuning.mjs";

const nodeFile = findNode();
const args = [...RUNTIME_FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
if (nodeFile === undefined) {
  process.stderr.write(`${missingRuntimeMessage()}\n`);
  process.exitCode = 1;
} else if (nodeFile !== process.execPath) {
  stopWhenNpmStops();
  becomeNode(nodeFile, args, tunedEnvironment());
} else {
  if (!isTuned()) replaceProcess(nodeFile, args, tunedEnvironment());
  stopWhenNpmStops();
  const { main } = await import("../src/main.ts");
  await main();
}
