// Plain JavaScript that runs on Node 20: it executes a script in another Node and stands aside.
import { spawn } from "node:child_process";

const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs `args` in the given runtime as if it were this process: it shares the standard streams, gets every
 * signal, and its end (exit code or signal) becomes ours. An IPC channel tells it when this process dies
 * without being able to say so (SIGKILL), so that no orphan stays behind.
 */
export function becomeNode(nodeFile, args, env = process.env) {
  const child = spawn(nodeFile, args, { env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
  const forward = (signal) => child.kill(signal);
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);

  child.on("error", (error) => {
    process.stderr.write(`cannot run ${nodeFile}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (exitCode, signal) => {
    for (const name of FORWARDED_SIGNALS) process.off(name, forward);
    if (signal === null) process.exit(exitCode);
    process.kill(process.pid, signal);
  });
}

/**
 * Puts another run of the runtime into the place of this process: same number, same streams, no parent left over.
 * Returns where the system cannot do that, so that the caller goes on as it is.
 */
export function replaceProcess(nodeFile, args, env) {
  // Windows cannot; and a parent that talks to us over an IPC channel would lose it.
  if (process.platform === "win32" || process.execve === undefined || process.connected) return;
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.stack ?? warning.message}\n`);
  });
  process.execve(nodeFile, [nodeFile, ...args], env);
}
