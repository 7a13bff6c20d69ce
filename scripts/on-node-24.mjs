// Plain JavaScript for scripts that may be launched by an older Node than they need.
import { fileURLToPath } from "node:url";
import { findNode } from "../packages/cli/bin/node-runtime.mjs";
import { becomeNode } from "../packages/cli/bin/run-with-node.mjs";
import { prepareRepository } from "./installation.mjs";

/**
 * Sets up what is missing, then runs `main` if this process is recent enough;
 * otherwise the same script again in the project's own Node.
 */
export async function onNode24(scriptUrl, main) {
  const isReady = await prepareRepository();
  const nodeFile = isReady ? findNode() : undefined;
  if (nodeFile === undefined) {
    process.exitCode = 1;
  } else if (nodeFile === process.execPath) {
    await main(process.argv.slice(2));
  } else {
    becomeNode(nodeFile, [fileURLToPath(scriptUrl), ...process.argv.slice(2)]);
  }
}
