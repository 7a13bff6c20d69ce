import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  createEvmAccount,
  createSolanaAccount,
  encodeHex,
  type NetworkDefinition,
} from "@twentysix/protocol";
import { AuthorityKeysError, authorityAccounts, readKeyFile } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "twentysix-keys-"));
after(() => rmSync(folder, { recursive: true }));

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const hex = (byte: number): string => encodeHex(key(byte));
const eth = (byte: number): string => createEvmAccount({ privateKey: key(byte) }).address;

let files = 0;
function keyFile(text: string, mode = 0o600): string {
  files += 1;
  const path = join(folder, `keys-${files}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("a key file", () => {
  test("has a key a line, of Ethereum or Solana", async () => {
    const path = keyFile(`# prices\n${hex(1)}\n\n0x${hex(2).toUpperCase()}\nSOL ${hex(3)}\n`);
    assert.deepEqual(
      (await readKeyFile(path)).map(({ address }) => address),
      [eth(1), eth(2), createSolanaAccount({ privateKey: key(3) }).address],
    );
  });

  const secret = hex(5);
  for (const [what, text, mode, expected] of [
    ["others can read", secret, 0o640, /others than its owner can reach .*chmod 600/],
    ["has a line that is no key", `${hex(1)}\n${secret}x`, 0o600, /line 2 of .* is no private key/],
    ["has a key out of range", "f".repeat(64), 0o600, /line 1 of .* is outside of the range/],
    ["is empty", "# nothing\n", 0o600, /holds no key/],
  ] as const) {
    test(`that ${what} is refused, and what is in it is not repeated`, async () => {
      await assert.rejects(readKeyFile(keyFile(text, mode)), (error) => {
        assert.ok(error instanceof AuthorityKeysError);
        assert.equal(error.setting, "authorityKeys");
        assert.match(error.message, expected);
        assert.ok(!error.message.includes(secret.slice(0, 20)));
        return true;
      });
    });
  }

  test("that is not there is refused", async () => {
    await assert.rejects(readKeyFile(join(folder, "gone")), /--authority-keys: .* cannot be read: ENOENT/);
  });
});

describe("the accounts of authorities", () => {
  const authorities = {
    prices: { address: eth(1) },
    balances: { addresses: [eth(9), eth(2)] },
    credits: { addresses: [eth(3)] },
    registry: { address: eth(9) },
  };
  const definition = {
    name: "own",
    authorities,
    developmentAccounts: [
      { role: "prices", chain: "ETH", address: eth(1), insecurePrivateKey: hex(1) },
      { role: "alice", chain: "ETH", address: eth(7), insecurePrivateKey: hex(7) },
    ],
  } as unknown as NetworkDefinition;

  test("come from the key file, else from the published ones; the rest is left to others", () => {
    const accounts = authorityAccounts(definition, [createEvmAccount({ privateKey: key(2) })]);
    const { prices, balances, credits, registry } = accounts;
    assert.deepEqual([prices?.address, balances?.address, credits, registry], [eth(1), eth(2), null, null]);
  });

  test("are missing when no key is one of theirs", () => {
    const own = { ...definition, developmentAccounts: [] };
    assert.throws(() => authorityAccounts(own, [createEvmAccount({ privateKey: key(8) })]), {
      code: "AUTHORITY_KEYS_MISSING",
    });
  });
});
