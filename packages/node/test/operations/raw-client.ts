import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection on which a test says what it likes; resets are expected. */
export async function openRaw(apiUrl: string): Promise<Socket> {
  const socket = connect(Number(new URL(apiUrl).port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Status of the first answer; 0 when the connection ended without one. */
export async function statusOf(socket: Socket): Promise<number> {
  let text = "";
  for await (const piece of socket) {
    text += String(piece);
    if (text.includes("\r\n")) break;
  }
  return Number(text.slice(9, 12));
}

/** Status of the first answer on a connection that stays open, unread from there on; 0 when it ended without one. */
export async function statusThenPause(socket: Socket): Promise<number> {
  const text = await new Promise<string>((resolve) => {
    let head = "";
    socket.once("close", () => resolve(head));
    socket.on("data", function read(piece: Buffer) {
      head += piece.toString("latin1");
      if (!head.includes("\r\n")) return;
      socket.off("data", read);
      socket.pause();
      resolve(head);
    });
  });
  return Number(text.slice(9, 12));
}
