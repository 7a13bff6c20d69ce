import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { createNodeCrypto } from "@twentysix/protocol/node";
import Fastify, { type FastifyInstance } from "fastify";
import { ProgramVersions } from "../../src/functions/life-cycle/program-versions.ts";
import { resolveFiles } from "../../src/messages/amends.ts";
import { CoreNodes } from "../../src/messages/core-nodes.ts";
import { CoreNodesError } from "../../src/messages/errors.ts";
import { type FedMessage, MessageFeed } from "../../src/messages/message-feed.ts";
import { NodeIdentity } from "../../src/messages/node-identity.ts";
import { watchOwnMachines } from "../../src/messages/own-machines.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import {
  INSTANCE,
  PROGRAM,
  startTestCoreNode,
  type TestCoreNode,
  testAccount,
} from "../support/test-core-node.ts";
import { openTestExecutions } from "../support/test-executions.ts";

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";
const FOREVER = new AbortController().signal;
const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
const crypto = createNodeCrypto();

describe("a compute node asks core nodes", { timeout: 120_000 }, () => {
  let core: TestCoreNode;
  let file: string;
  before(async () => {
    core = await startTestCoreNode();
    file = await store("disk");
  });
  after(() => core[Symbol.asyncDispose]());

  async function store(text: string, ref?: string): Promise<string> {
    const { client, owner } = core;
    const stored = await client.storeFile({
      account: owner,
      file: new Blob([text]),
      sync: true,
      ...(ref ? { ref } : {}),
    });
    return stored.itemHash;
  }
  function open(...apiUrls: string[]) {
    let contacts = 0;
    const onContact = (): void => {
      contacts += 1;
    };
    const log = createMemoryLogger();
    const coreNodes = new CoreNodes({ apiUrls, minAgreeing: 2, crypto, clock, log, onContact });
    return { coreNodes, log, contacts: () => contacts };
  }
  const program = async (more: object = {}) =>
    (await core.client.createProgram({ account: core.owner, content: PROGRAM(file, more), sync: true }))
      .itemHash;
  const instance = async () =>
    (await core.client.createInstance({ account: core.owner, content: INSTANCE(file), sync: true })).itemHash;

  test("for a machine, and reads what its owner signed; a node that is away is passed over", async () => {
    const vmHash = await program();
    const { coreNodes, contacts } = open(NOWHERE, core.apiUrl);
    const message = await coreNodes.vmMessage(vmHash, FOREVER);
    assert.equal(message?.type, "PROGRAM");
    assert.equal(message?.sender, core.owner.address);
    assert.equal(message?.status, "processed");
    assert.equal(message?.content.resources.memory, 128);
    assert.equal(await coreNodes.vmMessage("ab".repeat(32), FOREVER), null);
    assert.equal(await coreNodes.vmMessage(file, FOREVER), null, "a STORE message is no machine");
    assert.ok(contacts() > 0);
    const away = open(NOWHERE);
    const refused = away.coreNodes.vmMessage(vmHash, FOREVER);
    await assert.rejects(refused, (error) => error instanceof CoreNodesError && error.code === "UNREACHABLE");
    assert.equal(await away.coreNodes.ping(FOREVER), false);
    assert.equal(away.contacts(), 0);
  });

  test("with a content that is too long for its envelope, too", async () => {
    const variables = Object.fromEntries(
      Array.from({ length: 20 }, (_value, index) => [`V${index}`, "x".repeat(4_000)]),
    );
    const vmHash = await program({ variables });
    const message = await open(core.apiUrl).coreNodes.vmMessage(vmHash, FOREVER);
    assert.equal(message?.content.variables?.V19?.length, 4_000);
  });

  test("and believes none that changed what was signed", async () => {
    const vmHash = await program();
    const liar = await startLiar(core.apiUrl, '\\"memory\\":128', '\\"memory\\":129');
    const { coreNodes, log } = open(liar.url);
    assert.equal(await coreNodes.vmMessage(vmHash, FOREVER), null);
    assert.ok(log.records.some(({ message }) => message.includes("nobody signed")));
    // Beside an honest one its lie does nothing.
    const both = await open(liar.url, core.apiUrl).coreNodes.vmMessage(vmHash, FOREVER);
    assert.equal(both?.content.resources.memory, 128);
    await liar.server.close();
  });

  test("for the newest files, which only the owner of a file can replace", async () => {
    const original = await store("first");
    const vmHash = await program({ code: { ...PROGRAM(original).code } });
    const { coreNodes } = open(core.apiUrl);
    const message = await coreNodes.vmMessage(vmHash, FOREVER);
    assert.ok(message?.type === "PROGRAM");
    assert.deepEqual(await resolveFiles(message.content, coreNodes, FOREVER), message.content);
    const newer = await store("second", original);
    coreNodes.forget({ storeHash: original });
    const resolved = await resolveFiles(message.content, coreNodes, FOREVER);
    assert.ok("code" in resolved);
    assert.equal(resolved.code.ref, newer);
    assert.equal(resolved.runtime.ref, file, "it does not follow");
  });

  test("for the newest version of a program, and for whom its node is registered, though the first is away", async () => {
    const vmHash = await program({ allow_amend: true });
    const newer = await program({ allow_amend: true, replaces: vmHash });
    const { coreNodes, log } = open(NOWHERE, core.apiUrl);
    const message = await coreNodes.vmMessage(vmHash, FOREVER);
    assert.ok(message?.type === "PROGRAM");
    const versions = new ProgramVersions(coreNodes);
    assert.equal((await versions.newest(message, FOREVER)).itemHash, newer);
    const url = "https://crn.example.org";
    const content = { tags: ["create-resource-node"], action: "create-resource-node" };
    const registration = await core.client.createPost({
      ...{ account: core.owner, type: "corechan-operation", sync: true },
      content: { ...content, details: { name: "n", address: `${url}/`, type: "compute" } },
    });
    await using folder = await tempFolder();
    const identity = await NodeIdentity.open({
      ...{ nodeHash: null, ownerAddress: core.owner.address, url, file: join(folder.path, "node-hash") },
      ...{ connections: coreNodes.connections, timers, log },
    });
    await identity.discover(AbortSignal.timeout(30_000));
    assert.equal(identity.hash, registration.itemHash);
  });

  test("for prices, balances and settings", async () => {
    const vmHash = await instance();
    const { coreNodes } = open(core.apiUrl);
    const { paymentType, cost } = await coreNodes.price(vmHash, FOREVER);
    assert.equal(paymentType, "credit");
    assert.match(cost, /^\d+\.\d{18}$/);
    const { credits, tokens } = await coreNodes.balance(core.owner.address, FOREVER);
    assert.ok(credits > 0n);
    assert.match(tokens, /^\d+\.\d{18}$/);
    const nobody = await coreNodes.balances(testAccount("nobody").address, FOREVER);
    assert.deepEqual(
      nobody.map((funds) => funds.credits),
      [0n],
    );
    assert.equal(await coreNodes.aggregate(core.owner.address, "security", FOREVER), null);
    await assert.rejects(coreNodes.price("ab".repeat(32), FOREVER), CoreNodesError);
  });

  test("and follows them: a machine that its owner forgets is removed, ports are told of", async () => {
    const vmHash = await instance();
    const executions = openTestExecutions(new FakeHost());
    const { manager, store: rows, log } = executions;
    const { coreNodes } = open(core.apiUrl);
    const message = await coreNodes.vmMessage(vmHash, FOREVER);
    assert.ok(message !== null);
    await manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
    const stopping = new AbortController();
    const changed: string[] = [];
    const fed: FedMessage[] = [];
    const feed = new MessageFeed({
      connections: open(NOWHERE, core.apiUrl).coreNodes.connections,
      ...{ crypto, timers, random, log },
      nowSeconds: () => Number(clock.nowMicros() / 1_000n) / 1_000,
      onContact: () => {},
      position: { read: () => null, write: () => {} },
    });
    feed.subscribe((message) => fed.push(message));
    feed.subscribe(
      watchOwnMachines({
        ...{ executions: manager, store: rows, coreNodes, timers, log, signal: stopping.signal },
        onDomainsChanged: () => undefined,
        onPortsChanged: (hash) => changed.push(hash),
      }),
    );
    assert.deepEqual(feed.figures(), { isConnected: false, lagSeconds: null, messages: 0 });
    const following = feed.run(stopping.signal);
    const ports = { [vmHash]: { ports: { "80": { tcp: true, udp: false } } } };
    await core.client.createAggregate({
      account: core.owner,
      key: "port-forwarding",
      content: ports,
      sync: true,
    });
    await until(() => changed.length > 0);
    assert.deepEqual(changed, [vmHash]);
    assert.ok(fed.every((each) => each.isAuthentic()));
    await until(() => feed.figures().isConnected);
    const { lagSeconds, messages } = feed.figures();
    assert.equal(messages, fed.length);
    assert.ok(lagSeconds !== null && lagSeconds >= 0);
    await core.client.forget({ account: core.owner, itemHashes: [vmHash], sync: true });
    await until(() => manager.get(vmHash) === null);
    assert.equal(Array.from(manager.records(1))[0]?.reason?.code, "MESSAGE_FORGOTTEN");
    const hashes = fed.map((each) => each.message.item_hash);
    assert.equal(new Set(hashes).size, hashes.length, "each message is told once");
    stopping.abort();
    await following;
    assert.equal(feed.figures().isConnected, false);
    const earlier = await program();
    const stored: FedMessage[] = [];
    for await (const each of feed.stored("PROGRAM", FOREVER)) stored.push(each);
    assert.ok(stored.some(({ message }) => message.item_hash === earlier));
    assert.ok(stored.every((each) => each.message.type === "PROGRAM" && each.isAuthentic()));
  });

  test("and misses none that comes after the look at what it missed, and before it listens", async () => {
    const { coreNodes, log } = open(core.apiUrl);
    let between: string | null = null;
    const connections = coreNodes.connections.map((connection) => ({
      ...connection,
      fetch: async (url: string, init: RequestInit) => {
        const answer = await connection.fetch(url, init);
        between ??= await program();
        return answer;
      },
    }));
    const position = { read: () => null, write: () => {} };
    const nowSeconds = (): number => Number(clock.nowMicros() / 1_000n) / 1_000;
    const onContact = (): void => undefined;
    const feed = new MessageFeed({
      ...{ connections, crypto, timers, random, log, nowSeconds, onContact, position },
    });
    const told: string[] = [];
    feed.subscribe(({ message }) => told.push(message.item_hash));
    const stopping = new AbortController();
    const following = feed.run(stopping.signal);
    await until(() => between !== null);
    await timers.sleep(500);
    const later = await program();
    await until(() => told.includes(later));
    stopping.abort();
    await following;
    assert.ok(told.includes(between ?? ""));
    assert.equal(new Set(told).size, told.length, "each message is told once");
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await timers.sleep(20);
}

/** Hands on what a core node answers, with one text in place of another. */
async function startLiar(
  apiUrl: string,
  from: string,
  to: string,
): Promise<{ url: string; server: FastifyInstance }> {
  const server = Fastify({ forceCloseConnections: true });
  server.get("/*", async (request, reply) => {
    const answer = await fetch(`${apiUrl}${request.url}`);
    const text = (await answer.text()).replaceAll(from, to);
    return reply.code(answer.status).type("application/json").send(text);
  });
  return { url: await server.listen({ host: "127.0.0.1", port: 0 }), server };
}
