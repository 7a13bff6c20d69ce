import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { openSocket } from "./support/raw-socket.ts";
import { startRealNode } from "./support/real-node.ts";

const PATH = "/api/v0/messages.json?pagination=0";

test("one address cannot take the slots of long answers from all others", async (t) => {
  const node = await startRealNode(t, {
    settings: { trustedProxies: ["127.0.0.1"], lists: { maxStreams: 3, maxStreamsPerAddress: 2 } },
  });
  const text = "Ω".repeat(60_000);
  const put = Array.from({ length: 150 }, (_, n) =>
    node.put({
      type: "POST",
      members: `"type":"note","content":"${n} ${text}"`,
      time: `1700000${100 + n}.5`,
    }),
  );
  await Promise.all(put);
  /** A client that asks for everything and reads nothing. */
  const slow = async (address: string): Promise<Socket> => {
    const socket = await openSocket(node.port);
    socket.write(`GET ${PATH} HTTP/1.1\r\nHost: node\r\nX-Forwarded-For: ${address}\r\n\r\n`);
    await once(socket, "readable");
    return socket;
  };
  const ask = (address: string) => node.get(PATH, { headers: { "x-forwarded-for": address } });
  const first = await slow("2001:db8:1:2::1");
  const second = await slow("2001:db8:1:2::2");
  const refused = await ask("2001:db8:1:2::3");
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /your address/);
  const other = await ask("203.0.113.7");
  assert.equal(other.status, 200);
  await other.text();
  first.destroy();
  await once(first, "close");
  for (let round = 0; ; round += 1) {
    const again = await ask("2001:db8:1:2::3");
    await again.text();
    if (again.status === 200) break;
    assert.ok(round < 500, "the slot of a client that left is free again");
  }
  second.destroy();
});
