import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ExecutionError } from "../../../src/executions/errors.ts";
import { hashLabel } from "../../../src/functions/http/hash-label.ts";
import type { FunctionSettings } from "../../../src/functions/settings.ts";
import { startFront } from "../support/front-on-guests.ts";
import { hashOf, programMessage } from "../support/program-message.ts";

const program = programMessage("program");
const { itemHash } = program;

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingMessage["headers"];
  readonly raw: readonly string[];
  readonly body: string;
}

/** A request with exactly these headers. */
function ask(port: number, options: RequestOptions & { readonly body?: string | Buffer }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, agent: false, ...options }, async (response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of response) chunks.push(chunk as Buffer);
      } catch (error) {
        reject(error);
      }
      resolve({
        status: response.statusCode ?? 0,
        reason: response.statusMessage ?? "",
        headers: response.headers,
        raw: response.rawHeaders,
        body: Buffer.concat(chunks).toString(),
      });
    });
    request.on("error", reject);
    request.end(options.body);
  });
}

const requestsOf = (outcome: string): string =>
  `twentysix_function_request_duration_seconds_count{outcome="${outcome}"}`;

/** Waits until so many were counted: a request ends after its visitor has the answer. */
async function counted(
  front: Pick<Awaited<ReturnType<typeof startFront>>, "metrics">,
  series: string,
  wanted: number,
): Promise<void> {
  while (((await front.metrics()).get(series) ?? 0) < wanted) await setTimeout(5);
  assert.equal((await front.metrics()).get(series), wanted, series);
}

