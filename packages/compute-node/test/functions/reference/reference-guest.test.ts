import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createSystemTimers } from "@twentysix/platform";
import fc from "fast-check";
import { referenceConfiguration } from "../../../src/functions/reference/reference-configuration.ts";
import { ReferenceGuest } from "../../../src/functions/reference/reference-guest.ts";
import { readScopeReply } from "../../../src/functions/reference/scope-reply.ts";
import { listenForVersion } from "../../../src/functions/reference/version-listener.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { programMessage } from "../support/program-message.ts";

const PEER = fileURLToPath(new URL("./peer.py", import.meta.url));
const signal = AbortSignal.timeout(60_000);

/** A guest of the reference: the peer in Python, over real sockets. */
async function startPeer(version: string) {
  const folder = await tempFolder();
  const socketPath = join(folder.path, "v.sock");
  const listener = await listenForVersion(`${socketPath}_52`);
  const child = spawn("python3", [PEER, socketPath, version], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const guest = new ReferenceGuest({ vmHash: "vm", socketPath, timers: createSystemTimers() });
  return {
    guest,
    greeted: await listener.version(signal),
    /** The next thing that was said to it. */
    async told(): Promise<{ readonly kind: string; readonly value: Record<string, unknown> }> {
      return JSON.parse((await lines.next()).value ?? "null");
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await folder[Symbol.asyncDispose]();
    },
  };
}

function configurationOf(version: string, entrypoint = "main:app") {
  const { content, itemHash } = programMessage("vm", { variables: { NAME: "value" } });
  return referenceConfiguration(version, {
    vmHash: itemHash,
    content: { ...content, code: { ...content.code, entrypoint } },
    interface: "asgi",
    code: Buffer.from("print('hello')"),
    data: null,
    volumes: [{ mount: "/opt/packages", device: "vdb", isReadOnly: true }],
    network: { ip: "172.16.3.2", route: "172.16.3.1", ipv6: "fc00::1/124", ipv6Gateway: "fc00::" },
    dnsServers: ["9.9.9.9"],
  });
}

const request = {
  path: "/path",
  method: "POST",
  queryString: "a=b",
  headers: [["X-Name", "välue"]],
  body: Buffer.from("body"),
} as const;

describe("runtimes of the reference", { timeout: 60_000 }, () => {
  for (const version of ["1.0.0", "2.0.0"]) {
    test(`of version ${version} are configured, asked and ended`, async () => {
      await using peer = await startPeer(version);
      assert.equal(peer.greeted, version);
      await peer.guest.configure(configurationOf(version), signal);
      const { value: configuration } = await peer.told();
      assert.equal("authorized_keys" in configuration, version === "2.0.0");
      assert.deepEqual(configuration.code, { bytes: "print('hello')" });
      assert.deepEqual(configuration.volumes, [{ mount: "/opt/packages", device: "vdb", read_only: true }]);
      assert.deepEqual(configuration.variables, { NAME: "value" });

      const reply = await peer.guest.request(request, signal);
      assert.ok(reply.kind === "answer");
      assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [201, "you sent body"]);
      assert.deepEqual(reply.headers, [
        ["Content-Type", "text/plain"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]);
      const { value: scope } = await peer.told();
      assert.deepEqual(scope, {
        type: "http",
        path: "/path",
        method: "POST",
        query_string: "a=b",
        headers: [[{ bytes: "x-name" }, { bytes: "välue" }]],
        body: { bytes: "body" },
      });

      await peer.guest.sendEvent('{"a":1}', signal);
      assert.deepEqual((await peer.told()).value, { type: "aleph.message", body: '{"a":1}' });
      await assert.rejects(peer.guest.sendEvent("fail", signal), {
        code: "GUEST_REFUSED",
        message: "the event failed",
      });
      await peer.told();
      await peer.guest.halt(signal);
      assert.equal((await peer.told()).kind, "halt");
    });
  }

  test("tell of their failures in each of their ways", async () => {
    await using peer = await startPeer("2.0.0");
    await assert.rejects(peer.guest.configure(configurationOf("2.0.0", "broken:app"), signal), {
      code: "GUEST_REFUSED",
      message: "no module named broken",
      traceback: "Traceback of the guest",
    });
    await peer.guest.configure(configurationOf("2.0.0"), signal);
    for (const [path, kind] of [
      ["/empty", "empty"],
      ["/invalid", "invalid"],
      ["/fails", "failed"],
    ] as const) {
      assert.equal((await peer.guest.request({ ...request, path }, signal)).kind, kind);
    }
  });

  test("a guest that does not answer is waited for as long as is said", async () => {
    await using folder = await tempFolder();
    const guest = new ReferenceGuest({
      vmHash: "vm",
      socketPath: join(folder.path, "nobody.sock"),
      timers: createSystemTimers(),
    });
    await assert.rejects(guest.request(request, AbortSignal.timeout(50)), { name: "TimeoutError" });
  });

  test("whatever bytes are their reply, it is one of some kind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.ok(["empty", "invalid", "failed", "answer"].includes(readScopeReply(bytes).kind));
      }),
    );
  });
});
