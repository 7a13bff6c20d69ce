// `node guard.mjs PROGRAM ARGS…`: runs a program that knows nothing of us, and ends it when whoever started us is
// gone: the channel between us closes, however that process ended.
import { spawn } from "node:child_process";

const [program, ...args] = process.argv.slice(2);
const KILL_AFTER_MS = 4_000;

if (process.connected && program !== undefined) {
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  const stop = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
  };
  process.once("disconnect", stop);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, stop);
  child.on("error", (error) => {
    process.stderr.write(`cannot run ${program}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (exitCode) => process.exit(exitCode ?? 1));
}
