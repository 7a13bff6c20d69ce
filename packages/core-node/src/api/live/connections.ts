import type { WebSocket } from "@fastify/websocket";
import type { ApiServices } from "../services.ts";
import type { WebsocketLimits } from "../settings.ts";
import { Connection } from "./connection.ts";

/** Two budgets: sockets that carry messages, and those that carry the status of the node. */
export type ConnectionKind = "messages" | "status";

export interface KindFigures {
  readonly active: number;
  readonly max: number;
  readonly rejected: number;
}

export interface ConnectionFigures extends Readonly<Record<ConnectionKind, KindFigures>> {
  /** Messages told to the sockets, each counted once. */
  readonly broadcast: number;
}

/** Closes sent to clients; codes of RFC 6455. */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TRY_AGAIN = 1013;

/** A client has this long to answer the closing handshake when the node stops. */
const CLOSING_MS = 1_000;

/** All open websockets, each kind under its limit. */
export class Connections {
  readonly #services: Pick<ApiServices, "timers" | "log">;
  readonly #limits: WebsocketLimits;
  readonly #open: Record<ConnectionKind, Set<Connection>> = { messages: new Set(), status: new Set() };
  readonly #rejected: Record<ConnectionKind, number> = { messages: 0, status: 0 };
  #broadcast = 0;

  constructor(services: Pick<ApiServices, "timers" | "log">, limits: WebsocketLimits) {
    this.#services = services;
    this.#limits = limits;
  }

  /** Takes a socket in; null when the limit is reached: then it is closed with 1013. */
  open(kind: ConnectionKind, socket: WebSocket): Connection | null {
    const open = this.#open[kind];
    if (open.size >= this.#maxOf(kind)) {
      this.#rejected[kind] += 1;
      socket.close(CLOSE_TRY_AGAIN, "Too many connections");
      return null;
    }
    const connection = new Connection(socket, this.#limits, this.#services.timers);
    open.add(connection);
    connection.onClose(() => open.delete(connection));
    return connection;
  }

  countBroadcast(): void {
    this.#broadcast += 1;
  }

  figures(): ConnectionFigures {
    return {
      messages: this.#figuresOf("messages"),
      status: this.#figuresOf("status"),
      broadcast: this.#broadcast,
    };
  }

  /** Tells every client to come back later; those that do not answer are cut. */
  closeAll(): void {
    for (const connection of [...this.#open.messages, ...this.#open.status]) {
      connection.close(CLOSE_GOING_AWAY, "The node stops");
      const cancel = this.#services.timers.schedule(CLOSING_MS, () => connection.terminate());
      connection.onClose(cancel);
    }
  }

  #maxOf(kind: ConnectionKind): number {
    return kind === "messages" ? this.#limits.maxMessageConnections : this.#limits.maxStatusConnections;
  }

  #figuresOf(kind: ConnectionKind): KindFigures {
    return { active: this.#open[kind].size, max: this.#maxOf(kind), rejected: this.#rejected[kind] };
  }
}