describe("requests to a program", () => {
  test("arrive as they are, and the answer comes back as it is", async () => {
    await using front = await startFront({
      messages: [program],
      app: async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        response.writeHead(
          207,
          "Many",
          [
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
            [
              "X-Seen",
              JSON.stringify([request.method, request.url, request.headers.host, request.headers["x-twice"]]),
            ],
          ].flat(),
        );
        response.end(Buffer.concat(chunks));
      },
    });
    const answer = await ask(front.port, {
      method: "PROPFIND",
      path: `/vm/${itemHash}/a%2Fb/%zz?q=1&q=2`,
      headers: { host: "crn.example.org", "x-twice": "1" },
      body: "the body",
    });
    assert.deepEqual([answer.status, answer.reason, answer.body], [207, "Many", "the body"]);
    assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
    assert.deepEqual(JSON.parse(String(answer.headers["x-seen"])), [
      "PROPFIND",
      "/a%2Fb/%zz?q=1&q=2",
      "crn.example.org",
      "1",
    ]);
    assert.equal(answer.headers["aleph-program-itemhash"], itemHash);
    assert.equal(answer.headers["aleph-program-code-ref"], program.content.code.ref);
  });

  test("reach it by path, by label in any case and with a port, and by a TXT record", async () => {
    await using front = await startFront({
      messages: [program],
      settings: { domainName: "crn.example.org" },
      app: (request, response) => response.end(request.url),
    });
    front.records.set("_aleph-id.shop.example.com", itemHash);
    const label = hashLabel(itemHash);
    const own = { host: "crn.example.org" };
    for (const [host, path, seen] of [
      [own.host, `/vm/${itemHash}`, "/"],
      [own.host, `/vm/${itemHash}?a=b`, "/?a=b"],
      [own.host, `/vm/${itemHash.toUpperCase()}/x`, "/x"],
      [`${label}.crn.example.org`, "/p?q", "/p?q"],
      [`${label.toUpperCase()}.crn.example.org:4020`, "/about/usage/system", "/about/usage/system"],
      [`${label}.crn.example.org`, "/", "/"],
      ["shop.example.com", "/basket", "/basket"],
    ] as const) {
      const answer = await ask(front.port, { path, headers: { host } });
      assert.deepEqual([answer.status, answer.body], [200, seen], host + path);
    }
    const missing = await ask(front.port, { path: "/", headers: { host: "unknown.example.com" } });
    assert.equal(missing.status, 404);
    const wrongLength = await ask(front.port, { path: "/", headers: { host: "abcdefgh.crn.example.org" } });
    assert.equal(wrongLength.status, 404);
    const node = await ask(front.port, { path: "/about/usage/system", headers: own });
    assert.deepEqual(JSON.parse(node.body), { own: true });
    assert.equal(front.executions.starts.length, 1, "one machine served all");
  });

  test("keep the meaning of HEAD, 204, 304 and compressed bodies", async () => {
    await using front = await startFront({
      messages: [program],
      app: (request, response) => {
        const status = Number(request.url?.slice(1));
        response.writeHead(status, {
          "content-encoding": "gzip",
          vary: "accept",
          ...(status === 200 ? { "content-length": "5" } : {}),
        });
        response.end(status === 200 && request.method !== "HEAD" ? "12345" : undefined);
      },
    });
    for (const [method, status, length] of [
      ["HEAD", 200, "5"],
      ["GET", 200, "5"],
      ["GET", 204, undefined],
      ["GET", 304, undefined],
    ] as const) {
      const answer = await ask(front.port, { method, path: `/vm/${itemHash}/${status}` });
      assert.deepEqual([answer.status, answer.headers["content-length"]], [status, length], method);
      assert.deepEqual([answer.headers["content-encoding"], answer.headers.vary], ["gzip", "accept"]);
    }
  });

  test("of a program that was replaced are served by its newest version", async () => {
    const newer = programMessage("newer", { replaces: itemHash });
    await using front = await startFront({
      messages: [program, newer],
      newestVersion: (message) => (message.itemHash === itemHash ? newer : message),
      app: (_request, response) => response.end("ok"),
    });
    for (let count = 0; count < 2; count += 1) {
      const answer = await ask(front.port, { path: `/vm/${itemHash}` });
      assert.deepEqual([answer.status, answer.headers["aleph-program-itemhash"]], [200, newer.itemHash]);
    }
    assert.deepEqual(front.executions.starts, [newer.itemHash]);
  });

  test("hundreds at once are served by one machine", async () => {
    await using front = await startFront({
      messages: [program],
      app: (request, response) => response.end(request.url),
    });
    const paths = Array.from({ length: 200 }, (_, index) => `/${index}`);
    const answers = await Promise.all(
      paths.map((path) => ask(front.port, { path: `/vm/${itemHash}${path}` })),
    );
    assert.deepEqual(
      answers.map(({ body }) => body),
      paths,
    );
    assert.equal(front.executions.starts.length, 1);
  });

  test("of more than the limit get 413, said or not", async () => {
    await using front = await startFront({
      messages: [program],
      settings: { maxRequestBytes: 100_000 },
      app: (request, response) => {
        request.resume().on("end", () => response.end("all"));
      },
    });
    const path = `/vm/${itemHash}/`;
    const fits = await ask(front.port, { method: "POST", path, body: Buffer.alloc(100_000) });
    assert.equal(fits.status, 200);
    const said = await ask(front.port, { method: "POST", path, headers: { "content-length": 100_001 } });
    assert.equal(said.status, 413);
    const chunked = {
      method: "POST",
      path,
      headers: { "transfer-encoding": "chunked" },
      body: Buffer.alloc(200_000),
    };
    const unsaid = await ask(front.port, chunked);
    assert.equal(unsaid.status, 413);
    assert.match(JSON.parse(unsaid.body).error, /at most 100000 bytes/);
    assert.equal((await ask(front.port, { path })).status, 200, "it goes on");
  });
});

