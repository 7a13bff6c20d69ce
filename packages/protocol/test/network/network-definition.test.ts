import assert from "node:assert/strict";
import { createHmac, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import {
  createEvmAccount,
  createSolanaAccount,
  decodeLowerHex,
  durabilityOf,
  type JsonObject,
  type JsonValue,
  type NetworkDefinition,
  NORMATIVE_SWITCHES,
  networkHash,
  parseJson,
  parseNetworkDefinition,
  stringifyJson,
} from "../../src/index.ts";

function readRepositoryFile(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
}

function readJson(path: string): JsonValue {
  const parsed = parseJson(readRepositoryFile(path));
  assert.ok(parsed.ok);
  return parsed.value;
}

function load(name: string): NetworkDefinition {
  const result = parseNetworkDefinition(readJson(`networks/${name}.json`));
  assert.ok(result.ok, JSON.stringify(result));
  return result.definition;
}

/** Each has one mistake. */
const BROKEN: Readonly<Record<string, (definition: Record<string, JsonValue>) => void>> = {
  "unknown key": (d) => Object.assign(d, { colour: "red" }),
  "missing key": (d) => delete d.topics,
  "topic with a dot": (d) => Object.assign(d.topics as object, { messages: "A.B" }),
  "switch left out": (d) => delete (d.switches as Record<string, JsonValue>).canonicalOrder,
  "unknown switch": (d) => Object.assign(d.switches as object, { turbo: true }),
  "switch as text": (d) => Object.assign(d.switches as object, { canonicalOrder: "on" }),
  "number as text": (d) => Object.assign(d.limits as object, { gossipFrameBytes: "262144" }),
  "fractional date": (d) => Object.assign(d.cutovers as object, { creditOnlyFromSeconds: 1.5 }),
  "price as a float": (d) =>
    Object.assign(d.pricing as object, { x: { price: { storage: { credit: 0.1 } } } }),
  "unknown chain": (d) => Object.assign((d.chains as JsonObject[])[0] as object, { chain: "MEGA_CHAIN" }),
  "address twice": (d) =>
    Object.assign((d.authorities as JsonObject).balances as object, { addresses: ["0xA", "0xA"] }),
  "bad name": (d) => Object.assign(d, { name: "Main Net" }),
};

test("the definitions in the repository are valid, for the reader and for the published schema", () => {
  const validate = new Ajv().compile(JSON.parse(readRepositoryFile("networks/networks.schema.json")));
  for (const name of ["mainnet", "local"]) {
    assert.equal(load(name).name, name);
    assert.ok(
      validate(JSON.parse(readRepositoryFile(`networks/${name}.json`))),
      JSON.stringify(validate.errors),
    );
  }
  for (const [mistake, make] of Object.entries(BROKEN)) {
    const broken = JSON.parse(readRepositoryFile("networks/local.json"));
    make(broken);
    assert.equal(parseNetworkDefinition(broken).ok, false, mistake);
    assert.equal(validate(broken), false, `${mistake}, in the schema`);
  }
});

test("an error says where", () => {
  const broken = JSON.parse(readRepositoryFile("networks/local.json"));
  BROKEN["switch as text"]?.(broken);
  const result = parseNetworkDefinition(broken);
  assert.ok(!result.ok);
  assert.deepEqual(result.errors[0]?.loc, ["switches", "canonicalOrder"]);
  const early = JSON.parse(readRepositoryFile("networks/local.json"));
  Object.assign(early.switches, { contractWallets: true });
  const refused = parseNetworkDefinition(early);
  assert.ok(!refused.ok);
  assert.match(
    refused.errors[0]?.msg ?? "",
    /contractWallets needs an EVM chain that the network anchors on/,
  );
  assert.equal(parseNetworkDefinition([]).ok, false);
  assert.equal(parseNetworkDefinition(null).ok, false);
});

test("a chain counts as final at a depth that the definition may leave out", () => {
  const validate = new Ajv().compile(JSON.parse(readRepositoryFile("networks/networks.schema.json")));
  const depthOf = (finalityDepth?: JsonValue): number | undefined => {
    const json = JSON.parse(readRepositoryFile("networks/mainnet.json"));
    if (finalityDepth !== undefined) json.chains[0].sync.finalityDepth = finalityDepth;
    const result = parseNetworkDefinition(json);
    assert.equal(validate(json), result.ok);
    return result.ok ? result.definition.chains[0]?.sync?.finalityDepth : undefined;
  };
  assert.equal(depthOf(), 12);
  assert.equal(depthOf(0), 0);
  assert.equal(depthOf(64), 64);
  for (const bad of [-1, 1.5, "12", null]) assert.equal(depthOf(bad), undefined);
});

test("large files may be kept in shards, of which fewer give a file than there are", () => {
  const validate = new Ajv().compile(JSON.parse(readRepositoryFile("networks/networks.schema.json")));
  const read = (erasure: JsonValue) => {
    const json = JSON.parse(readRepositoryFile("networks/local.json"));
    json.durability = { copies: 3, auditSeconds: 60, outageSeconds: 30, erasure };
    return { result: parseNetworkDefinition(json), isValid: validate(json) };
  };
  const { result, isValid } = read({ dataShards: 4, totalShards: 6, minFileBytes: 1_000 });
  assert.ok(result.ok && isValid);
  const { durability } = result.definition;
  assert.deepEqual(durabilityOf(durability, 999), { kind: "copies", copies: 3 });
  assert.deepEqual(durabilityOf(durability, 1_000), { kind: "erasure", dataShards: 4, totalShards: 6 });
  for (const bad of [
    { dataShards: 1, totalShards: 6, minFileBytes: 0 },
    { dataShards: 4, totalShards: 65, minFileBytes: 0 },
    { dataShards: 4, totalShards: 6, minFileBytes: -1 },
    { dataShards: 4, totalShards: 6 },
    { dataShards: 4, totalShards: 6, minFileBytes: 0, more: 1 },
  ])
    assert.deepEqual([read(bad).result.ok, read(bad).isValid], [false, false], JSON.stringify(bad));
  assert.equal(read({ dataShards: 6, totalShards: 6, minFileBytes: 0 }).result.ok, false);
  const whole = read(null).result;
  assert.ok(whole.ok && !("erasure" in whole.definition.durability));
});

test("rules across members: no chain twice, no published keys in a public network", () => {
  const twice = JSON.parse(readRepositoryFile("networks/mainnet.json"));
  twice.chains.push(twice.chains[0]);
  assert.equal(parseNetworkDefinition(twice).ok, false);
  const exposed = JSON.parse(readRepositoryFile("networks/local.json"));
  exposed.announce = "public";
  assert.equal(parseNetworkDefinition(exposed).ok, false);
});

test("the hash of a network follows its rules, not the order of keys nor the way to reach it", () => {
  const local = load("local");
  const hash = networkHash(local);
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.notEqual(hash, networkHash(load("mainnet")));
  const reversed = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(local).reverse())));
  assert.equal(networkHash(reversed), hash);
  const reachable = { ...local, bootstrap: { ...local.bootstrap, libp2p: ["/ip4/127.0.0.1/tcp/4025"] } };
  assert.equal(networkHash(reachable), hash);
  const otherRules = { ...local, switches: { ...local.switches, canonicalOrder: false } };
  assert.notEqual(networkHash(otherRules), hash);
  const reread = parseNetworkDefinition(JSON.parse(stringifyJson(local)));
  assert.ok(reread.ok);
  assert.equal(networkHash(reread.definition), hash);
});

