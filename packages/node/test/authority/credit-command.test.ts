import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeHex } from "@twentysix/protocol";
import { runCommand } from "../support/node-process.ts";
import { evmAccount, privateKey } from "../support/sdk-client.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import { account, spendableCredits } from "./support/test-authority.ts";

let node: TestNode;
const folder = mkdtempSync(join(tmpdir(), "twentysix-credit-"));
before(async () => {
  node = await startTestNode();
});
after(async () => {
  rmSync(folder, { recursive: true });
  await node.remove();
});

async function credit(...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await runCommand(["credit", ...args, "--node", node.apiUrl]);
  return { exitCode, stderr, report: stdout === "" ? null : JSON.parse(stdout) };
}

function keyFile(name: string, label: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, encodeHex(privateKey(label)));
  chmodSync(path, mode);
  return path;
}

describe("twentysix credit", { timeout: 120_000 }, () => {
  test("grants, sends and shows", async () => {
    const carol = evmAccount("carol of credit");
    const granted = await credit("grant", carol.address.toLowerCase(), "5_000", "--expires", "30d");
    assert.equal(granted.exitCode, 0, granted.stderr);
    assert.deepEqual(
      [granted.report.address, granted.report.amount, granted.report.isNew],
      [carol.address, 5_000, true],
    );
    assert.equal(await spendableCredits(node.apiUrl, carol), 5_000n);

    const sent = await credit("transfer", "bob", "1200", "--key-file", keyFile("carol", "carol of credit"));
    assert.equal(sent.exitCode, 0, sent.stderr);
    assert.deepEqual(sent.report.creditsLeft, 3_800);
    const [portion, ...others] = sent.report.portions;
    assert.deepEqual([portion.amount, others, typeof sent.report.time], [1_200, [], "string"]);
    assert.ok(Date.parse(portion.expirationDate) > Date.now(), "they end when those of the sender do");
    const repeated = await credit(
      ...["transfer", "bob", "1200", "--key-file", join(folder, "carol"), "--nonce", sent.report.nonce],
    );
    assert.deepEqual(repeated.report, { ...sent.report, isNew: false });
    assert.equal(await spendableCredits(node.apiUrl, carol), 3_800n);
    assert.equal(await spendableCredits(node.apiUrl, account("bob")), 1_200n);

    const shown = await credit("show", "bob");
    assert.equal(shown.report.address, account("bob").address);
    assert.equal(shown.exitCode, 0);
  });

  test("does nothing a second time with the same nonce, and tells one that was used otherwise", async () => {
    const dave = evmAccount("dave of credit");
    const first = await credit("grant", dave.address, "7", "--nonce", "order 1");
    const again = await credit("grant", dave.address, "7", "--nonce", "order 1");
    assert.deepEqual(again.report, { ...first.report, isNew: false });
    const other = await credit("grant", dave.address, "8", "--nonce", "order 1");
    assert.deepEqual([other.exitCode, other.report], [1, null]);
    assert.match(other.stderr, /^twentysix credit grant: the nonce was used for another request/);
    assert.equal(await spendableCredits(node.apiUrl, dave), 7n);
  });

  test("says how much is missing", async () => {
    const poor = keyFile("poor", "poor of credit");
    const { exitCode, stderr } = await credit("transfer", "bob", "10", "--key-file", poor);
    assert.equal(exitCode, 1);
    assert.match(stderr, /has 0 credits and 10 are to be sent: insufficient by 10; nothing was sent\n$/);
  });

  const mistakes: [string[], number, RegExp][] = [
    [["grant", "alice", "1.5"], 2, /expected a whole number of credits above 0/],
    [["grant", "alice", "0"], 2, /expected a whole number of credits above 0/],
    [["grant", "alice", "5", "--expires", "soon"], 2, /expected a time from now such as 30d/],
    [["grant", "alice", "5", "--expires", "2020-01-01"], 2, /--expires: that moment has passed/],
    [["grant", "alice", "5", "--network", "mainnet"], 1, /only 0x2E4454.* can issue credits on mainnet/],
    [["grant", account("bob").address.replace("E", "e"), "5"], 1, /has a mistake in it/],
    [["transfer", "bob", "5"], 2, /--from: who sends is not said.* alice, bob/],
    [["transfer", "bob", "5", "--from", "eve"], 2, /--from: who sends is not said/],
    [["show"], 2, /missing required argument 'address'/],
    [["burn"], 2, /unknown command 'burn'/],
  ];
  for (const [args, code, expected] of mistakes) {
    test(`credit ${args.join(" ")} is one line and exit code ${code}`, async () => {
      const { exitCode, stderr } = await runCommand(["credit", ...args]);
      assert.match(stderr, expected);
      assert.equal(exitCode, code);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }

  test("a key file that others can read, and a node that is not there", async () => {
    const open = keyFile("open", "carol of credit", 0o644);
    const refused = await credit("transfer", "bob", "5", "--key-file", open);
    assert.deepEqual([refused.exitCode, /--key-file: others .*chmod 600/.test(refused.stderr)], [2, true]);
    const nowhere = await runCommand(["credit", "show", "alice", "--node", "http://127.0.0.1:9"]);
    assert.equal(nowhere.exitCode, 1);
    const lost = await runCommand([
      "credit",
      "transfer",
      "bob",
      "1",
      "--from",
      "alice",
      "--node",
      "http://127.0.0.1:9",
    ]);
    assert.deepEqual([lost.exitCode, lost.stdout], [1, ""]);
    assert.match(
      lost.stderr,
      /the transfer may have arrived: repeat it with --nonce t[0-9]+-[0-9a-f]{16}\n$/,
    );
    assert.match(nowhere.stderr, /^twentysix credit show: http:\/\/127.0.0.1:9.* cannot be reached/);
  });
});
