import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as HttpServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect as connectTcp, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import fc from "fast-check";
import { WebSocket, WebSocketServer } from "ws";
import { readClientHello } from "../../src/domains/client-hello.ts";
import { createHttpRouter } from "../../src/domains/http-router.ts";
import { InstanceDomains } from "../../src/domains/instance-domains.ts";
import { createMachinePorts } from "../../src/domains/machine-ports.ts";
import { createTlsRouter } from "../../src/domains/tls-router.ts";
import { CoreNodes } from "../../src/messages/core-nodes.ts";
import { startTestCoreNode, type TestCoreNode, testAccount } from "../support/test-core-node.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./certificate.ts";
import { startTestDns, type TestDns } from "./dns-server.ts";

const NAME = "app.example.org";
const MACHINE = "ab".repeat(32);

async function listening<S extends Server>(
  server: S,
): Promise<{ readonly server: S; readonly port: number }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** A server that says who it is and what it was asked. */
function echoServer(who: string): HttpServer {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      response.writeHead(200, { "x-who": who, "set-cookie": ["a=1", "b=2"] });
      response.end(
        JSON.stringify({ method, url, host: headers.host, from: headers["x-forwarded-for"], body }),
      );
    });
  });
  new WebSocketServer({ server }).on("connection", (socket) => {
    socket.on("message", (data) => socket.send(`${who} heard ${String(data)}`));
  });
  return server;
}

