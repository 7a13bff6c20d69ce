import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { apiSource } from "../../src/peers/sources/api-source.ts";
import { MemoryRoom } from "../../src/peers/sources/memory-room.ts";

const HASH = "ab".repeat(32);
const never = new AbortController().signal;

interface Server extends AsyncDisposable {
  readonly port: number;
  readonly asked: string[];
}

async function serve(answer: RequestListener): Promise<Server> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const sourceAt = ({ port }: Server, allowsPrivate = true, jsonRoom = new MemoryRoom(1_000)) =>
  apiSource({ apiUrl: `http://127.0.0.1:${port}/`, allowsPrivate, maxBytes: 1_000, jsonRoom });

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(bytes)).toString();
}

describe("the API of a node of the existing network", { timeout: 30_000 }, () => {
  test("gives a file raw, or in JSON where it does not", async () => {
    await using raw = await serve((_request, response) => response.end("raw bytes"));
    const answer = await sourceAt(raw).ask(HASH, never);
    assert.equal(await textOf(answer?.bytes ?? assert.fail()), "raw bytes");
    assert.deepEqual(raw.asked, [`/api/v0/storage/raw/${HASH}`]);

    await using json = await serve(({ url = "" }, response) => {
      const content = Buffer.from("x".repeat(200))
        .toString("base64")
        .replaceAll(/(.{76})/g, "$1\n");
      if (url.includes("/raw/")) response.writeHead(404).end();
      else response.end(JSON.stringify({ status: "success", hash: HASH, engine: "storage", content }));
    });
    const other = await sourceAt(json).ask(HASH, never);
    assert.equal(await textOf(other?.bytes ?? assert.fail()), "x".repeat(200));
  });

  test("has nothing where it refuses, redirects, or says that it sends too much", async () => {
    await using target = await serve((_request, response) => response.end("elsewhere"));
    await using server = await serve((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end();
    });
    assert.equal(await sourceAt(server).ask(HASH, never), null);
    assert.deepEqual(target.asked, []);
    await using refusing = await serve((_request, response) => response.writeHead(503).end("{}"));
    assert.equal(await sourceAt(refusing).ask(HASH, never), null);
    await using large = await serve(({ url = "" }, response) => {
      if (!url.includes("/raw/")) response.writeHead(413).end();
      else response.end(Buffer.alloc(1_001));
    });
    assert.equal(await sourceAt(large).ask(HASH, never), null);
  });

  test("is cut off when it sends more than is taken without having said so", async () => {
    await using server = await serve((_request, response) => {
      response.write(Buffer.alloc(900));
      response.write(Buffer.alloc(900));
    });
    const answer = await sourceAt(server).ask(HASH, never);
    await assert.rejects(textOf(answer?.bytes ?? assert.fail()), { code: "NETWORK_PEER_FAILED" });
  });

  test("takes no more memory with files in JSON than there is for those of all sources together", async () => {
    const room = new MemoryRoom(1_000);
    const answerOf = (content: string) => JSON.stringify({ status: "success", content: btoa(content) });
    await using json = await serve(({ url = "" }, response) => {
      if (url.includes("/raw/")) response.writeHead(404).end();
      else response.end(answerOf("x".repeat(450)));
    });
    await using nonsense = await serve(({ url = "" }, response) => {
      if (url.includes("/raw/")) response.writeHead(404).end();
      else response.end("x".repeat(900));
    });
    const source = sourceAt(json, true, room);
    assert.equal(await sourceAt(nonsense, true, room).ask(HASH, never), null);
    const first = (await source.ask(HASH, never)) ?? assert.fail();
    assert.equal(await source.ask(HASH, never), null, "the first stands in memory still");
    first.end();
    first.end();
    const next = (await source.ask(HASH, never)) ?? assert.fail();
    assert.equal(await source.ask(HASH, never), null);
    assert.equal(await textOf(next.bytes), "x".repeat(450));
  });

  test("is not called in a private network by a node of a public one, by its address or by a name", async () => {
    await using server = await serve((_request, response) => response.end("secret"));
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433"]) {
      const apiUrl = `http://${host}:${server.port}`;
      const source = apiSource({
        apiUrl,
        allowsPrivate: false,
        maxBytes: 1_000,
        jsonRoom: new MemoryRoom(1_000),
      });
      await assert.rejects(source.ask(HASH, never), { code: "NETWORK_PEER_FAILED" }, host);
    }
    assert.deepEqual(server.asked, []);
  });
});
