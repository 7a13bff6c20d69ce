import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = [
  "aleph-sdk-python[nuls2,substrate,tezos]==2.4.0",
  "aleph-message==1.7.0",
  "aiohttp==3.14.5",
];
const INSTALL_TIMEOUT_MS = 300_000;

const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const environment = `${root}.cache/python-client`;
const python = `${environment}/bin/python`;

export interface CheckResult {
  readonly check: string;
  /** The trace of what went wrong. */
  readonly problem: string | null;
}

/**
 * The published Python client in an environment of its own, made on the first use and kept in the cache folder of
 * the repository. Gives the reason when it cannot be had: no Python, or no package index.
 */
export function installPythonClient(): string | null {
  const ready = `${environment}/ready`;
  const wanted = PACKAGES.join("\n");
  if (existsSync(ready) && readFileSync(ready, "utf8") === wanted) return null;
  mkdirSync(`${root}.cache`, { recursive: true });
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", "--clear", environment]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]],
  ];
  for (const [command, parameters] of steps) {
    const { status, stderr, error } = spawnSync(command, parameters, {
      encoding: "utf8",
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (status !== 0) {
      return `${command} ${parameters.slice(0, 3).join(" ")}: ${error?.message ?? stderr.trim().slice(-300)}`;
    }
  }
  writeFileSync(ready, wanted);
  return null;
}

/** Runs the checks of `round.py` against a node, one result a check. */
export async function runPythonRound(apiUrl: string, folder: string): Promise<CheckResult[]> {
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
