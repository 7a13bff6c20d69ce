import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import { corechannelContent } from "../../../src/authority/registry/corechannel.ts";
import type { OperationEvent, RegistryEvent } from "../../../src/authority/registry/events.ts";
import { Registry } from "../../../src/authority/registry/registry.ts";
import { balances, operation, RULES, scores } from "./events.ts";

const HERE = "/ip4/203.0.113.5/tcp/4025";

/** A registry in which each event has its effect. */
function registryOf(events: readonly RegistryEvent[], rules = RULES): Registry {
  const registry = new Registry(rules);
  for (const event of events) assert.equal(registry.apply(event), null, JSON.stringify(event, replacer));
  return registry;
}

const replacer = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value;

const ignored = (registry: Registry, event: RegistryEvent, expected: RegExp): void => {
  const before = JSON.stringify(corechannelContent(registry));
  assert.match(registry.apply(event) ?? "it had its effect", expected);
  assert.equal(JSON.stringify(corechannelContent(registry)), before);
};

type Listed = JsonObject & {
  readonly stakers: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
};
function listed(registry: Registry, { itemHash }: OperationEvent): Listed {
  const { nodes, resource_nodes: computeNodes } = corechannelContent(registry) as {
    readonly nodes: readonly Listed[];
    readonly resource_nodes: readonly Listed[];
  };
  const found = [...nodes, ...computeNodes].find(({ hash }) => hash === itemHash);
  if (found === undefined) throw new Error(`${itemHash} is not in the registry`);
  return found;
}

const core = (owner: string, details: JsonObject = {}) => operation(owner, "create-node", details);
const compute = (owner: string, details: JsonObject = {}) =>
  operation(owner, "create-resource-node", { type: "compute", ...details });

