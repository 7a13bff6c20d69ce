import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NetworkError, type PeerStream } from "@twentysix/network";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createMemoryLogger, createSeededRandom, createVirtualTime, type Timers } from "@twentysix/platform";
import type { WantedFile, WantedFiles, WantedTurn } from "@twentysix/storage";
import { FileHolds } from "../../src/content/file-holds.ts";
import { ContentFetcher, type ContentFetcherOptions } from "../../src/peers/content-fetcher.ts";
import { CONTENT_PROTOCOL, readRequest, sendBytes, sendHead } from "../../src/peers/content-protocol.ts";
import { SourceCredit } from "../../src/peers/sources/source-credit.ts";
import { whileItMoves } from "../../src/peers/sources/while-it-moves.ts";

const nameOf = (index: number): string => index.toString(16).padStart(64, "0");

/** What is wanted, as the records give it. */
function wantedOf(names: readonly string[]) {
  return async (turn: WantedTurn, limit: number): Promise<WantedFiles> => {
    const file = (name: string): WantedFile => ({ name, damage: null });
    const files = names.map((name, index) => ({ ...file(name), at: index + 1 }));
    const page = files.slice(turn.waiting, turn.waiting + limit);
    return {
      latest: names.toReversed().slice(0, limit).map(file),
      waiting: { files: page, next: page.length < limit ? 0 : (page.at(-1)?.at ?? 0) },
      damaged: { files: [], next: 0 },
    };
  };
}

/** Answers a request; the head comes from it as well. */
type Answer = (stream: PeerStream, hash: string, timers: Timers) => Promise<void>;

const absent: Answer = (stream) => sendHead(stream, { state: "absent" });

/** A node that wants these files, and its peers. Counts how often each was asked for. */
function wanting(names: readonly string[], ...answers: readonly Answer[]) {
  const network = new MemoryNetwork();
  const { streams } = network.peer("node");
  const asked = new Map<string, number>();
  const { clock, timers, advance } = createVirtualTime();
  for (const [index, answer] of (answers.length === 0 ? [absent] : answers).entries()) {
    network.peer(`peer ${index}`).streams.handle(CONTENT_PROTOCOL, async (stream) => {
      const { hash } = await readRequest(stream);
      asked.set(hash, (asked.get(hash) ?? 0) + 1);
      await answer(stream, hash, timers);
      await stream.end();
    });
    network.connect("node", `peer ${index}`);
  }
  /** Bytes of contents that came to their end. */
  const received: number[] = [];
  const random = createSeededRandom(1);
  // Nothing of it is kept.
  const unused = {} as Pick<ContentFetcherOptions, "contents" | "note" | "reserveDisk">;
  const stageFile = async (bytes: AsyncIterable<Uint8Array>): Promise<never> => {
    let sizeBytes = 0;
    for await (const piece of bytes) sizeBytes += piece.byteLength;
    received.push(sizeBytes);
    throw new NetworkError("NETWORK_PEER_FAILED", "that was all");
  };
  const uploads = { stageFile } as unknown as ContentFetcherOptions["uploads"];
  const files = { makeFolder: async () => undefined, list: async () => [] } as unknown;
  const fetcher = new ContentFetcher({
    ...{ ...unused, uploads },
    network: { peerId: "node", book: { all: () => [] } as never, streams },
    isPrivate: true,
    gateways: [],
    records: { wantedFiles: wantedOf(names), keptFile: async () => null },
    shards: null,
    credit: new SourceCredit(clock, random, () => undefined),
    holds: new FileHolds(),
    piecesFolder: "pieces",
    files: files as ContentFetcherOptions["files"],
    gracePeriodMs: 1_000,
    clock,
    timers,
    random,
    log: createMemoryLogger(),
  });
  return { asked, received, advance, close: () => fetcher.close() };
}