test("mainnet has the facts of the reference and the normative switches", () => {
  const { topics, authorities, chains, cutovers, limits, switches, pricing } = load("mainnet");
  assert.deepEqual(switches, NORMATIVE_SWITCHES);
  assert.equal(topics.messages, "ALEPH-TEST");
  assert.equal(authorities.prices.address, "0xFba561a84A537fCaa567bb7A2257e7142701ae2A");
  const eth = chains.find(({ chain }) => chain === "ETH");
  assert.equal(eth?.sync?.contract, "0x166fd4299364B21c7567e163d85D78d2fb2f8Ad5");
  assert.deepEqual(eth?.sync?.authorisedEmitters, ["0x23eC28598DCeB2f7082Cc3a9D670592DfEd6e0dC"]);
  assert.equal(cutovers.paidFilesFromSeconds, 1_743_775_079);
  assert.equal(cutovers.paidFilesFromHeight?.height, 22_196_000);
  assert.equal(cutovers.creditOnlyMachinesFromSeconds, Date.UTC(2026, 2, 11) / 1000);
  assert.equal(cutovers.creditOnlyFromSeconds, Date.UTC(2027, 0, 1) / 1000);
  assert.deepEqual([limits.itemContentCharacters, limits.gossipFrameBytes], [200_000, 262_144]);
  assert.equal(pricing.instance?.price.compute_unit?.credit, "14250");
  assert.equal(Object.keys(pricing).length, 8);
});

test("local trusts only its own published accounts and has no date of mainnet", () => {
  const { authorities, cutovers, developmentAccounts, bootstrap, settings } = load("local");
  const known = new Set(developmentAccounts.map(({ address }) => address));
  const trusted = [
    ...authorities.balances.addresses,
    ...authorities.credits.addresses,
    ...authorities.scoring.addresses,
    authorities.prices.address,
    authorities.registry.address,
    ...authorities.rewards.payers,
    ...authorities.allocation.signers,
    ...settings.authorized_allocation_signers,
  ];
  for (const address of trusted) assert.ok(known.has(address), address);
  const dates = Object.entries(cutovers).filter(([key]) => key !== "creditPrecisionFactor");
  assert.ok(dates.every(([, date]) => date === null));
  assert.deepEqual(bootstrap, { libp2p: [], ipfs: [], http: [], indexers: [] });
});

test("the development accounts are those of their keys, and the Solana keys those of the test phrase", () => {
  for (const { chain, address, insecurePrivateKey } of load("local").developmentAccounts) {
    const privateKey = decodeLowerHex(insecurePrivateKey);
    const account = chain === "ETH" ? createEvmAccount({ privateKey }) : createSolanaAccount({ privateKey });
    assert.equal(account.address, address);
  }
  const solana = load("local").developmentAccounts.filter(({ chain }) => chain === "SOL");
  for (const [index, { insecurePrivateKey }] of solana.entries()) {
    assert.equal(insecurePrivateKey, solanaTestKey(index));
  }
});

/** SLIP-0010 path m/44'/501'/index'/0' of the well-known test phrase. */
function solanaTestKey(index: number): string {
  const phrase = "test test test test test test test test test test test junk";
  const seed = pbkdf2Sync(phrase, "mnemonic", 2048, 64, "sha512");
  let node = createHmac("sha512", "ed25519 seed").update(seed).digest();
  for (const step of [44, 501, index, 0]) {
    const data = Buffer.alloc(37);
    node.copy(data, 1, 0, 32);
    data.writeUInt32BE(0x80000000 + step, 33);
    node = createHmac("sha512", node.subarray(32)).update(data).digest();
  }
  return node.subarray(0, 32).toString("hex");
}