describe("the registry of nodes", () => {
  test("lists a core node and a compute node in the shape that clients read", () => {
    const a = operation("0xA", "create-node", { name: "n1", multiaddress: HERE }, { timeSeconds: 1.7e9 });
    const b = operation(
      "0xB",
      "create-resource-node",
      {
        type: "compute",
        name: "c1",
        address: "https://crn.example.org/",
        manager: "0xB",
        stream_reward: "0xR",
      },
      { timeSeconds: 1.7e9 + 100 },
    );
    const registry = registryOf([
      balances({ "0xA": 200_000, "0xS": 500_000, "0xT": 250_000 }),
      a,
      b,
      operation("0xA", "link", {}, { ref: b.itemHash }),
      operation("0xT", "stake", {}, { ref: a.itemHash }),
      operation("0xS", "stake", {}, { ref: a.itemHash }),
      scores({ [a.itemHash]: { score: 0.95, performance: 0.96, decentralization: 0.87 } }),
    ]);
    const texts = {
      picture: "",
      banner: "",
      description: "",
      registration_url: "",
      terms_and_conditions: "",
    };
    assert.deepEqual(corechannelContent(registry), {
      nodes: [
        {
          ...texts,
          hash: a.itemHash,
          owner: "0xA",
          reward: "0xA",
          locked: false,
          stakers: { "0xS": 500_000, "0xT": 250_000 },
          total_staked: 750_000,
          status: "active",
          time: 1.7e9,
          authorized: [],
          resource_nodes: [b.itemHash],
          score: 0.95,
          decentralization: 0.87,
          performance: 0.96,
          inactive_since: null,
          name: "n1",
          multiaddress: HERE,
          address: "",
          stream_reward: "",
          manager: "",
          has_bonus: false,
          score_updated: true,
        },
      ],
      resource_nodes: [
        {
          ...texts,
          hash: b.itemHash,
          type: "compute",
          owner: "0xB",
          manager: "0xB",
          reward: "0xB",
          locked: "",
          status: "linked",
          authorized: "",
          parent: a.itemHash,
          time: 1.7e9 + 100,
          score: 0,
          decentralization: 0,
          performance: 0,
          inactive_since: null,
          name: "c1",
          multiaddress: "",
          address: "https://crn.example.org/",
          stream_reward: "0xR",
        },
      ],
    });
  });

  test("gives an owner one core node, for enough tokens", () => {
    const first = core("0xA");
    const registry = registryOf([balances({ "0xA": 199_999, "0xB": 199_998 }), first]);
    ignored(registry, core("0xA"), /has a core node already/);
    ignored(registry, core("0xB"), /too few tokens/);
    ignored(registry, operation("0xB", "create-resource-node", {}), /no type/);
    assert.equal(
      registry.apply(balances({ "0xA": 100_000 })),
      null,
      "platforms add up, and here there is one alone",
    );
    assert.deepEqual([...registry.coreNodes], []);
    assert.equal(registry.apply(balances({ "0xA": 100_000 }, { platform: "other" })), null);
    assert.equal(registry.apply(core("0xA")), null);
  });

  test("keeps what a newer publication leaves out, and takes no older one", () => {
    const older = balances({ "0xA": 1 });
    const registry = registryOf([balances({ "0xA": 200_000 }), core("0xA"), balances({ "0xB": 5 })]);
    ignored(registry, older, /no newer/);
    assert.equal(registry.coreNodes.size, 1);
  });

  test("links up to eight compute nodes, each to one core node, and lets both owners part", () => {
    const [a, b] = [core("0xA"), core("0xB")];
    const computeNodes = Array.from({ length: 9 }, (_, index) =>
      compute("0xC", { address: `https://c${index}.example/` }),
    );
    const funds = balances({ "0xA": 200_000, "0xB": 200_000 });
    const registry = registryOf([funds, a, b, ...computeNodes]);
    const refs = computeNodes.map(({ itemHash }) => itemHash);
    const link = (owner: string, ref = "") => operation(owner, "link", {}, { ref });
    const unlink = (owner: string, ref = "") => operation(owner, "unlink", {}, { ref });
    for (const ref of refs.slice(0, 8)) assert.equal(registry.apply(link("0xA", ref)), null);
    ignored(registry, link("0xA", refs[8]), /as many compute nodes/);
    ignored(registry, link("0xB", refs[0]), /linked already/);
    ignored(registry, link("0xC", refs[8]), /no core node/);
    ignored(registry, link("0xB", "gone"), /no such compute node/);
    ignored(registry, unlink("0xB", refs[0]), /owns neither/);
    ignored(registry, unlink("0xA", refs[8]), /not linked/);
    assert.equal(registry.apply(unlink("0xA", refs[0])), null);
    assert.equal(registry.apply(unlink("0xC", refs[1])), null);
    assert.deepEqual(listed(registry, a).resource_nodes, refs.slice(2, 8));
    assert.equal(registry.apply(operation("0xC", "drop-node", {}, { ref: refs[2] ?? "" })), null);
    assert.equal(registry.apply(operation("0xA", "drop-node", {}, { ref: a.itemHash })), null);
    assert.equal(registry.coreNodes.size, 1);
    assert.equal(registry.computeNodes.size, 8);
    for (const node of registry.computeNodes.values()) assert.equal(node.parent, null);
    ignored(registry, operation("0xA", "drop-node", {}, { ref: b.itemHash }), /owns no such node/);
  });

  test("does not link a locked compute node", () => {
    const [a, locked] = [core("0xA"), compute("0xC", { locked: "yes" })];
    const registry = registryOf([balances({ "0xA": 200_000 }), a, locked]);
    ignored(registry, operation("0xA", "link", {}, { ref: locked.itemHash }), /locked/);
  });

  test("spreads the balance of a staker evenly, rounded down, and follows it", () => {
    const nodes = ["0xA", "0xB", "0xC"].map((owner) => core(owner));
    const [a, b, c] = nodes as [OperationEvent, OperationEvent, OperationEvent];
    const funds = { "0xA": 200_000, "0xB": 200_000, "0xC": 200_000, "0xS": 1_000_000 };
    const stake = (node: OperationEvent, action = "stake-split") =>
      operation("0xS", action, {}, { ref: node.itemHash });
    const registry = registryOf([balances(funds), ...nodes, stake(a), stake(b)]);
    assert.deepEqual([listed(registry, a).status, listed(registry, b).status], ["active", "active"]);
    ignored(registry, stake(a), /stakes on that core node already/);
    assert.equal(registry.apply(stake(c)), null);
    assert.equal(registry.coreNodes.get(a.itemHash)?.totalStakedAtto, 333_333_333333333333333333n);
    assert.equal(listed(registry, a).status, "waiting");
    assert.equal(registry.apply(balances({ "0xS": 1_499_997 })), null);
    assert.equal(listed(registry, a).status, "active", "499,999 are enough");
    assert.equal(registry.apply(stake(b, "unstake")), null);
    assert.deepEqual(listed(registry, b).stakers, {});
    assert.deepEqual(listed(registry, c).stakers, { "0xS": 749_998.5 });
    assert.equal(registry.apply(stake(b, "stake")), null);
    assert.deepEqual(listed(registry, a).stakers, {});
    assert.deepEqual(listed(registry, b).stakers, { "0xS": 1_499_997 });
    assert.equal(registry.apply(operation("0xB", "drop-node", {}, { ref: b.itemHash })), null);
    ignored(registry, stake(b, "unstake"), /does not stake/);
    assert.equal(registry.apply(stake(a)), null);
    assert.equal(registry.apply(balances({ "0xS": 9_998 })), null);
    assert.deepEqual(listed(registry, a).stakers, {});
    ignored(registry, stake(a), /too few tokens to stake/);
  });

  test("takes the stakes of whoever gets a core node, and lets owners stake nowhere", () => {
    const [a, s] = [core("0xA"), core("0xS")];
    const stake = operation("0xS", "stake", {}, { ref: a.itemHash });
    const registry = registryOf([balances({ "0xA": 200_000, "0xS": 200_000 }), a, stake, s]);
    assert.deepEqual(listed(registry, a).stakers, {});
    ignored(registry, stake, /does not stake/);
  });

  test("lets only the authorized stake on a locked core node", () => {
    const a = core("0xA", { locked: true, authorized: ["0xS"] });
    const registry = registryOf([balances({ "0xA": 200_000, "0xS": 10_000 }), a]);
    const stake = operation("0xS", "stake", {}, { ref: a.itemHash });
    ignored(registry, stake, /not among the authorized/);
    const authorize = operation(
      "0xA",
      "create-node",
      { authorized: ["0xS"] },
      { ref: a.itemHash, isAmend: true },
    );
    assert.equal(registry.apply(authorize), null);
    assert.equal(registry.apply(stake), null);
  });

  test("lets owner and manager change what they give, and nobody else", () => {
    const a = core("0xA", { name: "n1", description: "old" });
    const amend = (address: string, details: JsonObject, action = "create-node") =>
      operation(address, action, details, { ref: a.itemHash, isAmend: true });
    const registry = registryOf([balances({ "0xA": 200_000 }), a]);
    ignored(registry, amend("0xM", { name: "stolen" }), /neither owner nor manager/);
    ignored(registry, amend("0xA", { name: "n2" }, "create-resource-node"), /no such node/);
    assert.equal(
      registry.apply(amend("0xA", { name: "n2", manager: "0xM", locked: "x", owner: "0xZ" })),
      null,
    );
    assert.equal(registry.apply(amend("0xM", { banner: 7 })), null);
    const { name, description, manager, locked, owner, banner } = listed(registry, a);
    assert.deepEqual(
      { name, description, manager, locked, owner, banner },
      { name: "n2", description: "old", manager: "0xM", locked: true, owner: "0xA", banner: 7 },
    );
  });

  test("passes over operations that are no operations", () => {
    const registry = new Registry(RULES);
    ignored(registry, operation("0xA", "dance"), /no such action/);
    ignored(registry, { ...core("0xA"), content: { details: {} } }, /names no action/);
    ignored(registry, { ...core("0xA"), content: { action: "create-node", details: null } }, /no object/);
  });
});

