import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import { createClient, type LocalAccount } from "@twentysix/sdk";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import {
  account,
  definition,
  HOUR_MS,
  startTestAuthority,
  type TestAuthority,
} from "./support/test-authority.ts";

const { registry } = definition.authorities;
const PERIOD_MS = 5_000;

interface Node extends JsonObject {
  readonly hash: string;
  readonly owner: string;
}
interface Listing {
  readonly nodes: readonly Node[];
  readonly resource_nodes: readonly Node[];
}

/** What everybody reads of the nodes of the network. */
async function listing(node: TestNode): Promise<Listing> {
  const { address, key } = registry;
  const content = await createClient(node).fetchAggregate({ address, key });
  assert.ok(content !== null);
  return content as unknown as Listing;
}

async function publications(node: TestNode): Promise<number> {
  const { items } = await createClient(node).listMessages({
    types: ["AGGREGATE"],
    owners: [registry.address],
    contentKeys: [registry.key],
    pageSize: 100,
  });
  return items.length;
}

async function operate(
  node: TestNode,
  actor: LocalAccount,
  action: string,
  { details = {}, ref }: { readonly details?: JsonObject; readonly ref?: string } = {},
): Promise<string> {
  const { itemHash } = await createClient(node).createPost({
    account: actor,
    type: registry.operationPostType,
    content: { tags: [action, registry.operationTag], action, details },
    ...(ref === undefined ? {} : { ref }),
    sync: true,
  });
  return itemHash;
}

async function amend(node: TestNode, actor: LocalAccount, ref: string, details: JsonObject): Promise<void> {
  const content = { tags: ["create-node", registry.operationTag], action: "create-node", details };
  await createClient(node).amendPost({ account: actor, originalHash: ref, content, sync: true });
}

const start = (node: TestNode): Promise<TestAuthority> =>
  startTestAuthority(node.apiUrl, {
    startMs: Date.now(),
    settings: { registryPeriodSeconds: PERIOD_MS / 1_000 },
  });

describe("the registry of a network's nodes", { timeout: 120_000 }, () => {
  test("follows what owners and stakers post, on one host too, and is published once for each change", async () => {
    const node = await startTestNode();
    try {
      await using authority = await start(node);
      await authority.running.whenIdle();
      assert.equal(await publications(node), 0, "nothing is said of no nodes");

      const [alice, bob, carol] = [account("alice"), account("bob"), account("carol")];
      const host = "/ip4/127.0.0.1/tcp";
      const first = await operate(node, alice, "create-node", { details: { multiaddress: `${host}/4025` } });
      const second = await operate(node, bob, "create-node", { details: { multiaddress: `${host}/4027` } });
      const computing = await operate(node, bob, "create-resource-node", {
        details: { type: "compute", address: "http://127.0.0.1:4030" },
      });
      await operate(node, alice, "link", { ref: computing });
      await operate(node, carol, "stake", { ref: first });
      await amend(node, bob, second, { name: "Bob's" });
      await authority.pass(PERIOD_MS);

      const { nodes, resource_nodes: computeNodes } = await listing(node);
      assert.deepEqual(
        nodes.map(({ hash, owner, status, multiaddress, name }) => ({
          hash,
          owner,
          status,
          multiaddress,
          name,
        })),
        [
          { hash: first, owner: alice.address, status: "active", multiaddress: `${host}/4025`, name: "" },
          {
            hash: second,
            owner: bob.address,
            status: "waiting",
            multiaddress: `${host}/4027`,
            name: "Bob's",
          },
        ],
      );
      assert.deepEqual(nodes[0]?.stakers, { [carol.address]: 1_000_000 });
      assert.deepEqual(
        computeNodes.map(({ hash, parent, status, address }) => ({ hash, parent, status, address })),
        [{ hash: computing, parent: first, status: "linked", address: "http://127.0.0.1:4030" }],
      );
      assert.equal(await publications(node), 1);

      await operate(node, carol, "drop-node", { ref: second });
      await authority.pass(2 * PERIOD_MS);
      assert.equal(await publications(node), 1, "what has no effect is not published");
      assert.equal(
        authority.log.records.filter(({ message }) => message.includes("has no effect")).length,
        1,
        "and told of once",
      );
      await authority.restart({ losesDisk: true });
      assert.equal(await publications(node), 1, "nor is what is there already");

      await operate(node, alice, "drop-node", { ref: first });
      await authority.pass(PERIOD_MS);
      const left = await listing(node);
      assert.deepEqual(
        left.nodes.map(({ hash }) => hash),
        [second],
      );
      assert.deepEqual(
        left.resource_nodes.map(({ parent }) => parent),
        [null],
      );
      assert.equal(await publications(node), 2);
    } finally {
      await node.remove();
    }
  });

  test("is published by a clock that was set back too, and knows nothing of what is forgotten", async () => {
    const node = await startTestNode();
    try {
      const alice = account("alice");
      await publishOnce(node, Date.now());
      const hash = await operate(node, alice, "create-node");
      await publishOnce(node, Date.now() + HOUR_MS);
      assert.equal((await listing(node)).nodes[0]?.name, "");
      await amend(node, alice, hash, { name: "second" });
      await using authority = await start(node);
      await authority.running.whenIdle();
      assert.equal((await listing(node)).nodes[0]?.name, "second");
      await createClient(node).forget({ account: alice, itemHashes: [hash], sync: true });
      await authority.pass(PERIOD_MS);
      assert.deepEqual((await listing(node)).nodes, []);
    } finally {
      await node.remove();
    }
  });
});

async function publishOnce(node: TestNode, startMs: number): Promise<void> {
  await using authority = await startTestAuthority(node.apiUrl, { startMs });
  await authority.running.whenIdle();
}
