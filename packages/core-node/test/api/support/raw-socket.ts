import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection on which a test writes bytes as it likes. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  // A test reads what came; a reset after that is not its concern.
  socket.on("error", () => {});
  return socket;
}

/** Everything that came until the first JSON body ended, or the connection did. */
export async function readAnswer(socket: Socket): Promise<{ status: number; body: string }> {
  let text = "";
  for await (const piece of socket) {
    text += String(piece);
    const length = /content-length: ([0-9]+)/i.exec(text)?.[1];
    const bodyStart = text.indexOf("\r\n\r\n") + 4;
    if (length !== undefined && bodyStart > 3 && text.length >= bodyStart + Number(length)) break;
  }
  return { status: Number(text.slice(9, 12)), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
}