describe("custom domains of instances", { timeout: 120_000 }, () => {
  const signal = AbortSignal.timeout(110_000);
  const [clock, timers, log] = [createSystemClock(), createSystemTimers(), createMemoryLogger()];
  let core: TestCoreNode;
  let coreNodes: CoreNodes;
  let dns: TestDns;
  let domains: InstanceDomains;
  let state: "running" | "stopped";
  let routers: { readonly http: number; readonly tls: number };
  const servers: Server[] = [];

  before(async () => {
    core = await startTestCoreNode();
    coreNodes = new CoreNodes({
      ...{
        apiUrls: [core.apiUrl],
        crypto: createNodeCrypto(),
        clock,
        log,
        onContact: () => undefined,
        minAgreeing: 1,
      },
    });
    dns = await startTestDns();
    const machine = await listening(echoServer("machine"));
    const own = await listening(echoServer("node"));
    const secure = await listening(
      createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) =>
        socket.end("the machine itself"),
      ),
    );
    const ports = createMachinePorts({
      get: (vmHash) => (vmHash === MACHINE ? { state } : null),
      addressesOf: () => null,
      portsOf: () => [
        { guestPort: 80, hostPort: machine.port, tcp: true, udp: false },
        { guestPort: 443, hostPort: secure.port, tcp: true, udp: false },
      ],
      areReachable: false,
      forwardHost: "127.0.0.1",
    });
    const find = (host: string, bounded: AbortSignal) => domains.find(host, bounded);
    const common = { find, ports, timers, log };
    const http = await listening(
      createHttpRouter({ ...common, own: () => ({ host: "127.0.0.1", port: own.port }) }),
    );
    const tls = await listening(createTlsRouter(common));
    servers.push(machine.server, own.server, secure.server, http.server, tls.server);
    routers = { http: http.port, tls: tls.port };
  });
  after(async () => {
    for (const server of servers) {
      if ("closeAllConnections" in server) (server as HttpServer).closeAllConnections();
      server.close();
    }
    await dns?.[Symbol.asyncDispose]();
    await core?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    state = "running";
    dns.records.clear();
    dns.records.set(`_control.${NAME}`, core.owner.address);
    domains = new InstanceDomains({
      ...{ coreNodes, resolveTxt: dns.resolveTxt, timers, clock, log },
      executions: () => [
        { vmHash: MACHINE, owner: core.owner.address, kind: "instance" },
        { vmHash: "cd".repeat(32), owner: testAccount("another").address, kind: "instance" },
      ],
    });
    await publish({ [NAME]: { type: "instance", message_id: MACHINE, options: null } });
  });

  async function publish(content: JsonObject, account = core.owner): Promise<void> {
    await core.client.createAggregate({ account, key: "domains", content, sync: true });
    coreNodes.forget({ aggregate: { address: account.address, key: "domains" } });
    domains.forget();
  }
  async function ask(host: string, options: { method?: string; path?: string; body?: string } = {}) {
    const { method = "GET", path = "/", body = "" } = options;
    const request = httpRequest({
      ...{ host: "127.0.0.1", port: routers.http, method, path, headers: { host }, agent: false },
    });
    request.end(body);
    const [answer] = await once(request, "response");
    return {
      status: answer.statusCode,
      who: answer.headers["x-who"],
      cookies: answer.headers["set-cookie"],
      body: JSON.parse(await text(answer)),
    };
  }
  async function secure(servername: string): Promise<string> {
    const socket = connectTls({ host: "127.0.0.1", port: routers.tls, servername, ca: TEST_CERTIFICATE });
    await once(socket, "secureConnect");
    return await text(socket);
  }

  test("HTTP goes to the machine that the name stands for, everything else to the node", async () => {
    const answer = await ask(`${NAME.toUpperCase()}:80`, { method: "POST", path: "/a?b=%zz", body: "hello" });
    assert.deepEqual([answer.status, answer.who, answer.cookies], [200, "machine", ["a=1", "b=2"]]);
    assert.deepEqual(answer.body, {
      method: "POST",
      url: "/a?b=%zz",
      host: `${NAME.toUpperCase()}:80`,
      from: "127.0.0.1",
      body: "hello",
    });
    for (const host of ["other.example.org", "localhost", "127.0.0.1", "_control", "a..b"]) {
      assert.equal((await ask(host)).who, "node", host);
    }
  });

  test("WebSockets go the same way", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${routers.http}/`, { headers: { host: NAME } });
    await once(socket, "open");
    socket.send("hello");
    const [message] = await once(socket, "message");
    assert.equal(String(message), "machine heard hello");
    socket.close();
    await once(socket, "close");
  });

  test("TLS goes unopened to the machine, by the server that is named; other names lead nowhere", async () => {
    assert.equal(await secure(NAME), "the machine itself");
    await assert.rejects(secure("other.example.org"), { code: "ECONNRESET" });
    const plain = connectTcp(routers.tls, "127.0.0.1");
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await once(plain, "close");
  });

  test("a name is served only while its record names the owner, and the owner the machine", async () => {
    const stands = async (): Promise<boolean> => (await domains.find(NAME, signal)) === MACHINE;
    assert.equal(await stands(), true);
    const thief = testAccount("another");
    await publish({ [NAME]: { type: "instance", message_id: "cd".repeat(32) } }, thief);
    assert.equal(await stands(), true, "another owner may claim what he wants");

    for (const [record, reason] of [
      [undefined, "without a record"],
      [thief.address, "by the record of an owner who names a machine of his own"],
      ["0x0000000000000000000000000000000000000000", "by the record of somebody without a machine here"],
    ] as const) {
      if (record === undefined) dns.records.delete(`_control.${NAME}`);
      else dns.records.set(`_control.${NAME}`, record);
      domains.forget();
      assert.equal(await stands(), false, reason);
    }
    dns.records.set(`_control.${NAME}`, core.owner.address.toLowerCase());
    for (const entry of [
      null,
      { type: "program", message_id: MACHINE },
      { type: "instance", message_id: "ef".repeat(32) },
      "text",
    ]) {
      await publish({ [NAME]: entry });
      assert.equal(await stands(), false, JSON.stringify(entry));
    }
    await publish({ [NAME]: { type: "instance", message_id: MACHINE } });
    assert.equal(await stands(), true);
  });

  test("who asks often asks no name server often", async () => {
    const before = dns.asked.length;
    await Promise.all(Array.from({ length: 50 }, () => domains.find("busy.example.org", signal)));
    assert.equal(dns.asked.length - before, 1);
  });

  test("a machine that does not run is told of", async () => {
    state = "stopped";
    const { status, body } = await ask(NAME);
    assert.deepEqual([status, body], [503, { error: "the machine of this name does not run" }]);
  });
});

describe("the first message of TLS", () => {
  /** What a client of this runtime sends first. */
  async function helloFor(servername: string | undefined): Promise<Buffer> {
    const server = await listening(createServer());
    server.server.removeAllListeners("connection");
    const first = once(server.server, "connection").then(([socket]) => once(socket, "data"));
    const name = servername === undefined ? {} : { servername };
    const client = connectTls({ host: "127.0.0.1", port: server.port, ...name });
    client.on("error", () => undefined);
    const [bytes] = await first;
    client.destroy();
    server.server.closeAllConnections();
    server.server.close();
    return bytes as Buffer;
  }

  test("names its server once it is whole, however it is cut", async () => {
    const hello = await helloFor(NAME);
    assert.deepEqual(readClientHello(hello), { kind: "hello", name: NAME });
    for (let size = 0; size < hello.length; size += 1) {
      assert.deepEqual(readClientHello(hello.subarray(0, size)), { kind: "incomplete" }, String(size));
    }
    const body = hello.subarray(5);
    const pieces = Array.from({ length: Math.ceil(body.length / 50) }, (_, at) => {
      const part = body.subarray(at * 50, at * 50 + 50);
      return Buffer.concat([Buffer.from([22, 3, 1, 0, part.length]), part]);
    });
    assert.deepEqual(readClientHello(Buffer.concat(pieces)), { kind: "hello", name: NAME });
    assert.deepEqual(readClientHello(await helloFor(undefined)), { kind: "hello", name: null });
  });

  test("whatever else comes first is one of some kind", async () => {
    const hello = await helloFor(NAME);
    const kinds = new Set(["incomplete", "hello", "other"]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        kinds.has(readClientHello(Buffer.from(bytes)).kind),
      ),
    );
    const spoiled = fc.tuple(fc.nat(hello.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(spoiled, { maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(hello);
        for (const [at, value] of changes) bytes[at] = value;
        return kinds.has(readClientHello(bytes).kind);
      }),
    );
  });
});
