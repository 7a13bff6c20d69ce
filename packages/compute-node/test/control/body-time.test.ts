import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createVirtualTime } from "@twentysix/platform";
import { WebSocket } from "ws";
import type { RestoreSource } from "../../src/control/instance-services.ts";
import { DOMAIN, startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";
import { ClientKey } from "../support/wallets.ts";

const VM = hashOf("a");
const FOREVER = new AbortController().signal;

describe("a body that does not come", { timeout: 30_000 }, () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  const time = createVirtualTime(0n);
  let port: number;
  let received = 0;
  beforeEach(async () => {
    received = 0;
    control = await startTestControl({
      timers: time.timers,
      instances: {
        restores: {
          restore: async (_execution: unknown, source: RestoreSource) => {
            if (source.kind === "volume") throw new Error("an upload is expected");
            for await (const chunk of source.bytes) received += chunk.length;
            return { oldRootfsBackup: "earlier" };
          },
        },
      },
    });
    port = Number(new URL(await control.api.listen({ host: "127.0.0.1", port: 0 })).port);
    const message = instanceMessage("a", { address: control.owner.address });
    await control.manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
  });
  afterEach(() => control.close());

  async function send(head: readonly string[], body: string): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    const begun = once(control.api.server.server, "request");
    socket.write([...head, `host: ${DOMAIN}`, "", body].join("\r\n"));
    await begun;
    return socket;
  }
  const answerOf = async (socket: Socket): Promise<string> => {
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += chunk;
    return text;
  };

  test("ends the request, and one that comes is answered", async () => {
    const head = ["POST /control/allocation/notify HTTP/1.1", "content-length: 20"];
    const slow = await send(head, '{"inst');
    await time.advance(59_000);
    slow.write('ance":"x"}    ');
    const [answer = ""] = (await once(slow.setEncoding("utf8"), "data")) as string[];
    assert.match(answer, /^HTTP\/1\.1 400 /);
    slow.destroy();
    const silent = await send(head, '{"inst');
    await time.advance(60_000);
    const text = await answerOf(silent);
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.match(text, /did not come within 60 s/);
  });

  test("ends an upload only when nothing more comes", async () => {
    const path = `/control/machine/${VM}/restore`;
    const key = await ClientKey.create(control.owner, control.nowMs());
    const { "x-signedpubkey": pubKey, "x-signedoperation": operation } = key.headers({
      ...{ method: "POST", path, domain: DOMAIN, nowMs: control.nowMs() },
    });
    const upload = await send(
      [
        `POST ${path} HTTP/1.1`,
        `x-signedpubkey: ${pubKey}`,
        `x-signedoperation: ${operation}`,
        "content-type: multipart/form-data; boundary=x",
        "content-length: 1000000",
      ],
      '--x\r\nContent-Disposition: form-data; name="rootfs"; filename="r"\r\n\r\n',
    );
    for (let sent = 100; sent <= 300; sent += 100) {
      upload.write("x".repeat(100));
      while (received < sent - 10) await new Promise((next) => setImmediate(next));
      await time.advance(119_000);
      assert.equal(upload.readableEnded, false);
    }
    await time.advance(240_000);
    assert.doesNotMatch(await answerOf(upload), /HTTP\/1\.1 200/);
  });

  test("is no matter of websockets", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/control/machine/${VM}/stream_logs`);
    await once(socket, "open");
    const key = await ClientKey.create(control.owner, control.nowMs());
    socket.send(key.authMessage({ method: "GET", path: "/", domain: DOMAIN, nowMs: control.nowMs() }));
    await once(socket, "message");
    await time.advance(600_000);
    socket.ping();
    await once(socket, "pong");
    socket.terminate();
  });
});
