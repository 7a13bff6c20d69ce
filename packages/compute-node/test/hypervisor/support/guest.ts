import type { Socket } from "node:net";
import { join } from "node:path";
import { raceAbort } from "@twentysix/platform";
import type { RunningVm } from "../../../src/hypervisor/hypervisor.ts";
import { connectUnix } from "../../../src/hypervisor/qmp/connect-unix.ts";

const TIMEOUT_MS = 60_000;

/** A conversation with the guest of these tests, over its port `aleph.52`. */
export class Guest implements Disposable {
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("utf8");
      this.#wake();
    });
    socket.on("error", () => undefined);
  }

  static async connect(vm: RunningVm): Promise<Guest> {
    return new Guest(await connectUnix(join(vm.runDir, "channel-aleph.52.sock")));
  }

  /** Waits until it has booted; gives the id of this boot. */
  async booted(): Promise<string> {
    return (await this.#until(/^hello (.+)$/m))[1] ?? "";
  }

  /** What it said so far is of no interest any more. */
  forget(): void {
    this.#text = "";
  }

  /** What a command of its shell wrote. */
  async run(command: string): Promise<string> {
    this.#text = "";
    this.#socket.write(`${command}\n`);
    const match = await this.#until(/^([\s\S]*)end \d+\n$/);
    return match[1] ?? "";
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #until(pattern: RegExp): Promise<RegExpExecArray> {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await raceAbort(promise, limit).catch((cause: unknown) => {
        throw new Error(`the guest did not say ${pattern}; it said: ${this.#text}`, { cause });
      });
    }
  }
}
