import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { createSystemTimers, type Random } from "@twentysix/platform";
import { assertAnswer, fuzz } from "./fuzz-node.ts";
import { MessageMaker } from "./message-maker.ts";
import { mutateBytes, mutateText, pickOf } from "./mutate.ts";

const NO_TIME_LIMIT = { timeout: Number.POSITIVE_INFINITY };
const PATHS = [
  "/api/ws0/messages",
  "/api/ws0/status",
  "/api/ws0/message/abababababababababababababababababababababababababababababababab",
];
const NAMES =
  "history msgType msgTypes addresses channels refs hashes tags startDate sortOrder since_cursor contentFormat".split(
    " ",
  );
/** Longest that a step listens to a socket that stays open. */
const LISTEN_MS = 60;

/** A client frame: masked, with any opcode and any claim of its length. */
function frame(random: Random): Buffer {
  const payload = Buffer.from(random.randomBytes(random.uniform(200)));
  const opcode = random.uniform(16);
  const head = [(random.uniform(2) << 7) | (random.uniform(6) === 0 ? random.uniform(8) << 4 : 0) | opcode];
  const kind = random.uniform(8);
  if (kind === 0) head.push(0x80 | 127, ...random.randomBytes(8));
  else if (kind === 1) head.push(0x80 | 126, ...random.randomBytes(2));
  else if (payload.length < 126) head.push((random.uniform(10) === 0 ? 0 : 0x80) | payload.length);
  else head.push(0x80 | 126, payload.length >> 8, payload.length & 0xff);
  return Buffer.concat([Buffer.from(head), random.randomBytes(4), payload]);
}

/** Opens a socket by hand, sends frames and listens for a moment; gives the line of the status. */
async function talk(port: number, path: string, random: Random): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined); // The node may cut us off: that is its right.
  await once(socket, "connect");
  let received = "";
  let isOver = false;
  socket.setEncoding("latin1").on("data", (text: string) => {
    if (received.length < 100_000) received += text;
  });
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      isOver = true;
      resolve();
    });
  });
  const key = randomBytes(16).toString("base64");
  const headers = `Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\n${headers}\r\n`, "latin1");
  socket.write(random.uniform(10) === 0 ? mutateBytes(random, request) : request);
  const timers = createSystemTimers();
  const count = random.uniform(6);
  for (let n = 0; n < count && !isOver; n += 1) {
    socket.write(random.uniform(3) === 0 ? mutateBytes(random, frame(random)) : frame(random));
    await timers.sleep(random.uniform(5));
  }
  await Promise.race([closed, timers.sleep(random.uniform(LISTEN_MS))]);
  socket.destroy();
  await closed;
  return received.slice(0, received.indexOf("\r\n"));
}

test("no websocket, whatever it asks for and sends, makes the node fail", NO_TIME_LIMIT, () =>
  fuzz("websockets", async ({ node }) => {
    const port = Number(new URL(node.apiUrl).port);
    const maker = new MessageMaker();
    return async (random) => {
      const pairs = Array.from({ length: random.uniform(4) }, () => {
        const word = pickOf(random, [...maker.words(random), "1", "0", "-1", "1e9", "200", "e30", "POST"]);
        const value = random.uniform(4) === 0 ? mutateText(random, word) : word;
        return `${pickOf(random, NAMES)}=${encodeURIComponent(value.toWellFormed())}`;
      });
      const path = `${pickOf(random, PATHS)}?${pairs.join("&")}`;
      const line = await talk(port, path, random);
      const status = Number(line.split(" ")[1] ?? 0);
      assert.ok(!(status >= 500) || status === 503, `${line} to ${path}`);
      // Something to broadcast meanwhile.
      const body = `{"message":${maker.make(random).text}}`;
      await assertAnswer(await fetch(`${node.apiUrl}/api/v0/messages`, { method: "POST", body }), body);
    };
  }),
);
