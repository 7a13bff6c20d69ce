#!/usr/bin/env node
// The launcher: plain JavaScript that runs on Node 20 and brings the command up on the project's Node 24.
import { fileURLToPath } from "node:url";
import { findNode, missingRuntimeMessage } from "./node-runtime.mjs";
import { stopWhenNpmStops } from "./parent-watch.mjs";
import { becomeNode } from "./run-with-node.mjs";

stopWhenNpmStops();
const nodeFile = findNode();
if (nodeFile === process.execPath) {
  const { main } = await import("../src/main.ts");
  await main();
} else if (nodeFile === undefined) {
  process.stderr.write(`${missingRuntimeMessage()}\n`);
  process.exitCode = 1;
} else {
  becomeNode(nodeFile, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}
