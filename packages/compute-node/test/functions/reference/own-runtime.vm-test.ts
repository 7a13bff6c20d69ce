import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openFile } from "@twentysix/sdk/node";
import { startTestComputeNode } from "../../support/test-compute-node.ts";
import { startCoreNode } from "../support/core-node.ts";
import { hashOf } from "../support/program-message.ts";
import { type ProgramNode, startProgramNode } from "../support/program-node.ts";
import { ownRuntime } from "./own-runtime.ts";

const vsockProgram = process.env.TWENTYSIX_TEST_VSOCK_DEVICE;
const skip = vsockProgram === undefined && "TWENTYSIX_TEST_VSOCK_DEVICE names no vsock device of rust-vmm";

const APP = `
import json, os, socket
events = []

async def app(scope, receive, send):
    event = await receive()
    if scope["type"] == "aleph.message":
        events.append(json.loads(event["body"])["item_hash"])
        await send({"type": "aleph.message.done"})
        return
    path = scope["path"]
    if path == "/fails":
        raise ValueError("as asked")
    if path == "/api":
        body = api("PUT /cache/name HTTP/1.1", b"kept by the host") + api("GET /cache/name HTTP/1.1", b"")
    else:
        body = json.dumps({"version": os.environ["ALEPH_INIT_VERSION"], "variable": os.environ.get("NAME"),
            "events": events, "query": text(scope["query_string"]), "method": scope["method"],
            "length": len(event["body"]), "kept": open("/opt/kept").read() if os.path.exists("/opt/kept") else None,
            "network": [name for _, name in socket.if_nameindex()]}).encode()
    if path == "/keep":
        open("/opt/kept", "w").write(text(scope["query_string"]))
    await send({"type": "http.response.start", "status": 201, "headers": [[b"x-own", b"yes"]]})
    await send({"type": "http.response.body", "body": body})

def text(value):
    return value.decode() if isinstance(value, bytes) else value

def api(line, body):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["ALEPH_API_UNIX_SOCKET"])
        head = f"{line}\\r\\nHost: localhost\\r\\nContent-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n"
        connection.sendall(head.encode() + body)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer.split(b"\\r\\n\\r\\n", 1)[1]
`;
const signal = AbortSignal.timeout(800_000);
const code = (label: string) => ({
  encoding: "plain" as const,
  entrypoint: "app",
  ref: hashOf(`${label} code`),
  interface: "asgi" as const,
  args: null,
  use_latest: false,
});

describe("a runtime whose init speaks the reference's protocol on vsock", { skip, timeout: 900_000 }, () => {
  let node: ProgramNode;
  let hash = "";
  const visit = async (path: string, init: RequestInit = {}) =>
    await fetch(`${node.url}/vm/${hash}${path}`, { ...init, signal });
  const told = async (path = "/") => (await (await visit(path)).json()) as Record<string, unknown>;
  before(async () => {
    const runtimePath = await ownRuntime({ version: "2.0.0", suitsAgent: false }, signal);
    node = await startProgramNode({}, {}, { runtimePath, vsockProgram: vsockProgram ?? "" });
    const content = {
      code: code("own"),
      variables: { NAME: "value" },
      environment: { reproducible: false, internet: true, aleph_api: true, shared_cache: false },
    };
    hash = node.publish("own", APP, content).itemHash;
  });
  after(() => node[Symbol.asyncDispose]());

  test("runs a program where our agent cannot", async () => {
    const answer = await visit("/path?a=b", { method: "POST", body: "12345" });
    assert.deepEqual([answer.status, answer.headers.get("x-own")], [201, "yes"]);
    const { network, ...rest } = (await answer.json()) as { network: string[] };
    assert.deepEqual(rest, {
      ...{ version: "2.0.0", variable: "value", events: [], query: "a=b", method: "POST" },
      ...{ length: 5, kept: null },
    });
    assert.deepEqual(network, ["lo", "eth0"]);
  });

  test("reaches the API of its host", async () => {
    assert.equal(await (await visit("/api")).text(), "truekept by the host");
  });

  test("tells of a program that fails, and serves on", async () => {
    assert.equal((await visit("/fails")).status, 500);
    assert.equal((await visit("/")).status, 201);
  });

  test("goes on when the node dies, and the next one takes it over with its API", async () => {
    await told("/keep?before");
    await node.crash();
    assert.equal((await told()).kept, "before");
    assert.equal(await (await visit("/api")).text(), "truekept by the host");
  });

  test("is told to end, and leaves no process and no socket", async () => {
    const machine = await node.hypervisor.find(hash, signal);
    assert.ok(machine);
    await node.executions.manager.stop(hash, null, signal);
    assert.equal((await machine.exited).reason, "guest-shutdown", "it obeys");
    for (const name of ["vsock.sock", "vsock.sock_53", "vsock-device.sock"]) {
      assert.equal(existsSync(join(machine.runDir, name)), false, name);
    }
    const { orphans } = await node.hypervisor.helper.call<{ orphans: unknown[] }>("inventory", {}, signal);
    assert.deepEqual(orphans, []);
  });
});

