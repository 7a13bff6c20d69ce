import { once } from "node:events";
import { WebSocket } from "ws";

export interface TextFrames extends AsyncDisposable {
  /** The next text frame; rejects when the connection closes first. */
  next(): Promise<string>;
}

/** The text frames of a websocket, exactly as they came. */
export async function openFrames(url: string): Promise<TextFrames> {
  const socket = new WebSocket(url);
  const waiting: string[] = [];
  const readers: { resolve(text: string): void; reject(reason: Error): void }[] = [];
  socket.on("message", (data) => {
    const reader = readers.shift();
    if (reader === undefined) waiting.push(String(data));
    else reader.resolve(String(data));
  });
  socket.on("close", (code) => {
    for (const reader of readers.splice(0)) reader.reject(new Error(`closed with ${code}`));
  });
  await once(socket, "open");
  return {
    async next() {
      const frame = waiting.shift();
      if (frame !== undefined) return frame;
      return await new Promise((resolve, reject) => readers.push({ resolve, reject }));
    },
    async [Symbol.asyncDispose]() {
      socket.terminate();
    },
  };
}
