import assert from "node:assert/strict";
import { test } from "node:test";
import { stringifyCanonicalJson } from "@twentysix/protocol";
import fc from "fast-check";
import { corechannelContent } from "../../../src/authority/registry/corechannel.ts";
import { compareEvents, type RegistryEvent } from "../../../src/authority/registry/events.ts";
import { Registry } from "../../../src/authority/registry/registry.ts";
import { balances, operation, RULES, scores } from "./events.ts";

const ADDRESSES = ["0xA", "0xB", "0xC", "0xD", "0xE"];
const ACTIONS = ["create-node", "create-resource-node", "link", "unlink", "drop-node"];
const STAKING = ["stake", "stake-split", "unstake"];

const address = fc.constantFrom(...ADDRESSES);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("act"), address, action: fc.constantFrom(...ACTIONS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("act"), address, action: fc.constantFrom(...STAKING) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("fund"), address, tokens: fc.constantFrom(0, 10_000, 600_001) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("score"), score: fc.double({ min: 0, max: 1 }) }) },
);
type Step = {
  readonly kind: string;
  readonly address?: string;
  readonly action?: string;
  readonly tokens?: number;
  readonly score?: number;
};

/** Events of a random course, each about something that a former one made. */
function eventsOf(steps: readonly Step[], picks: readonly number[]): RegistryEvent[] {
  const made: string[] = [];
  return steps.map((one, index) => {
    const { address: who = "", action = "", tokens = 0, score = 0 } = one;
    const timeSeconds = Math.floor(index / 2);
    if (one.kind === "fund") return balances({ [who]: tokens }, { timeSeconds });
    const ref = made[(picks[index] ?? 0) % Math.max(1, made.length)] ?? "";
    if (one.kind === "score") return { ...scores({ [ref]: score }, index), timeSeconds };
    const event = operation(
      who,
      action,
      { type: "compute", address: `https://${index}.example` },
      { timeSeconds, ref },
    );
    if (action.startsWith("create")) made.push(event.itemHash);
    return event;
  });
}

function registryOf(events: readonly RegistryEvent[]): Registry {
  const registry = new Registry(RULES);
  for (const event of events.toSorted(compareEvents)) registry.apply(event);
  return registry;
}

/** Enough of each kind that random references meet something. */
const PROLOGUE: readonly Step[] = ["0xA", "0xB", "0xC", "0xC", "0xD"].map((who, index) => ({
  kind: "act",
  address: who,
  action: index < 2 ? "create-node" : "create-resource-node",
}));
const LENGTH = 80;

const course = fc
  .tuple(
    fc.array(step, { minLength: 1, maxLength: LENGTH, size: "max" }),
    fc.array(fc.noBias(fc.nat()), { minLength: LENGTH * 2, maxLength: LENGTH * 2 }),
  )
  .map(([steps, picks]) => {
    const rich = Object.fromEntries(ADDRESSES.map((who) => [who, 600_001]));
    return [{ ...balances(rich), timeSeconds: -1 }, ...eventsOf([...PROLOGUE, ...steps], picks)];
  });

test("a registry is one whatever the order in which its events came", () => {
  fc.assert(
    fc.property(course, fc.nat(), (events, seed) => {
      const shuffled = events
        .map((event, index) => ({ event, key: (index * 7_919 + seed) % 104_729 }))
        .sort((a, b) => a.key - b.key)
        .map(({ event }) => event);
      assert.equal(
        stringifyCanonicalJson(corechannelContent(registryOf(shuffled))),
        stringifyCanonicalJson(corechannelContent(registryOf(events))),
      );
    }),
  );
});

test("at every moment links lead both ways, stakes are covered by balances, and an owner has one core node", () => {
  let [links, stakes] = [0, 0];
  fc.assert(
    fc.property(course, (events) => {
      const registry = new Registry(RULES);
      for (const event of events.toSorted(compareEvents)) {
        registry.apply(event);
        const { coreNodes, computeNodes } = registry;
        const owners = [...coreNodes.values()].map(({ owner }) => owner);
        assert.equal(new Set(owners).size, owners.length);
        const staked = new Map<string, bigint>();
        for (const node of coreNodes.values()) {
          assert.ok(registry.balanceOf(node.owner) >= RULES.nodeAtto);
          assert.ok(node.computeNodes.length <= RULES.maxLinkedNodes);
          for (const hash of node.computeNodes) assert.equal(computeNodes.get(hash)?.parent, node.hash);
          let total = 0n;
          for (const [staker, atto] of node.stakers) {
            total += atto;
            staked.set(staker, (staked.get(staker) ?? 0n) + atto);
          }
          assert.equal(node.totalStakedAtto, total);
          assert.equal(node.isActive, total >= RULES.activationAtto);
        }
        for (const [staker, atto] of staked) {
          const balance = registry.balanceOf(staker);
          assert.ok(balance >= RULES.stakeAtto && !owners.includes(staker));
          assert.ok(
            atto <= balance && balance - atto < BigInt(coreNodes.size),
            "all of it, but for what is rounded",
          );
          stakes += 1;
        }
        for (const node of computeNodes.values()) {
          if (node.parent === null) continue;
          assert.ok(coreNodes.get(node.parent)?.computeNodes.includes(node.hash));
          links += 1;
        }
      }
    }),
  );
  assert.ok(links > 0 && stakes > 0, `the courses came to something: ${links} links, ${stakes} stakes`);
});
