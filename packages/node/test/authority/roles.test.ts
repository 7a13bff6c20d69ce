import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { encodeHex } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { defaultConfig } from "../../src/config/index.ts";
import { loadNetwork } from "../../src/index.ts";
import { rolesOf } from "../../src/roles.ts";
import { eventually } from "../support/eventually.ts";
import { runCommand, startNode } from "../support/node-process.ts";
import { evmAccount, privateKey } from "../support/sdk-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { account, spendableCredits } from "./support/test-authority.ts";

const WITH_AUTHORITY = ["--roles", "ccn,authority", "--faucet-port", "0", "--log-level", "info"];

/** A definition whose authorities are one account of the tests, and whose other keys nobody knows. */
function ownNetwork(folder: string): string {
  const text = readFileSync(new URL("../../../../networks/local.json", import.meta.url), "utf8");
  const { $schema: _forEditors, ...definition } = JSON.parse(text);
  const { address } = evmAccount("own authority");
  definition.name = "own";
  definition.developmentAccounts = [];
  definition.authorities.prices.address = address;
  definition.authorities.balances.addresses = [address];
  definition.authorities.credits.addresses = [address];
  const file = join(folder, "own.json");
  writeFileSync(file, JSON.stringify(definition));
  return file;
}

function keyFile(folder: string, text: string, mode: number): string {
  const file = join(folder, `keys-${mode}`);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("the roles of a process", { timeout: 120_000 }, () => {
  test("are those of its operator, else authority too where the keys are published", () => {
    const local = loadNetwork("local");
    const config = defaultConfig("/tmp");
    assert.deepEqual(rolesOf(config, local), ["ccn", "authority"]);
    assert.deepEqual(rolesOf(config, { ...local, developmentAccounts: [] }), ["ccn"]);
    assert.deepEqual(rolesOf(config, loadNetwork("mainnet")), ["ccn"]);
    assert.deepEqual(rolesOf({ roles: ["ccn"] }, local), ["ccn"]);
  });

  test("of an authority: funds for development accounts, told in the log, and a clean stop", async () => {
    using folder = temporaryFolder("authority");
    await using node = await startNode(folder.path, { flags: WITH_AUTHORITY });
    await eventually(async () => (await spendableCredits(node.apiUrl, account("alice"))) === 1_000_000_000n);
    await eventually(() => node.stderr.includes("granted first credits"));
    for (const what of [
      "published prices",
      "published balances",
      "granted first credits",
      "the faucet answers",
    ]) {
      assert.ok(node.stderr.includes(what), `${what} in ${node.stderr}`);
    }
    for (const { insecurePrivateKey } of loadNetwork("local").developmentAccounts) {
      assert.ok(!node.stderr.includes(insecurePrivateKey));
    }
    assert.deepEqual(await node.stop(), { exitCode: 0, signal: null });
  });

  test("with keys of one's own: a definition that names them, a key file and the settings", async () => {
    using folder = temporaryFolder("authority");
    const secret = encodeHex(privateKey("own authority"));
    const alice = evmAccount("alice of an own network");
    const settings = join(folder.path, "settings.json");
    writeFileSync(settings, JSON.stringify({ grants: { [alice.address]: 77 } }));
    const network = ["--network", ownNetwork(folder.path)];
    const keys = ["--authority-keys", keyFile(folder.path, secret, 0o600)];
    await using node = await startNode(join(folder.path, "data"), {
      flags: [...WITH_AUTHORITY, ...network, ...keys, "--authority-settings", settings],
    });
    await eventually(async () => (await spendableCredits(node.apiUrl, alice)) === 77n);
    const { address } = evmAccount("own authority");
    const prices = await createClient(node).fetchAggregate({ address, key: "pricing" });
    assert.ok(prices !== null && "storage" in prices);
    assert.ok(!node.stderr.includes(secret));
  });

  test("that cannot be had are one line and exit code 2", async () => {
    using folder = temporaryFolder("authority");
    const network = ["--network", ownNetwork(folder.path)];
    const open = keyFile(folder.path, encodeHex(privateKey("own authority")), 0o644);
    const other = keyFile(folder.path, encodeHex(privateKey("somebody")), 0o600);
    const start = ["node", "--data-dir", join(folder.path, "data"), "--api-port", "0", "--p2p-port", "0"];
    const withRole = [...start, "--roles", "ccn,authority", ...network];
    for (const [args, expected] of [
      [
        [...start, "--roles", "authority"],
        /--roles: expected roles separated by commas.*and beside ccn authority/,
      ],
      [[...start, "--roles", "ccn,ccn"], /--roles: expected/],
      [[...start, "--roles", "ccn,king"], /--roles: expected/],
      [
        [...start, "--roles", "crn,scheduler"],
        /--core-nodes: the roles crn and scheduler need the API of a core node/,
      ],
      [withRole, /--authority-keys: no key of an authority of the network own is here/],
      [[...withRole, "--authority-keys", open], /others than its owner can reach .*chmod 600/],
      [[...withRole, "--authority-keys", other], /no key of an authority of the network own is here/],
      [[...start, "--authority-settings", "/gone"], /--authority-settings: .*ENOENT/],
    ] as const) {
      const { exitCode, stderr } = await runCommand([...args, "--log-level", "error"]);
      assert.match(stderr, expected);
      assert.equal(exitCode, 2);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
  });
});
