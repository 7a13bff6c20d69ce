import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import type { ChannelStream } from "../../../src/functions/transport/channel-stream.ts";
import { TransportError } from "../../../src/functions/transport/errors.ts";
import { START_WINDOW_BYTES } from "../../../src/functions/transport/frames.ts";
import { channelPair } from "../support/channel-pair.ts";

async function contentOf(stream: ChannelStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Turns of the event loop: enough for everything that is on its way in memory. */
async function settle(): Promise<void> {
  for (let count = 0; count < 100; count += 1) await turn();
}

describe("streams over one port", () => {
  test("carry any bytes both ways, many at once, and leave nothing behind", async () => {
    const sizes = fc.array(fc.tuple(fc.nat({ max: 600_000 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (streams) => {
        // The guest sends back what it gets.
        const { host, guest } = channelPair({ onOpen: (stream) => stream.pipe(stream) });
        const carry = async ([size, fill]: [number, number]): Promise<void> => {
          const stream = host.channel.open({ to: "http" });
          const sent = Buffer.alloc(size, fill);
          stream.end(sent);
          assert.ok(sent.equals(await contentOf(stream)));
        };
        await Promise.all(streams.map(carry));
        // The time limit of the test bounds it.
        while (host.channel.openStreams + guest.channel.openStreams > 0) await turn();
      }),
      // Those of the example once sent a piece twice, when an answer came within the call that sent it.
      {
        numRuns: 20,
        examples: [
          [
            [
              [458_725, 0],
              [163_809, 0],
              [393_217, 0],
              [0, 0],
            ],
          ],
        ],
      },
    );
  });

  test("are opened by either side, with where they want to go", async () => {
    const targets: unknown[] = [];
    const { host, guest } = channelPair({ onOpen: (_stream, target) => targets.push(target) });
    host.channel.open({ to: "http" });
    guest.channel.open({ to: "api" });
    await settle();
    assert.deepEqual(
      new Set(targets.map((target) => JSON.stringify(target))),
      new Set(['{"to":"http"}', '{"to":"api"}']),
    );
  });

  test("a reader that does not read holds back its writer, and nobody else", async () => {
    const { host, guest } = channelPair();
    const slow = host.channel.open({ to: "http" });
    slow.write(Buffer.alloc(4 * START_WINDOW_BYTES));
    host.channel.open({ to: "http" }).end("quick");
    await settle();
    const [unread, read] = guest.opened;
    assert.ok(unread !== undefined && read !== undefined);
    assert.equal(String(await contentOf(read)), "quick");
    assert.ok(slow.writableLength > 0, "the rest waits with its sender");
    let got = 0;
    unread.on("data", (chunk: Buffer) => {
      got += chunk.length;
    });
    await once(slow, "drain");
    await settle();
    assert.equal(got, 4 * START_WINDOW_BYTES);
  });

  test("one side can end while the other goes on", async () => {
    const { host, guest } = channelPair();
    const stream = host.channel.open({ to: "http" });
    stream.end("question");
    await settle();
    const [answering] = guest.opened;
    assert.ok(answering !== undefined);
    assert.equal(String(await contentOf(answering)), "question");
    answering.write("ans");
    answering.end("wer");
    assert.equal(String(await contentOf(stream)), "answer");
  });

  test("a stream that is given up ends with the reason on the other side", async () => {
    const { host, guest } = channelPair();
    const stream = host.channel.open({ to: "http" });
    const failed = once(stream, "error");
    await settle();
    guest.opened[0]?.destroy(new Error("nothing listens on port 8080"));
    const [error] = await failed;
    assert.deepEqual([error.code, error.message], ["GUEST_STREAM_RESET", "nothing listens on port 8080"]);
    assert.equal(host.channel.openStreams, 0);
  });

  test("too many streams of a guest are refused one by one, and the others live on", async () => {
    const { host, guest } = channelPair({ maxTheirStreams: 2 });
    const streams = [1, 2, 3].map(() => guest.channel.open({ to: "api" }));
    await settle();
    assert.deepEqual([host.opened.length, streams[2]?.destroyed], [2, true]);
    streams[0]?.destroy();
    await settle();
    guest.channel.open({ to: "api" });
    await settle();
    assert.equal(host.opened.length, 3);
  });

  test("the end of the port ends all streams", async () => {
    const { host, guest } = channelPair();
    const stream = host.channel.open({ to: "http" });
    const failed = once(stream, "error");
    guest.channel.close(new TransportError("GUEST_CONNECTION_LOST", "the guest is gone"));
    assert.equal((await host.closed).code, "GUEST_CONNECTION_LOST");
    assert.equal((await failed)[0].code, "GUEST_CONNECTION_LOST");
    assert.throws(() => host.channel.open({ to: "http" }), { code: "GUEST_CONNECTION_LOST" });
  });
});