describe("what visitors are told instead of an answer", () => {
  const errorOf = async (front: { readonly port: number }, path: string): Promise<unknown[]> => {
    const { status, body } = await ask(front.port, { path });
    return [status, JSON.parse(body).error];
  };

  test("a reference that is no hash, and programs that are not to be run", async () => {
    const quiet = programMessage("quiet", { on: { http: false, message: null, persistent: null } });
    const forgotten = programMessage("forgotten", {}, { status: "forgotten" });
    const instance = { ...programMessage("instance"), type: "INSTANCE" } as never;
    await using front = await startFront({ messages: [quiet, forgotten, instance], app: () => {} });
    assert.deepEqual(await errorOf(front, "/vm/nothing/x"), [400, "Invalid message reference: nothing"]);
    const unknown = hashOf("unknown");
    assert.deepEqual(await errorOf(front, `/vm/${unknown}`), [500, `Item hash ${unknown} not found`]);
    for (const label of ["quiet", "forgotten", "instance"]) {
      assert.equal((await errorOf(front, `/vm/${hashOf(label)}`))[0], 404, label);
    }
    assert.deepEqual(front.executions.starts, []);
  });

  const failures: readonly [
    code: ConstructorParameters<typeof ExecutionError>[0],
    status: number,
    text: string,
  ][] = [
    ["IMAGE_DOWNLOAD_FAILED", 400, "Code, runtime or data not available"],
    ["NO_CAPACITY", 503, "This CRN cannot host the requested workload at this time."],
    ["IMAGE_INVALID", 500, "the reason"],
    ["GUEST_SETUP_FAILED", 500, "Error during vm initialisation"],
    ["GUEST_INIT_FAILED", 500, "Error during runtime initialisation"],
    ["NETWORK_FAILED", 500, "Host did not respond to ping"],
    ["BUSY", 503, "the reason"],
    ["HYPERVISOR_FAILED", 500, "Unhandled error during initialisation"],
  ];
  for (const [code, status, text] of failures) {
    test(`a start that fails with ${code}; it is not tried again for each request`, async () => {
      await using front = await startFront({
        messages: [program],
        app: () => {},
        start: () => Promise.reject(new ExecutionError(code, "the reason")),
      });
      assert.deepEqual(await errorOf(front, `/vm/${itemHash}`), [status, text]);
      assert.deepEqual(await errorOf(front, `/vm/${itemHash}`), [status, text]);
      assert.equal(front.executions.starts.length, 1);
    });
  }

  test("a guest that ends before it answers: 502, and the next request starts it anew", async () => {
    await using front = await startFront({
      messages: [program],
      app: (request, response) => {
        if (request.url === "/end") front.guests.get(itemHash)?.kill();
        else response.end("alive");
      },
    });
    assert.equal((await ask(front.port, { path: `/vm/${itemHash}/` })).body, "alive");
    const ended = await ask(front.port, { path: `/vm/${itemHash}/end` });
    assert.deepEqual([ended.status, ended.body], [502, "VM did not respond and was shut down"]);
    assert.deepEqual(front.unresponsive, [itemHash]);
    assert.equal((await ask(front.port, { path: `/vm/${itemHash}/` })).body, "alive");
    assert.equal(front.executions.starts.length, 2);
    await counted(front, requestsOf("2xx"), 2);
    await counted(front, requestsOf("5xx"), 1);
    await counted(front, "twentysix_cold_start_duration_seconds_count", 2);
  });

  test("are counted by how they end: what a program says itself is no refusal of the node", async () => {
    const asked = new EventEmitter();
    await using front = await startFront({
      messages: [program],
      app: (request, response) => {
        if (request.url === "/never") asked.emit("never");
        else response.writeHead(request.url === "/busy" ? 503 : 302).end();
      },
    });
    assert.equal((await ask(front.port, { path: `/vm/${itemHash}/busy` })).status, 503);
    assert.equal((await ask(front.port, { path: `/vm/${itemHash}/` })).status, 302);
    const leaving = httpRequest({ host: "127.0.0.1", port: front.port, path: `/vm/${itemHash}/never` });
    leaving.on("error", () => undefined).end();
    await once(asked, "never");
    leaving.destroy();
    await counted(front, requestsOf("5xx"), 1);
    await counted(front, requestsOf("3xx"), 1);
    await counted(front, requestsOf("broken"), 1);
    assert.equal((await ask(front.port, { path: "/about/usage/system" })).status, 200);
    const metrics = await front.metrics();
    assert.equal(metrics.get('twentysix_function_refusals_total{status="503"}'), 0);
    assert.equal(metrics.get(requestsOf("2xx")), 0, "the node's own routes are none of them");
  });

  test("a program that does not answer in its time: 504, and after several its machine is stopped", async () => {
    const slow = programMessage("slow", {
      resources: { vcpus: 1, memory: 128, seconds: 1, published_ports: null },
    });
    await using front = await startFront({
      messages: [slow],
      app: () => {},
      settings: { slowness: () => 0.05 },
    });
    for (let count = 0; count < 3; count += 1) {
      const text = "Program did not respond within `resource.seconds`";
      assert.deepEqual(await errorOf(front, `/vm/${slow.itemHash}`), [504, text]);
    }
    assert.deepEqual(front.unresponsive, [slow.itemHash]);
  });

  test("a visitor who sends a body slowly takes time of his own: 408, and the program goes on", async () => {
    const quick = programMessage("quick", {
      resources: { vcpus: 1, memory: 128, seconds: 1, published_ports: null },
    });
    const open = (settings: Partial<FunctionSettings>) =>
      startFront({
        messages: [quick],
        app: (request, response) => void request.resume().once("end", () => response.end("thanks")),
        settings,
      });
    const begin = async (front: Awaited<ReturnType<typeof open>>): Promise<Socket> => {
      const socket = connect(front.port, "127.0.0.1").setEncoding("utf8");
      socket.write(`POST /vm/${quick.itemHash} HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0123456789`);
      await once(front.server, "request");
      return socket;
    };
    await using strict = await open({ bodyTimeoutMs: 100 });
    for (let count = 0; count < 3; count += 1) {
      const [answer] = await once(await begin(strict), "data");
      assert.match(String(answer), /^HTTP\/1\.1 408 [\s\S]*did not come within/);
    }
    assert.deepEqual(strict.unresponsive, []);
    await using patient = await open({ bodyTimeoutMs: 60_000 });
    const late = await begin(patient);
    await setTimeout(1_200);
    late.write("0123456789");
    const [answer] = await once(late, "data");
    assert.match(String(answer), /^HTTP\/1\.1 200 /, "longer than the program has to answer");
    late.destroy();
  });

  test("a program that asks for years to answer has as long as a stream may last", async () => {
    const slow = programMessage("years", {
      resources: { vcpus: 1, memory: 128, seconds: 315_360_000, published_ports: null },
    });
    await using front = await startFront({ messages: [slow], app: () => {}, settings: { maxStreamMs: 50 } });
    assert.equal((await ask(front.port, { path: `/vm/${slow.itemHash}` })).status, 504);
  });

  test("an answer that is announced again and again, and never comes: 502", async () => {
    await using front = await startFront({
      messages: [program],
      app: ({ socket }) => {
        socket.on("error", () => {});
        const announce = (): void => {
          while (socket.writable && socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)));
        };
        socket.on("drain", announce);
        announce();
      },
    });
    const answer = await ask(front.port, { path: `/vm/${itemHash}` });
    assert.deepEqual([answer.status, answer.reason], [502, "Invalid response from VM"]);
  });

  test("an answer that is none: 502 without a body", async () => {
    await using front = await startFront({
      messages: [program],
      app: (request) => void request.socket.end("this is no HTTP\r\n\r\n"),
    });
    const answer = await ask(front.port, { path: `/vm/${itemHash}` });
    assert.deepEqual([answer.status, answer.reason, answer.body], [502, "Invalid response from VM", ""]);
  });

  for (const showsTracebacks of [true, false]) {
    test(`a traceback of the program ${showsTracebacks ? "where they are shown" : "stays here"}`, async () => {
      await using front = await startFront({
        messages: [program],
        settings: { showsTracebacks: () => showsTracebacks },
        app: (_request, response) => {
          response.writeHead(500, { "aleph-traceback": "1", "content-type": "text/plain" });
          response.end("Traceback (most recent call last): secret");
        },
      });
      const answer = await ask(front.port, { path: `/vm/${itemHash}` });
      assert.equal(answer.status, 500);
      assert.equal(answer.body.includes("Traceback"), showsTracebacks);
      assert.equal(answer.headers["aleph-traceback"], undefined);
    });
  }

  test("too many cold starts of one client: 429 with when to come back", async () => {
    const programs = ["a", "b", "c"].map((label) => programMessage(label));
    await using front = await startFront({
      messages: programs,
      settings: { coldStarts: { perMinute: 1, burst: 2, simultaneous: 2, waiting: 4 } },
      app: (_request, response) => response.end("ok"),
    });
    const statuses: number[] = [];
    for (const { itemHash: hash } of programs)
      statuses.push((await ask(front.port, { path: `/vm/${hash}` })).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    const refused = await ask(front.port, { path: `/vm/${programs[2]?.itemHash}` });
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.equal(
      (await ask(front.port, { path: `/vm/${programs[0]?.itemHash}` })).status,
      200,
      "what runs is served",
    );
    await counted(front, 'twentysix_function_refusals_total{status="429"}', 2);
    await counted(front, requestsOf("4xx"), 2);
  });

  describe("of clients behind a proxy", () => {
    const limited = { coldStarts: { perMinute: 1, burst: 1, simultaneous: 2, waiting: 4 } };
    const programs = ["a", "b", "c", "d"].map((label) => programMessage(label));
    const statuses = async (trustedProxies: readonly string[], forwarded: readonly string[]) => {
      await using front = await startFront({
        messages: programs,
        settings: { ...limited, trustedProxies },
        app: (_request, response) => response.end("ok"),
      });
      const found: number[] = [];
      for (const [index, client] of forwarded.entries()) {
        const headers = { "x-forwarded-for": client };
        found.push((await ask(front.port, { path: `/vm/${programs[index]?.itemHash}`, headers })).status);
      }
      return found;
    };

    test("cold starts are counted for each of them, where the proxy is trusted", async () => {
      const clients = ["203.0.113.1", "203.0.113.2", "203.0.113.1"];
      assert.deepEqual(await statuses(["127.0.0.0/8"], clients), [200, 200, 429]);
    });

    test("and none of them takes all places of a program", async () => {
      const arrived: ServerResponse[] = [];
      const app = new EventEmitter();
      await using front = await startFront({
        messages: programs,
        settings: { trustedProxies: ["127.0.0.1"], maxRequestsPerClient: 2 },
        app: (_request, response) => {
          arrived.push(response);
          app.emit("arrived");
        },
      });
      const visit = (client: string) => {
        const headers = { "x-forwarded-for": client };
        return ask(front.port, { path: `/vm/${programs[0]?.itemHash}`, headers });
      };
      const greedy = [visit("203.0.113.1"), visit("203.0.113.1")];
      while (arrived.length < 2) await once(app, "arrived");
      const refused = await visit("203.0.113.1");
      assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "1"]);
      const other = visit("203.0.113.2");
      while (arrived.length < 3) await once(app, "arrived");
      for (const response of arrived) response.end("ok");
      for (const { status } of await Promise.all([...greedy, other])) assert.equal(status, 200);
      const again = visit("203.0.113.1");
      while (arrived.length < 4) await once(app, "arrived");
      arrived[3]?.end("ok");
      assert.equal((await again).status, 200, "places come back");
    });

    test("and for whoever connects where it is not: anybody can write that header", async () => {
      const clients = ["203.0.113.1", "203.0.113.2"];
      assert.deepEqual(await statuses([], clients), [200, 429]);
    });

    test("what a client writes before the proxy does is not believed, and a customer's IPv6 is one", async () => {
      const clients = ["1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1", "2001:db8::1", "2001:db8::2"];
      assert.deepEqual(await statuses(["127.0.0.1"], clients), [200, 429, 200, 429]);
    });
  });
});
