import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { testPeer } from "./support/test-network.ts";

/** A wire between two peers that can go silent, as where packets are lost and nobody says so. */
async function wireTo(port: number): Promise<AsyncDisposable & { readonly port: number; cut(): void }> {
  const ends: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    ends.push(near, far);
    for (const end of [near, far]) end.on("error", () => undefined);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      for (const end of ends) end.unpipe().pause();
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a link that is dead without a word", { timeout: 60_000 }, () => {
  test("is found, also where nothing is sent over it", async () => {
    await using called = await testPeer();
    const port = Number(/tcp\/(\d+)/.exec(called.address)?.[1]);
    await using wire = await wireTo(port);
    await using caller = await testPeer({
      bootstrap: [called.address.replace(`/${port}/`, `/${wire.port}/`)],
    });
    await called.hears(await published(caller, "over the wire"));
    const gone = new Promise<string>((resolve) =>
      caller.network.onPeers((peerId, isConnected) => isConnected || resolve(peerId)),
    );
    wire.cut();
    assert.equal(await gone, called.network.peerId);
  });
});

/** The text, once somebody was there to take it. */
async function published(peer: Awaited<ReturnType<typeof testPeer>>, text: string): Promise<string> {
  await peer.network.publish(text);
  return text;
}
