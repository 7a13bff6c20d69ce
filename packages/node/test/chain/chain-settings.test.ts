import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chainSettingsOf } from "../../src/chain-settings.ts";
import { loadNetwork } from "../../src/network.ts";

const mainnet = loadNetwork("mainnet");
const EMITTER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const network = {
  bootstrap: mainnet.bootstrap,
  chains: mainnet.chains.map((one) =>
    one.sync === null ? one : { ...one, sync: { ...one.sync, authorisedEmitters: [EMITTER] } },
  ),
};
const rpc = ["ETH=https://a.example", "ETH=https://b.example/?key=a=b"];

test("RPC servers stand under their chain, in their order", async () => {
  assert.deepEqual(await chainSettingsOf({ rpc, indexers: [], chainKeyFile: null }, mainnet), {
    rpc: { ETH: ["https://a.example", "https://b.example/?key=a=b"] },
    indexers: {},
    packerKey: null,
  });
});

test("indexers are those that are named, or those of the network", async () => {
  const indexersOf = async (indexers: readonly string[] | null) =>
    (await chainSettingsOf({ rpc: [], indexers, chainKeyFile: null }, mainnet)).indexers;
  assert.deepEqual(await indexersOf(["NULS2=https://a.example/"]), { NULS2: "https://a.example/" });
  assert.deepEqual(Object.keys((await indexersOf(null)) ?? {}).sort(), ["BSC", "ETH", "TEZOS"]);
  await assert.rejects(indexersOf(["AVAX=https://a.example"]), { code: "CHAIN_SETTINGS_INVALID" });
});

test("what does not fit the network is a setting that is wrong", async () => {
  const refuses = (urls: readonly string[], message: RegExp) =>
    assert.rejects(chainSettingsOf({ rpc: urls, indexers: [], chainKeyFile: null }, mainnet), {
      code: "CHAIN_SETTINGS_INVALID",
      message,
    });
  await refuses(["AVAX=https://a.example"], /--rpc: an RPC is given for AVAX, but the network/);
  await refuses(["TEZOS=https://a.example"], /it is no EVM chain/);
});

test("a key is read from a file that is its owner's alone, and never repeated", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-chain-key-"));
  context.after(() => rm(folder, { recursive: true }));
  const chainKeyFile = join(folder, "key");
  const settings = (definition: typeof network = network) =>
    chainSettingsOf({ rpc, indexers: [], chainKeyFile }, definition);
  const refuses = (message: RegExp, code = "CHAIN_KEY_UNUSABLE", definition = network) =>
    assert.rejects(settings(definition), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(!error.message.includes(KEY.slice(0, 8)));
      return true;
    });
  await refuses(/cannot be read \(ENOENT\)/);
  await writeFile(chainKeyFile, `0x${KEY}\n`, { mode: 0o600 });
  assert.equal((await settings()).packerKey, KEY);
  await refuses(/would be read by nobody/, "CHAIN_SETTINGS_INVALID", {
    ...network,
    chains: [...mainnet.chains],
  });
  await assert.rejects(
    chainSettingsOf({ rpc: [], indexers: [], chainKeyFile }, network),
    /no RPC of a chain/,
  );
  await chmod(chainKeyFile, 0o640);
  await refuses(/chmod 600/);
  await chmod(chainKeyFile, 0o600);
  await writeFile(chainKeyFile, `${KEY}00`);
  await refuses(/holds no private key/);
});
