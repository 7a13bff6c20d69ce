import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MARK = "TWENTYSIX_TEST_PRIVATE_HOST";

/**
 * Runs tests on a host of their own: the file runs once more in a network namespace where nothing of this machine is,
 * so that forwarding, rules and devices are real and concern nobody. Skipped where this process may not make one.
 */
export function onPrivateHost(fileUrl: string, defineTests: () => void): void {
  if (process.env[MARK] === "1") {
    defineTests();
    return;
  }
  const isRoot = process.getuid?.() === 0;
  test("on a host of its own", {
    skip: isRoot ? false : "needs root to make network namespaces",
  }, async () => {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const file = fileURLToPath(fileUrl);
    // Names of further namespaces are files: they too are of this host alone, and go with it.
    const script =
      'mkdir -p /run/netns && mount -t tmpfs none /run/netns && exec "$0" --test-reporter=spec "$1"';
    const child = spawn("unshare", ["--net", "--mount", "sh", "-c", script, process.execPath, file], {
      env: { ...environment, [MARK]: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => output.push(String(chunk)));
    const [exitCode] = await once(child, "close");
    if (exitCode !== 0) throw new Error(output.join(""));
  });
}