describe("a node that messages make look for files", { timeout: 120_000 }, () => {
  test("asks for each of them, however many names somebody has made up that nobody has", async () => {
    const names = Array.from({ length: 600 }, (_, index) => nameOf(index));
    const node = wanting(names);
    for (let seconds = 0; seconds < 240 && node.asked.size < names.length; seconds += 1)
      await node.advance(1_000);
    await node.close();
    assert.deepEqual(
      names.filter((name) => !node.asked.has(name)),
      [],
    );
  });

  test("asks at once for what came last", async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => nameOf(index));
    const node = wanting(names);
    await node.advance(1_000);
    await node.close();
    assert.ok(node.asked.has(names.at(-1) ?? ""));
  });

  test("asks the slow before whoever answers first and breaks off each time", async () => {
    let brokeOff = 0;
    const found = { state: "found", form: "bytes", size: 10 } as const;
    const quick: Answer = async (stream) => {
      brokeOff += 1;
      await sendHead(stream, found);
      stream.abort(new Error("that was all"));
    };
    const slow: Answer = async (stream, _hash, timers) => {
      await timers.sleep(2_000);
      await sendHead(stream, found);
      await sendBytes(stream, [new Uint8Array(10)]);
    };
    const node = wanting([nameOf(1)], quick, slow);
    for (let seconds = 0; seconds < 30 && node.received.length === 0; seconds += 1) await node.advance(1_000);
    await node.close();
    assert.deepEqual(node.received, [10]);
    assert.ok(brokeOff <= 1, `${brokeOff} times`);
  });

  test("leaves those that trickle, when others wait", async () => {
    const names = Array.from({ length: 9 }, (_, index) => nameOf(index));
    // Four from either end have a place.
    const last = nameOf(4);
    /** For hours, a little more than has to come for it to go on. */
    async function* trickle(timers: Timers): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        yield new Uint8Array(70_000);
        await timers.sleep(14_000);
      }
    }
    const node = wanting(names, async (stream, hash, timers) => {
      if (hash === last) return await absent(stream, hash, timers);
      await sendHead(stream, { state: "found", form: "bytes", size: 4_000_000 });
      await sendBytes(stream, trickle(timers));
    });
    await node.advance(30_000);
    assert.equal(node.asked.size, 8, "all places are taken");
    for (let seconds = 0; seconds < 300 && !node.asked.has(last); seconds += 1) await node.advance(1_000);
    assert.ok(node.asked.has(last));
    await node.close();
  });
});

describe("what somebody sends", () => {
  const waiting = { name: "peer", maxBytes: 2 ** 30 };

  test("is given up when next to nothing comes, and not for the time that it is not waited for", async () => {
    const { clock, timers, advance } = createVirtualTime();
    async function* pieces(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
      for (let count = 0; count < 20; count += 1) {
        await timers.sleep(10_000);
        yield new Uint8Array(bytes);
      }
    }
    const taken = async (bytes: number, pauseMs: number): Promise<number> => {
      let sizeBytes = 0;
      for await (const piece of whileItMoves(pieces(bytes), { ...waiting, clock, timers })) {
        sizeBytes += piece.byteLength;
        await timers.sleep(pauseMs);
      }
      return sizeBytes;
    };
    const [little, much] = [taken(1_000, 0), taken(100_000, 120_000)];
    little.catch(() => undefined);
    await advance(3_000_000);
    await assert.rejects(little, { code: "NETWORK_PEER_FAILED" });
    assert.equal(await much, 2_000_000);
  });

  test("and breaks off costs its sender the place in front, until it gives something whole", async () => {
    const { clock, advance } = createVirtualTime();
    const credit = new SourceCredit(clock, createSeededRandom(1));
    const order = () => credit.inOrder([{ name: "quick" }, { name: "slow" }]).map(({ name }) => name);
    credit.answered("quick", 1);
    credit.answered("slow", 5_000);
    assert.deepEqual(order(), ["quick", "slow"]);
    credit.brokeOff("quick");
    assert.deepEqual(order(), ["slow", "quick"]);
    await advance(60_000);
    assert.deepEqual(order(), ["quick", "slow"]);
    credit.brokeOff("quick");
    await advance(60_000);
    assert.deepEqual(order(), ["slow", "quick"], "twice as long");
    credit.gave("quick");
    assert.deepEqual(order(), ["quick", "slow"]);
  });
});
