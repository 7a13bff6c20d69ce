import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { askDialBack, DIAL_BACK_PROTOCOL } from "../src/dial-back.ts";
import { Reachability } from "../src/reachability.ts";
import { connected, type TestPeer, testPeer } from "./support/test-network.ts";

const never = new AbortController().signal;

const nameless = (address: string): string => address.replace(/\/p2p\/.*$/, "");

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}

describe("a peer that is asked to call back", { timeout: 30_000 }, () => {
  async function asked(address: (asking: TestPeer) => string): Promise<boolean | null> {
    await using helper = await testPeer();
    await using asking = await testPeer({ bootstrap: [helper.address] });
    await connected(asking, 1);
    await until(() => asking.network.streams.peersWith(DIAL_BACK_PROTOCOL).length > 0);
    const { streams } = asking.network;
    return await askDialBack(streams, helper.network.peerId, address(asking), createSystemTimers(), never);
  }

  test("says whether it got through", async () => {
    assert.equal(await asked(({ address }) => nameless(address)), true);
    const taken = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { readonly port: number };
    assert.equal(await asked(() => `/ip4/127.0.0.1/tcp/${port}`), false, "somebody else is there");
    taken.close();
    await once(taken, "close");
    assert.equal(await asked(() => `/ip4/127.0.0.1/tcp/${port}`), false, "nobody is there");
  });

  test("calls nobody but the host that asks", async () => {
    // The second is a name to us, and leads to the first.
    for (const address of ["/ip4/127.0.0.2/tcp/80", "/dns4/127.2/tcp/80", "nonsense"])
      assert.equal(await asked(() => address), null, address);
  });

  test("calls a name that leads to that host, and says when there is no such name", async () => {
    const named = (address: string, name: string): string =>
      nameless(address).replace("/ip4/127.0.0.1", `/dns4/${name}`);
    assert.equal(await asked(({ address }) => named(address, "localhost")), true);
    assert.equal(await asked(() => "/dns4/localhost/tcp/1"), false, "nobody is there");
    assert.equal(await asked(({ address }) => named(address, "nowhere.invalid")), false);
  });
});

describe("addresses of a node in a public network", () => {
  const all = ["/ip4/1.1.1.1/tcp/1", "/ip4/2.2.2.2/tcp/1", "/ip4/10.0.0.1/tcp/1"];
  const announceable = (answers: Readonly<Record<string, boolean | null>>, named: readonly string[]) =>
    new Reachability({
      isPublic: (address) => !address.startsWith("/ip4/10."),
      askable: () => Object.keys(answers),
      ask: async (peerId) => answers[peerId] ?? null,
      clock: { monotonicMs: () => 0 },
    }).announceable(all, new Set(named));

  test("are announced when somebody got through, and the operator's when nobody could try", async () => {
    assert.deepEqual(await announceable({ first: false, second: true }, []), all.slice(0, 2));
    assert.deepEqual(await announceable({ first: false, second: null }, all), []);
    assert.deepEqual(await announceable({}, [all[0] ?? "", all[2] ?? ""]), [all[0]]);
    assert.deepEqual(await announceable({ first: null }, []), []);
  });

  test("are not asked for again while they are confirmed", async () => {
    let nowMs = 0;
    let count = 0;
    const reachability = new Reachability({
      isPublic: () => true,
      askable: () => ["peer"],
      ask: async () => {
        count += 1;
        return count === 1;
      },
      clock: { monotonicMs: () => nowMs },
    });
    const [address = ""] = all;
    assert.deepEqual(await reachability.announceable([address], new Set()), [address]);
    assert.deepEqual(await reachability.announceable([address], new Set()), [address]);
    assert.equal(count, 1);
    nowMs += 3_600_000;
    assert.deepEqual(await reachability.announceable([address], new Set()), []);
  });
});

describe("what a peer announces", { timeout: 30_000 }, () => {
  test("is heeded from those alone that may, and from bootstrap peers", async () => {
    await using known = await testPeer({ apiUrl: "http://127.0.0.1:1" });
    await using heedless = await testPeer({ bootstrap: [known.address], mayAnnounce: () => false });
    await using stranger = await testPeer({ bootstrap: [heedless.address], apiUrl: "http://127.0.0.1:2" });
    await connected(heedless, 2);
    const { book } = heedless.network;
    await until(() => book.get(known.network.peerId)?.apiUrl === "http://127.0.0.1:1");
    assert.equal(book.get(stranger.network.peerId), undefined);
  });

  test("ends its connection and its calls when it is of another network", async () => {
    await using other = await testPeer({ networkHash: "other rules" });
    await using ours = await testPeer({ bootstrap: [other.address] });
    await connected(ours, 1);
    await connected(ours, 0);
    await sleep(2_500);
    assert.deepEqual(ours.network.peers(), [], "it is not called again");
    assert.equal(ours.network.book.get(other.network.peerId), undefined);
  });

  test("calls nobody into a private network from a public one, whatever name leads there", async () => {
    await using there = await testPeer();
    const { peerId } = there.network;
    const addresses = [
      nameless(there.address),
      nameless(there.address).replace("/ip4/127.0.0.1", "/dns4/localhost"),
    ];
    const read = async () => [{ peerId, addresses, apiUrl: null, lastSeenMs: Date.now() }];
    const log = createMemoryLogger();
    await using ours = await testPeer({
      isPrivate: false,
      log,
      book: { read, write: async () => undefined },
    });
    await until(() => log.records.some(({ message }) => message === "A peer could not be reached"));
    assert.deepEqual(ours.network.peers(), []);
    await using named = await testPeer({ isPrivate: false, bootstrap: [there.address] });
    await connected(named, 1);
  });
});
