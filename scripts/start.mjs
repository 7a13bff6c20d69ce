// `npm start [-- FLAGS]`: sets up what is missing, then runs a node. One process under npm rather than two
// commands for a shell, because a shell would keep the signals that npm passes on to itself.
import { fileURLToPath } from "node:url";
import { prepareRepository } from "./installation.mjs";

if (await prepareRepository()) {
  const launcher = new URL("../packages/cli/bin/twentysix.mjs", import.meta.url);
  process.argv.splice(1, 1, fileURLToPath(launcher), "node");
  await import(launcher.href);
} else {
  process.exitCode = 1;
}
