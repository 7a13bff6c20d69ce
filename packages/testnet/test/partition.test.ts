import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const EXPERIMENT = fileURLToPath(new URL("../../../bench/experiments/partition.ts", import.meta.url));

interface Report {
  readonly outcomes: readonly { readonly messagesMeanwhile: number; readonly agreedSeconds: number }[];
}

const possible: { readonly skipped?: string } = JSON.parse(
  execFileSync(process.execPath, [EXPERIMENT, "--check"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }),
);
const skip = possible.skipped ?? false;

describe("nodes on machines of their own", { timeout: 240_000, skip }, () => {
  // Ten seconds are longer than it takes to notice a dead link.
  test("have one state root soon after two halves that wrote meanwhile are joined again, without any chain", async () => {
    const flags = ["--nodes", "4", "--scenarios", "halves", "--cut-seconds", "10", "--target-seconds", "120"];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXPERIMENT, ...flags]);
    const { outcomes } = JSON.parse(stdout) as Report;
    assert.equal(outcomes.length, 1, stderr);
    assert.ok(outcomes.every(({ messagesMeanwhile }) => messagesMeanwhile > 20));
  });
});
