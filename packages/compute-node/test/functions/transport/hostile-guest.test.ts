import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { encodeFrame, FRAME, PREAMBLE, START_WINDOW_BYTES } from "../../../src/functions/transport/frames.ts";
import { type End, endOf } from "../support/channel-pair.ts";

const OPEN_API = Buffer.from('{"to":"api"}');

/** The host's end, and what the guest writes to the port itself. */
function hostWith(): { readonly host: End; send(bytes: Buffer): void } {
  const [one, other] = duplexPair();
  const host = endOf("host", one);
  other.resume();
  other.write(PREAMBLE);
  return { host, send: (bytes) => void other.write(bytes) };
}

async function settle(): Promise<void> {
  for (let count = 0; count < 50; count += 1) await turn();
}

describe("a hostile guest", () => {
  test("that sends more than it may loses the stream", async () => {
    const { host, send } = hostWith();
    send(encodeFrame(FRAME.open, 2, OPEN_API));
    for (let sent = 0; sent <= START_WINDOW_BYTES; sent += 65_536) {
      send(encodeFrame(FRAME.data, 2, Buffer.alloc(65_536)));
    }
    await settle();
    assert.deepEqual([host.opened[0]?.destroyed, host.channel.isClosed], [true, false]);
  });

  test("that opens a stream of the host's, or one twice, loses the connection", async () => {
    for (const streamId of [0, 1, 2]) {
      const { host, send } = hostWith();
      send(encodeFrame(FRAME.open, 2, OPEN_API));
      send(encodeFrame(FRAME.open, streamId, OPEN_API));
      assert.equal((await host.closed).code, "GUEST_PROTOCOL_BROKEN");
    }
  });

  test("that names the target in no JSON loses the stream", async () => {
    const { host, send } = hostWith();
    send(encodeFrame(FRAME.open, 2, Buffer.from("api")));
    await settle();
    assert.deepEqual([host.opened.length, host.channel.openStreams], [0, 0]);
  });

  test("cannot end the process, whatever it sends", async () => {
    const frame = fc.record({
      type: fc.constantFrom(...Object.values(FRAME)),
      streamId: fc.nat({ max: 6 }),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.constant(OPEN_API),
        fc.constant(Buffer.from([0xff, 0xff, 0xff, 0xff])),
      ),
    });
    const parts = fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 30 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(parts, async (sent) => {
        const { host, send } = hostWith();
        host.channel.open({ to: "http" }).write("hello");
        for (const part of sent) {
          const isBytes = part instanceof Uint8Array;
          send(isBytes ? Buffer.from(part) : encodeFrame(part.type, part.streamId, part.payload));
        }
        for (let count = 0; count < 10; count += 1) await turn();
        assert.ok(host.channel.openStreams <= 7);
      }),
      { numRuns: 200 },
    );
  });
});
