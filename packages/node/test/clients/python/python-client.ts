import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const INSTALL = fileURLToPath(new URL("../../../../../scripts/python-client.mjs", import.meta.url));

export interface CheckResult {
  readonly check: string;
  /** The trace of what went wrong. */
  readonly problem: string | null;
}

/** The Python of an environment that has the published client, or why there is none. */
export function installPythonClient(): { readonly python: string } | { readonly reason: string } {
  return JSON.parse(execFileSync(process.execPath, [INSTALL], { encoding: "utf8" }));
}

/** Runs the checks of `round.py` against a node, one result a check. */
export async function runPythonRound(python: string, apiUrl: string, folder: string): Promise<CheckResult[]> {
  const script = fileURLToPath(new URL("./round.py", import.meta.url));
  const child = spawn(python, [script, apiUrl, folder], { cwd: folder });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const [exitCode] = await once(child, "close");
  if (exitCode !== 0) throw new Error(`the checks ended with code ${exitCode}: ${output.stderr}`);
  return output.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CheckResult);
}
