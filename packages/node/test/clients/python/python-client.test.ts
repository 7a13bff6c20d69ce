import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createEvmAccount } from "@twentysix/protocol";
import { giveCredits, giveTokens } from "../../support/funds.ts";
import { putRaw, rawAccount } from "../../support/raw-messages.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { startTestNode } from "../../support/test-node.ts";
import { installPythonClient, runPythonRound } from "./python-client.ts";

const installed = installPythonClient();
const script = readFileSync(new URL("./round.py", import.meta.url), "utf8");
const checks = [...script.matchAll(/^@check\nasync def (\w+)/gm)].map(([, name]) => name);

/** The local network, on which the printable form counts that the Python client signs for NULS 1. */
function networkFile(folder: string): string {
  const local = JSON.parse(
    readFileSync(new URL("../../../../../networks/local.json", import.meta.url), "utf8"),
  );
  const path = join(folder, "network.json");
  writeFileSync(path, JSON.stringify({ ...local, switches: { ...local.switches, nulsPrintableForm: true } }));
  return path;
}

const skip = "reason" in installed && installed.reason;

test("the published Python client", { skip, timeout: 300_000 }, async (context) => {
  assert.ok("python" in installed);
  using folder = temporaryFolder("python");
  const node = await startTestNode({ network: networkFile(folder.path) });
  context.after(() => node.remove());
  const { itemHash } = await putRaw(node, {
    account: rawAccount("confirmed"),
    type: "POST",
    members: '"type":"note","content":{"confirmed":true}',
  });
  await node.core.pipeline.confirm({
    hash: itemHash,
    chain: "ETH",
    txHash: `0x${"9f".repeat(32)}`,
    height: 18_500_000,
    timeMicros: 1_700_000_100_250_000n,
    publisher: "0xPublisher",
  });
  // The account of the round, whose key is 32 bytes of 1: its machines are paid for.
  const payer = createEvmAccount({ privateKey: new Uint8Array(32).fill(1) }).address;
  await giveTokens(node, { [payer]: 10_000 });
  await giveCredits(node, payer, 100_000_000);
  const results = await runPythonRound(installed.python, node.apiUrl, folder.path);
  assert.deepEqual(
    results.map(({ check }) => check),
    checks,
  );
  for (const { check, problem } of results) {
    await context.test(check.replaceAll("_", " "), () => {
      assert.equal(problem, null, problem ?? "");
    });
  }
});
