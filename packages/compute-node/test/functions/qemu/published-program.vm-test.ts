import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { after, before, describe, test } from "node:test";
import { functionRuntime } from "../../../src/images/build/function-runtimes.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";
import { type ComputeProcess, startComputeProcess } from "../support/compute-process.ts";
import { type CoreNode, startCoreNode } from "../support/core-node.ts";

const app = (version: string): string => `
import json, os
from fastapi import FastAPI

seen = []
inner = FastAPI()

@inner.get("/")
async def root():
    return {"version": "${version}"}

born = os.urandom(16).hex()

@inner.get("/born")
async def birth():
    return born

@inner.get("/seen")
async def messages():
    return seen

async def app(scope, receive, send):
    if scope["type"] == "aleph.message":
        event = await receive()
        seen.append(json.loads(event["body"])["content"]["content"])
        await send({"type": "aleph.return", "content": "ok"})
        return
    await inner(scope, receive, send)
`;

describe("a program that is published by a signed message", { timeout: 900_000 }, () => {
  let core: CoreNode;
  let node: ComputeProcess;
  let programHash: string;
  let codeHash: string;
  before(async () => {
    core = await startCoreNode();
    node = await startComputeProcess(core.apiUrl);
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await core?.[Symbol.asyncDispose]();
  });

  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${node.url}/vm/${programHash}${path}`);
    if (answer.status !== 200) return [answer.status, await answer.text()];
    return await answer.json();
  };
  const until = async (path: string, wanted: unknown): Promise<void> => {
    for (let tries = 0; tries < 300; tries += 1) {
      if (JSON.stringify(await get(path)) === JSON.stringify(wanted)) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.deepEqual(await get(path), wanted);
  };

  test("answers over HTTP", async () => {
    const { client, account } = core;
    const python = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(AbortSignal.timeout(600_000)));
    const runtime = await client.storeFile({
      account,
      file: await openAsBlob(python.squashfsPath),
      sync: true,
    });
    const code = await client.storeFile({ account, file: new Blob([app("one")]), sync: true });
    codeHash = code.itemHash;
    const { itemHash } = await client.createProgram({
      account,
      sync: true,
      content: {
        type: "vm-function",
        allow_amend: false,
        code: { encoding: "plain", entrypoint: "app", interface: "asgi", ref: codeHash, use_latest: true },
        runtime: { ref: runtime.itemHash, use_latest: false, comment: "Python" },
        environment: { reproducible: false, internet: true, aleph_api: true, shared_cache: false },
        resources: { vcpus: 1, memory: 256, seconds: 30 },
        on: { http: true, message: [{ type: "POST", channel: "TRIGGER" }] },
        volumes: [],
      },
    });
    programHash = itemHash;
    assert.deepEqual(await get("/"), { version: "one" });
  });

  test("runs for a message that it subscribed to", async () => {
    const { client, account } = core;
    await client.createPost({
      account,
      type: "note",
      content: { text: "other" },
      channel: "OTHER",
      sync: true,
    });
    await client.createPost({
      account,
      type: "note",
      content: { text: "hello" },
      channel: "TRIGGER",
      sync: true,
    });
    await until("/seen", [{ text: "hello" }]);
  });

  test("goes on when the node is killed, and the next node takes it over", async () => {
    const [born, machines] = [await get("/born"), await node.machines()];
    assert.ok(machines.has(programHash));
    await node.killAndRestart();
    assert.equal(await get("/born"), born);
    assert.equal((await node.machines()).get(programHash), machines.get(programHash));
  });

  test("follows its code when its owner publishes newer code", async () => {
    const { client, account } = core;
    await client.storeFile({ account, file: new Blob([app("two")]), ref: codeHash, sync: true });
    await until("/", { version: "two" });
  });

  test("is not run any more when its owner forgets it", async () => {
    const { client, account } = core;
    await client.forget({ account, itemHashes: [programHash], sync: true });
    for (let tries = 0; tries < 300; tries += 1) {
      const answer = await fetch(`${node.url}/vm/${programHash}/`);
      await answer.text();
      if (answer.status !== 200 && !(await node.machines()).has(programHash)) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.fail(`still answers ${JSON.stringify(await get("/"))}`);
  });
});
