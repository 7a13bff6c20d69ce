import type { Socket } from "node:net";

export interface JsonLinesHooks {
  onLine(value: unknown): void;
  /** Once: the connection has ended, or was ended because of what arrived. */
  onClose(reason: Error | null): void;
}

/** A connection on which each line is a JSON text; a line that is too long or no JSON ends it. */
export class JsonLines {
  readonly #socket: Socket;
  readonly #hooks: JsonLinesHooks;
  readonly #maxLineBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #failure: Error | null = null;

  constructor(socket: Socket, maxLineBytes: number, hooks: JsonLinesHooks) {
    this.#socket = socket;
    this.#hooks = hooks;
    this.#maxLineBytes = maxLineBytes;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => {
      this.#failure ??= error;
    });
    socket.once("close", () => hooks.onClose(this.#failure));
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** False: it is closed, or what the other side does not read has grown too large; the connection is ended then. */
  send(value: unknown): boolean {
    if (!this.#socket.writable) return false;
    if (this.#socket.writableLength > this.#maxLineBytes) {
      this.close(new Error("the other side does not read"));
      return false;
    }
    this.#socket.write(`${JSON.stringify(value)}\n`);
    return true;
  }

  close(reason: Error | null = null): void {
    this.#failure ??= reason;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.#pending, chunk.subarray(start, end)]);
      this.#pending = [];
      this.#pendingBytes = 0;
      start = end + 1;
      if (!this.#deliver(line)) return;
    }
    const rest = chunk.subarray(start);
    this.#pendingBytes += rest.length;
    if (this.#pendingBytes > this.#maxLineBytes) this.close(new Error("a line is too long"));
    else if (rest.length > 0) this.#pending.push(rest);
  }

  #deliver(line: Buffer): boolean {
    if (this.#socket.destroyed) return false;
    let value: unknown;
    try {
      value = JSON.parse(line.toString("utf8"));
    } catch (cause) {
      this.close(new Error("a line is no JSON", { cause }));
      return false;
    }
    this.#hooks.onLine(value);
    return true;
  }
}
