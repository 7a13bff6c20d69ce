// `npm run test:vm [-- --short] [--sequences N] [--seed S] [PATH...]`: the tests in virtual machines that take longer than
// `npm test` may. `--short` leaves out what takes longest.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const args = process.argv.slice(2);
const isShort = args.includes("--short");

/** Takes a flag with its value out of the arguments. */
function flagValue(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

const sequences =
  flagValue("--sequences") ?? process.env.TWENTYSIX_TEST_VM_SEQUENCES ?? (isShort ? "10" : "20");
/** Each ends after four minutes at the latest, and takes less than half a minute as a rule. */
const fileTimeoutMs = 15 * 60_000 + Number(sequences) * 30_000;
const seed = flagValue("--seed");
const paths = args.filter((arg) => arg !== "--short");
const environment = {
  ...process.env,
  TWENTYSIX_TEST_VM: isShort ? "short" : "long",
  TWENTYSIX_TEST_VM_SEQUENCES: sequences,
  TWENTYSIX_TEST_FILE_TIMEOUT_MS: String(fileTimeoutMs),
  ...(seed === undefined ? {} : { TWENTYSIX_TEST_VM_SEED: seed }),
};
const runner = fileURLToPath(new URL("./run-tests.mjs", import.meta.url));
const child = spawn(process.execPath, [runner, ...paths], { env: environment, stdio: "inherit" });
child.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
