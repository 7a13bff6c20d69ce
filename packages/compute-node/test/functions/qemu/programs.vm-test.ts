import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { type ProgramNode, startProgramNode } from "../support/program-node.ts";

const APP = `
import aiohttp, asyncio, os, random, secrets, uuid, sys
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

app = FastAPI()
boot = {"urandom": os.urandom(16).hex(), "random": random.random(), "uuid": str(uuid.uuid4()),
        "secret": secrets.token_hex(16), "bits": random.getrandbits(128)}

@app.get("/")
async def root():
    return {"hello": "world"}

@app.get("/random")
async def randoms():
    return {**boot, "later": os.urandom(16).hex(), "later random": random.random(), "choice": secrets.randbelow(2**64)}

@app.get("/stream")
async def stream():
    async def parts():
        for number in range(5):
            yield f"part {number};"
            await asyncio.sleep(0.01)
    return StreamingResponse(parts(), media_type="text/plain")

@app.post("/echo")
async def echo(request: Request):
    return {"length": len(await request.body())}

@app.get("/cache")
async def cache():
    connector = aiohttp.UnixConnector(path=os.environ["ALEPH_API_UNIX_SOCKET"])
    async with aiohttp.ClientSession(base_url=os.environ["ALEPH_API_HOST"], connector=connector) as session:
        await session.put("/cache/name", data=b"kept by the host")
        async with session.get("/cache/name") as answer:
            value = await answer.text()
        async with session.get("/properties") as answer:
            return {"value": value, "properties": answer.status}

@app.get("/end")
async def end():
    os._exit(3)

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text("you said " + await socket.receive_text())
`;

describe("programs in real QEMU", { timeout: 900_000 }, () => {
  let node: ProgramNode;
  before(async () => {
    node = await startProgramNode();
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
  });

  const get = async (hash: string, path = "/"): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${node.url}/vm/${hash}${path}`);
    assert.equal(answer.status, 200, JSON.stringify(node.log.records.slice(-3)));
    return (await answer.json()) as Record<string, unknown>;
  };

  test("one is booted for its first visitor, and a template is made of its runtime", async () => {
    const { itemHash } = node.publish("first", APP);
    assert.deepEqual(await get(itemHash), { hello: "world" });
    await node.functions.runner.whenTemplatesAreMade();
    const made = node.log.records.filter(({ message }) => message === "a template was made");
    assert.equal(made.length, 1, JSON.stringify(node.log.records));
  });

  test("answers stream, bodies go in, and WebSockets stay open", async () => {
    const { itemHash } = node.publish("first", APP);
    const stream = await fetch(`${node.url}/vm/${itemHash}/stream`);
    assert.equal(await stream.text(), "part 0;part 1;part 2;part 3;part 4;");
    const body = Buffer.alloc(2_000_000, 7);
    const echo = await fetch(`${node.url}/vm/${itemHash}/echo`, { method: "POST", body });
    assert.deepEqual(await echo.json(), { length: 2_000_000 });
    const socket = new WebSocket(`${node.url.replace("http", "ws")}/vm/${itemHash}/ws`);
    await once(socket, "open");
    for (const text of ["one", "two"]) {
      socket.send(text);
      const [said] = await once(socket, "message");
      assert.equal(String(said), `you said ${text}`);
    }
    socket.close();
    await once(socket, "close");
  });

  test("they keep values with their host, and have no more of it than their message asks for", async () => {
    const { itemHash } = node.publish("first", APP);
    assert.deepEqual(await get(itemHash, "/cache"), { value: "kept by the host", properties: 403 });
  });

  test("eight resumed at once share no random output, neither before nor after their code is loaded", async () => {
    const programs = Array.from({ length: 8 }, (_, index) => node.publish(`clone ${index}`, APP));
    const answers = await Promise.all(programs.map(({ itemHash }) => get(itemHash, "/random")));
    for (const kind of Object.keys(answers[0] ?? {})) {
      const values = answers.map((answer) => answer[kind]);
      assert.equal(new Set(values).size, 8, `${kind}: ${values.join(", ")}`);
    }
    const warnings = node.log.records.filter(({ level }) => level === "warn");
    assert.deepEqual(warnings, [], "all of them continued from the template");
  });

  test("they go on when the node dies, and the next one takes them over", async () => {
    const { itemHash } = node.publish("first", APP);
    const before = await get(itemHash, "/random");
    const pid = node.executions.manager.running(itemHash)?.pid;
    await node.crash();
    const after = await get(itemHash, "/random");
    assert.equal(after.urandom, before.urandom, "the same process of the program answers");
    assert.equal(node.executions.manager.running(itemHash)?.pid, pid);
  });

  test("one that ends gets 502 for who asked, and a new machine for the next", async () => {
    const { itemHash } = node.publish("first", APP);
    const before = await get(itemHash, "/random");
    const ended = await fetch(`${node.url}/vm/${itemHash}/end`);
    assert.deepEqual([ended.status, await ended.text()], [502, "VM did not respond and was shut down"]);
    const after = await get(itemHash, "/random");
    assert.notEqual(after.urandom, before.urandom);
  });

  test("one whose code fails is told of as the reference does", async () => {
    const { itemHash } = node.publish("broken", "raise ValueError('not today')");
    const answer = await fetch(`${node.url}/vm/${itemHash}/`);
    assert.deepEqual(
      [answer.status, await answer.json()],
      [500, { error: "Error during vm initialisation", code: "GUEST_SETUP_FAILED" }],
    );
    const reason = node.executions.manager.get(itemHash)?.reason;
    assert.equal(reason?.code, "GUEST_SETUP_FAILED");
    assert.match(reason?.text ?? "", /not today/);
  });
});
