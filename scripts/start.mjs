// `npm start [-- FLAGS]`: sets up what is missing, then runs a node. One process under npm rather than two
// commands for a shell, because a shell would keep the signals that npm passes on to itself.
import { fileURLToPath } from "node:url";
import { prepareRepository } from "./installation.mjs";
import { prepareVirtualMachines } from "./virtual-machines.mjs";

/** Whoever chooses a network, roles or a config file says what the node does. */
const CHOICES = ["--roles", "--network", "--config", "--help", "-h"];
const VARIABLES = ["TWENTYSIX_ROLES", "TWENTYSIX_NETWORK", "TWENTYSIX_CONFIG"];
const ALL_ROLES = ["--roles", "ccn,authority,crn,scheduler"];

if (await prepareRepository()) {
  const launcher = new URL("../packages/cli/bin/twentysix.mjs", import.meta.url);
  const flags = process.argv.slice(2);
  process.argv.splice(1, 1, fileURLToPath(launcher), "node");
  // A cloud of one machine, where machines can be started.
  if (!hasChosen(flags) && prepareVirtualMachines()) process.argv.push(...ALL_ROLES);
  await import(launcher.href);
} else {
  process.exitCode = 1;
}

function hasChosen(flags) {
  const isChoice = (flag) => CHOICES.some((name) => flag === name || flag.startsWith(`${name}=`));
  return flags.some(isChoice) || VARIABLES.some((name) => process.env[name] !== undefined);
}