test("a runtime that suits our agent has its own init where the operator wants that", {
  skip,
  timeout: 600_000,
}, async () => {
  const runtimePath = await ownRuntime({ version: "1.0.0", suitsAgent: true }, signal);
  const ask = async (prefersOwnInit: boolean) => {
    const host = { runtimePath, vsockProgram: vsockProgram ?? "" };
    await using node = await startProgramNode({}, { prefersOwnInit }, host);
    const { itemHash } = node.publish("own", APP, { code: code("own") });
    const answer = await fetch(`${node.url}/vm/${itemHash}/`, { signal });
    return [answer.status, ((await answer.json()) as Record<string, unknown>).version];
  };
  assert.deepEqual(await ask(true), [201, "1.0.0"]);
  assert.deepEqual(await ask(false), [201, "3.0.0"], "our agent");
});

const ADDRESSES = `
import json, subprocess

def ask(*words):
    return json.loads(subprocess.run(["/usr/bin/ip", "-j", *words], check=True, capture_output=True).stdout)

async def app(scope, receive, send):
    addresses = [each["local"] for each in ask("address", "show", "dev", "eth0")[0]["addr_info"]]
    routes = [each["gateway"] for each in ask("route", "show", "default")]
    body = json.dumps({"addresses": addresses, "routes": routes}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
`;

test("a program of a signed message has the network of its host on its runtime's own init", {
  skip,
  timeout: 300_000,
}, async () => {
  await using core = await startCoreNode();
  const { client, account } = core;
  const runtimePath = await ownRuntime({ version: "2.0.0", suitsAgent: false }, signal);
  const runtime = await client.storeFile({ account, file: await openFile(runtimePath), sync: true });
  const source = await client.storeFile({ account, file: new Blob([ADDRESSES]), sync: true });
  const { itemHash } = await client.createProgram({
    account,
    sync: true,
    content: {
      ...{ type: "vm-function", allow_amend: false, on: { http: true }, volumes: [] },
      code: {
        encoding: "plain",
        entrypoint: "app",
        interface: "asgi",
        ref: source.itemHash,
        use_latest: false,
      },
      runtime: { ref: runtime.itemHash, use_latest: false, comment: "" },
      environment: { reproducible: false, internet: true, aleph_api: false, shared_cache: false },
      resources: { vcpus: 1, memory: 256, seconds: 30 },
    },
  });
  await using compute = await startTestComputeNode([core.apiUrl], {}, undefined, vsockProgram);
  const answer = await fetch(`${compute.node.apiUrl}/vm/${itemHash}/`, { signal });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  const list = await (await fetch(`${compute.node.apiUrl}/v2/about/executions/list`, { signal })).json();
  const network = list[itemHash].networking.ipv4_network.replace(/\.0\/24$/, "");
  const { addresses, routes } = JSON.parse(text);
  assert.equal(addresses[0], `${network}.2`);
  assert.deepEqual(routes, [`${network}.1`]);
});

test("a runtime that our agent cannot run in is refused with the reason where there is no vsock", {
  timeout: 300_000,
}, async () => {
  const runtimePath = await ownRuntime({ version: "2.0.0", suitsAgent: false }, signal);
  await using node = await startProgramNode(
    {},
    { initTimeoutMs: 3_000 },
    { runtimePath, vsockProgram: "no-such-device" },
  );
  const { itemHash } = node.publish("own", APP, { code: code("own") });
  const answer = await fetch(`${node.url}/vm/${itemHash}/`, { signal });
  assert.equal(answer.status, 500);
  const [execution] = node.executions.manager.list();
  assert.match(
    execution?.reason?.text ?? "",
    /^The runtime did not start: .*; its own init needs vsock: no-such-device of rust-vmm is not installed/s,
  );
});
