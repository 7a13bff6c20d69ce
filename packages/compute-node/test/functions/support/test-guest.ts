import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Channel, readJson } from "../../../src/functions/transport/channel.ts";
import type { ChannelStream } from "../../../src/functions/transport/channel-stream.ts";
import { FRAME } from "../../../src/functions/transport/frames.ts";

export interface TestGuest extends AsyncDisposable {
  /** Configurations it was given. */
  readonly configurations: Record<string, unknown>[];
  readonly wakes: Record<string, unknown>[];
  readonly events: Record<string, unknown>[];
  readonly halts: number;
  /** The guest's end of the connection at hand. */
  readonly channel: Channel;
  /** Ends the port, as a machine does that ends. */
  kill(): void;
}

export interface TestGuestOptions {
  /** Port 8080 "inside" the guest. */
  readonly appPort: number;
  /** Its answer to a configuration or an event; success by default. */
  readonly answer?: (question: Record<string, unknown>) => Record<string, unknown>;
}

/** The other end of the port of a machine: an agent made of the same parts, over a real unix socket. */
export async function startTestGuest(socketPath: string, options: TestGuestOptions): Promise<TestGuest> {
  const guest = new Agent(options);
  const server: Server = createServer((socket) => guest.connected(socket)).listen(socketPath);
  await once(server, "listening");
  return Object.assign(guest, {
    async [Symbol.asyncDispose]() {
      server.close();
      guest.kill();
    },
  });
}

class Agent {
  readonly configurations: Record<string, unknown>[] = [];
  readonly wakes: Record<string, unknown>[] = [];
  readonly events: Record<string, unknown>[] = [];
  halts = 0;
  readonly #options: TestGuestOptions;
  readonly #sockets = new Set<Socket>();
  #channel: Channel | null = null;

  constructor(options: TestGuestOptions) {
    this.#options = options;
  }

  get channel(): Channel {
    if (this.#channel === null) throw new Error("the guest is not connected");
    return this.#channel;
  }

  connected(socket: Socket): void {
    this.#sockets.add(socket);
    const channel = new Channel(socket, {
      side: "guest",
      maxOwnStreams: 100,
      maxTheirStreams: 1_000,
      onOpen: (stream, target) => this.#opened(stream, target as { readonly to?: string }),
      onConfigure: (stream) => void this.#answer(stream, this.configurations),
      onControl: (type, payload) => {
        if (type === FRAME.halt) {
          this.halts += 1;
          channel.sendControl(FRAME.halted, new Uint8Array());
        }
        if (type !== FRAME.wake) return;
        const wake = readJson(payload) as { readonly id: string };
        this.wakes.push({ ...wake });
        channel.resetStreams("woken");
        channel.establish();
        channel.sendPreamble();
        channel.sendControl(FRAME.hello, Buffer.from(JSON.stringify(this.#hello(wake.id))));
      },
      onClosed: () => {},
    });
    // As at its boot: a greeting that nobody has asked for.
    channel.sendPreamble();
    channel.sendControl(FRAME.hello, Buffer.from(JSON.stringify(this.#hello(null))));
    this.#channel = channel;
  }

  kill(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #hello(id: string | null): object {
    const configured = this.configurations.at(-1)?.vmHash ?? null;
    return { protocol: "3.0.0", runtime: "test", bootId: "1", configured, ...(id === null ? {} : { id }) };
  }

  #opened(stream: ChannelStream, { to }: { readonly to?: string }): void {
    if (to === "event") {
      void this.#answer(stream, this.events);
      return;
    }
    const app = connect({ port: this.#options.appPort, host: "127.0.0.1" });
    app.on("error", (error) => stream.destroy(error));
    stream.on("error", () => app.destroy());
    stream.on("close", () => app.destroy());
    stream.pipe(app).pipe(stream);
  }

  async #answer(stream: ChannelStream, questions: Record<string, unknown>[]): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const question = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    questions.push(question);
    stream.end(JSON.stringify(this.#options.answer?.(question) ?? { success: true }));
  }
}
