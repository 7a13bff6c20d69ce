// `node scripts/python-client.mjs`: the published Python client in an environment of its own, made on the first use and
// kept in the cache folder of the repository. Prints a line of JSON: `{"python": PATH}`, or `{"reason": TEXT}` when it
// cannot be had: no Python, or no package index.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = [
  "aleph-sdk-python[nuls2,substrate,tezos]==2.4.0",
  "aleph-message==1.7.0",
  "aiohttp==3.14.5",
];
const INSTALL_TIMEOUT_MS = 300_000;

const root = fileURLToPath(new URL("../", import.meta.url));
const environment = `${root}.cache/python-client`;
const python = `${environment}/bin/python`;

function install() {
  const ready = `${environment}/ready`;
  const wanted = PACKAGES.join("\n");
  if (existsSync(ready) && readFileSync(ready, "utf8") === wanted) return null;
  mkdirSync(`${root}.cache`, { recursive: true });
  const steps = [
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

const reason = install();
process.stdout.write(`${JSON.stringify(reason === null ? { python } : { reason })}\n`);
