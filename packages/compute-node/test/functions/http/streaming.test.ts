import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { hashLabel } from "../../../src/functions/http/hash-label.ts";
import { startFront } from "../support/front-on-guests.ts";
import { programMessage } from "../support/program-message.ts";

const program = programMessage("streaming");
const { itemHash } = program;

describe("answers that come bit by bit", () => {
  test("server-sent events arrive one by one, while the program holds the next one back", async () => {
    const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
    await using front = await startFront({
      messages: [program],
      app: async (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: one\n\n");
        await mayGoOn;
        response.end("data: two\n\n");
      },
    });
    const [response] = (await once(get(`${front.url}/vm/${itemHash}/`), "response")) as [IncomingMessage];
    response.setEncoding("utf8");
    const [first] = await once(response, "data");
    assert.equal(first, "data: one\n\n");
    const ended = once(response, "end");
    const next = once(response, "data");
    goOn();
    assert.deepEqual(await next, ["data: two\n\n"]);
    await ended;
  });

  test("a body of many megabytes goes through both ways unchanged", async () => {
    await using front = await startFront({
      messages: [program],
      app: (request, response) => {
        response.writeHead(200);
        request.pipe(response);
      },
    });
    const body = Buffer.alloc(9_000_000, "0123456789abcdef");
    const answer = await fetch(`${front.url}/vm/${itemHash}/`, { method: "POST", body });
    const got = Buffer.from(await answer.arrayBuffer());
    const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    assert.equal(digest(got), digest(body));
  });

  test("a visitor that leaves ends the request in the guest", async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    await using front = await startFront({
      messages: [program],
      app: (_request, response) => {
        response.write("begin");
        response.once("close", resolve);
      },
    });
    const request = httpRequest(`${front.url}/vm/${itemHash}/`);
    request.on("error", () => {});
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {});
    await once(response, "data");
    request.destroy();
    await left;
    assert.deepEqual(front.unresponsive, [], "that is no failure of the program");
  });

  test("an answer that carries nothing any more is ended", async () => {
    await using front = await startFront({
      messages: [program],
      settings: { stallTimeoutMs: 50 },
      app: (_request, response) => void response.write("begin"),
    });
    const answer = await fetch(`${front.url}/vm/${itemHash}/`);
    await assert.rejects(answer.text());
  });

  test("a program that is used is not stopped, and one that is not is", async () => {
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    await using front = await startFront({
      messages: [program],
      settings: { reuseTimeoutMs: 0 },
      app: async (_request, response) => {
        response.write("begin");
        await mayEnd;
        response.end();
      },
    });
    const answer = await fetch(`${front.url}/vm/${itemHash}/`);
    assert.deepEqual(front.executions.stops, []);
    end();
    await answer.text();
    while (front.executions.stops.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(front.executions.stops, [itemHash]);
  });
});

describe("WebSockets", () => {
  const echo = {
    app: (_request: IncomingMessage, response: { end(text: string): void }) => response.end("no socket"),
    onApp: (server: import("node:http").Server) => {
      new WebSocketServer({ server, path: "/echo" }).on("connection", (socket, request) => {
        socket.send(`hello ${request.url}`);
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
    },
  };

  test("go through to the program, by path and by host", async () => {
    await using front = await startFront({ messages: [program], ...echo });
    for (const [url, host] of [
      [`/vm/${itemHash}/echo`, "localhost"],
      ["/echo", `${hashLabel(itemHash)}.crn.example.org`],
    ] as const) {
      const socket = new WebSocket(front.url.replace("http", "ws") + url, { headers: { host } });
      const [greeting] = await once(socket, "message");
      assert.equal(String(greeting), "hello /echo");
      const sent = Buffer.alloc(300_000, 7);
      socket.send(sent);
      const [got, isBinary] = await once(socket, "message");
      assert.deepEqual([Buffer.compare(got as Buffer, sent), isBinary], [0, true]);
      socket.close(1000, "done");
      const [code] = await once(socket, "close");
      assert.equal(code, 1000);
    }
  });

  test("that the program refuses get its answer", async () => {
    await using front = await startFront({
      messages: [program],
      app: () => {},
      onApp: (server) =>
        server.on("upgrade", (_request, socket) =>
          socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
        ),
    });
    const socket = new WebSocket(`${front.url.replace("http", "ws")}/vm/${itemHash}/`);
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    assert.equal(response.statusCode, 403);
    response.resume();
    assert.equal(response.headers["aleph-program-itemhash"], itemHash);
  });

  test("of no program get 404", async () => {
    await using front = await startFront({ messages: [program], ...echo });
    const socket = new WebSocket(`${front.url.replace("http", "ws")}/nothing`);
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    assert.equal(response.statusCode, 404);
    response.resume();
  });

  test("a visitor that vanishes in the middle of one ends it in the guest", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using front = await startFront({
      messages: [program],
      app: () => {},
      onApp: (server) => {
        new WebSocketServer({ server }).on("connection", (socket) => socket.on("close", () => resolve()));
      },
    });
    const raw = connect(front.port, "127.0.0.1");
    raw.write(
      `GET /vm/${itemHash}/ HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    const [head] = await once(raw, "data");
    assert.match(String(head), /^HTTP\/1.1 101 [\s\S]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
    raw.destroy();
    await closed;
  });
});
