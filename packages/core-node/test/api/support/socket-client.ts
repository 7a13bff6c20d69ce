import { once } from "node:events";
import type { TestContext } from "node:test";
import { WebSocket } from "ws";

export interface SocketClient {
  readonly socket: WebSocket;
  /** The next text frame, parsed. */
  next(): Promise<Record<string, unknown>>;
  nextText(): Promise<string>;
  /** Frames that nobody has read. */
  readonly unread: readonly string[];
  /** Code and reason of the close. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
}

/** A real client; frames are kept until they are read. */
export async function openWebsocket(
  context: TestContext,
  url: string,
  options: ConstructorParameters<typeof WebSocket>[2] = {},
): Promise<SocketClient> {
  const socket = new WebSocket(url, options);
  const unread: string[] = [];
  const readers: ((text: string) => void)[] = [];
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on("close", (code, reason) => resolve([code, String(reason)]));
  });
  socket.on("message", (data) => {
    const text = String(data);
    const reader = readers.shift();
    if (reader === undefined) unread.push(text);
    else reader(text);
  });
  context.after(() => socket.terminate());
  await once(socket, "open");
  const nextText = async (): Promise<string> => {
    const waiting = unread.shift();
    return waiting ?? new Promise((resolve) => readers.push(resolve));
  };
  return { socket, unread, closed, nextText, next: async () => JSON.parse(await nextText()) };
}

/** The HTTP answer of an upgrade that is refused. */
export async function refusedUpgrade(url: string): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(url);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const piece of response) body += String(piece);
  return { status: response.statusCode, body };
}
