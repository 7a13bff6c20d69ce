#!/usr/bin/env node
// The launcher: plain JavaScript that runs on Node 20 and brings the command up on the project's Node 24.
import { fileURLToPath } from "node:url";
import { findNode, missingRuntimeMessage } from "./node-runtime.mjs";
import { stopWhenChannelCloses, stopWithParent } from "./parent-watch.mjs";
import { becomeNode, replaceProcess } from "./run-with-node.mjs";
import { isTuned, RUNTIME_FLAGS, tunedEnvironment } from "./runtime-tuning.mjs";

/** Lives for whoever called it, and ends with it. */
const watching = { always: process.argv[2] === "up" };
stopWhenChannelCloses();
const nodeFile = findNode();
const args = [...RUNTIME_FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
if (nodeFile === undefined) {
  process.stderr.write(`${missingRuntimeMessage()}\n`);
  process.exitCode = 1;
} else if (nodeFile !== process.execPath) {
  stopWithParent(watching);
  becomeNode(nodeFile, args, tunedEnvironment());
} else {
  if (!isTuned()) replaceProcess(nodeFile, args, tunedEnvironment());
  stopWithParent(watching);
  const { main } = await import("../src/main.ts");
  await main();
}
