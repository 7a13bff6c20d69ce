import { chmodSync, chownSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { Logger } from "@twentysix/platform";
import { JsonLines } from "../hypervisor/json-lines.ts";
import { type ExitEvent, type HelperAnswer, MAX_HELPER_LINE_BYTES, MAX_REQUESTS } from "./helper-protocol.ts";
import type { HostVerb } from "./host-parts.ts";
import type { NodeUser } from "./run-folder.ts";

const MAX_CONNECTIONS = 16;

export interface HelperServerOptions {
  readonly path: string;
  readonly verbs: ReadonlyMap<string, HostVerb>;
  readonly node: NodeUser;
  readonly isRoot: boolean;
  readonly log: Logger;
  /** Of the helper: requests that run when it aborts are given up. */
  readonly signal: AbortSignal;
}

/** Answers requests on a unix socket that only the node's user may open. */
export class HelperServer implements AsyncDisposable {
  readonly #options: HelperServerOptions;
  readonly #connections = new Set<JsonLines>();
  readonly #server: Server;

  private constructor(options: HelperServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  static async listen(options: HelperServerOptions): Promise<HelperServer> {
    const server = new HelperServer(options);
    const { path, isRoot, node } = options;
    // Under another name first: nobody connects before only the right ones can.
    const early = join(dirname(path), ".helper.sock");
    rmSync(early, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(early, resolve);
    });
    chmodSync(early, 0o600);
    if (isRoot) chownSync(early, node.userId, node.groupId);
    renameSync(early, path);
    return server;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  tell(event: ExitEvent): void {
    for (const connection of this.#connections) connection.send(event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#options.path, { force: true });
    for (const connection of this.#connections) connection.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    let running = 0;
    const connection = new JsonLines(socket, MAX_HELPER_LINE_BYTES, {
      onLine: (value) => {
        if (running >= MAX_REQUESTS) {
          connection.close(new Error("too many requests at once"));
          return;
        }
        running += 1;
        void this.#answer(value).then((answer) => {
          running -= 1;
          if (answer === null) connection.close(new Error("a line is no request"));
          else connection.send(answer);
        });
      },
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  async #answer(value: unknown): Promise<HelperAnswer | null> {
    const { id, verb, parameters } = (value ?? {}) as Record<string, unknown>;
    if (typeof id !== "number" || typeof verb !== "string") return null;
    const handler = this.#options.verbs.get(verb);
    if (handler === undefined) {
      return {
        id,
        error: { code: "HELPER_REFUSED", message: `the helper knows no ${verb}: it is older than its node` },
      };
    }
    try {
      return { id, result: (await handler(parameters, this.#options.signal)) ?? null };
    } catch (error) {
      const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
      const text = typeof message === "string" ? message : String(error);
      if (typeof code !== "string") this.#options.log.error("a request failed", { verb, error });
      return { id, error: { code: typeof code === "string" ? code : "HELPER_REFUSED", message: text } };
    }
  }
}
