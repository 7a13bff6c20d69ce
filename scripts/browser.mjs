// The browser in which the pages of the node are tested: Debian's Chromium, installed where this process may.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const CHROMIUM = "/usr/bin/chromium";

/** Installs the browser unless it is there; false when that is not possible here. Says what it does. */
export function prepareBrowser() {
  if (existsSync(CHROMIUM)) return true;
  if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0) {
    process.stderr.write(`setup: ${CHROMIUM} is missing and only root on Debian can install it from here\n`);
    return false;
  }
  process.stderr.write("setup: installing the Debian package chromium\n");
  return apt("update") && apt("install", "--yes", "--no-install-recommends", "chromium");
}

function apt(...args) {
  const { status } = spawnSync("apt-get", ["--quiet", ...args], { stdio: ["ignore", "ignore", "inherit"] });
  return status === 0;
}