describe("hosts of nodes", () => {
  const funds = balances({ "0xA": 200_000, "0xB": 200_000, "0xC": 200_000 });

  test("belong to the first that names them", () => {
    const [a, b, c] = [
      core("0xA", { multiaddress: HERE }),
      core("0xB", { multiaddress: "/ip4/203.0.113.5/tcp/9/p2p/Qm1" }),
      core("0xC", { multiaddress: "203.0.113.6:4025" }),
    ];
    const [d, e, f, g] = [
      compute("0xD", { address: "https://Crn.example/" }),
      compute("0xD", { address: "http://crn.example:8080/x" }),
      compute("0xD", { address: "crn.other" }),
      compute("0xD", { address: "crn.third" }),
    ];
    const registry = registryOf([funds, a, b, c, d, e, f, g]);
    assert.deepEqual(
      [a, b, c].map((node) => listed(registry, node).multiaddress),
      [HERE, "", ""],
    );
    assert.deepEqual(
      [d, e, f, g].map((node) => listed(registry, node).address),
      // Without a scheme there is no host, and that of the second is none by now.
      ["https://Crn.example/", "", "", ""],
    );
    const again = { ref: b.itemHash, isAmend: true };
    const free = operation("0xB", "create-node", { multiaddress: "/dns4/b.example/tcp/1" }, again);
    assert.equal(registry.apply(free), null);
    assert.equal(listed(registry, b).multiaddress, "/dns4/b.example/tcp/1");
  });

  test("may be shared where the network says so", () => {
    const [a, b] = [core("0xA", { multiaddress: HERE }), core("0xB", { multiaddress: HERE })];
    const [d, e] = [1, 2].map((port) => compute("0xD", { address: `http://127.0.0.1:${port}` })) as [
      OperationEvent,
      OperationEvent,
    ];
    const registry = registryOf([funds, a, b, d, e], { ...RULES, sharedHosts: true });
    for (const node of [a, b]) assert.equal(listed(registry, node).multiaddress, HERE);
    assert.equal(listed(registry, e).address, "http://127.0.0.1:2");
  });
});

describe("scores", () => {
  test("of one measurement keep the better figures; later ones replace them", () => {
    const node = compute("0xC");
    const at = (score: number, height: number) => scores({ [node.itemHash]: score }, height);
    const registry = registryOf([node, at(0.8, 100)]);
    registry.apply(at(0.5, 110));
    const { score, decentralization } = listed(registry, node);
    assert.deepEqual([score, decentralization], [0.8, 0.5]);
    registry.apply(at(0.5, 121));
    assert.equal(listed(registry, node).score, 0.5);
    ignored(registry, at(0.1, 3_050), /passed over/);
  });

  test("of next to nothing tell since when, and end a compute node without a parent", () => {
    const node = compute("0xC");
    const at = (score: number, height: number | null) => scores({ [node.itemHash]: score }, height);
    const registry = registryOf([node, at(0, 4_000)]);
    assert.equal(listed(registry, node).inactive_since, 4_000);
    registry.apply(at(0.5, 4_100));
    assert.equal(listed(registry, node).inactive_since, null);
    registry.apply(at(0, 4_200));
    registry.apply(at(0, 5_000));
    assert.equal(listed(registry, node).inactive_since, 4_200, "not yet: the rule begins later");
    registry.apply(at(0, 5_001));
    assert.equal(registry.computeNodes.size, 0);
  });
});
