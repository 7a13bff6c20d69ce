import type { WebSocket } from "@fastify/websocket";
import { afterTurn, type Timers } from "@twentysix/platform";
import type { FastifyInstance } from "fastify";
import type { SchedulerEvent } from "../state/events.ts";
import type { SchedulerStore } from "../state/store.ts";
import { Query } from "./query.ts";
import { timeText } from "./time-text.ts";
import { hasAddress } from "./vm-filter.ts";

const PING_MS = 30_000;
/** A consumer that is so far behind is dropped; it can ask for what it missed by `since`. */
const MAX_QUEUED = 1_000;
/** Anybody may listen: more of them at once are told to come back. */
const MAX_CONSUMERS = 1_000;
/** What was missed is read, and sent, in parts: whoever does not read gets no more than one. */
const REPLAYED_AT_ONCE = 200;
const CLOSE_TRY_AGAIN = 1013;

/**
 * `/api/v1/ws`: one JSON frame an event. Parameters `owner`, `vm` and `node` let only theirs through; `since` replays
 * what came after an event's `seq`.
 */
export function addLiveEvents(
  server: FastifyInstance,
  store: Pick<SchedulerStore, "eventsSince" | "onEvent">,
  timers: Timers,
  maxConsumers = MAX_CONSUMERS,
): void {
  let consumers = 0;
  server.get("/api/v1/ws", { websocket: true }, (socket, { query: raw }) => {
    const query = new Query(raw);
    const passes = eventFilter(query);
    const since = query.integer("since", { min: 0, max: Number.MAX_SAFE_INTEGER });
    socket.on("error", () => socket.terminate());
    if (consumers >= maxConsumers) {
      socket.close(CLOSE_TRY_AGAIN, "Too many listen");
      return;
    }
    consumers += 1;
    const consumer = new Consumer(socket, timers);
    const stop = followEvents(store, since, (events) => consumer.send(events.filter(passes)));
    socket.once("close", () => {
      consumers -= 1;
      stop();
    });
  });
}

/** Hands on what came after an event, and then what comes, each once and in order; the returned function ends it. */
function followEvents(
  store: Pick<SchedulerStore, "eventsSince" | "onEvent">,
  since: number | null,
  send: (events: readonly SchedulerEvent[]) => Promise<void>,
): () => void {
  let isOver = false;
  let isLive = since === null;
  let seq = since ?? 0;
  const stop = store.onEvent((event) => {
    // What a stand-by hears of late may have been replayed already.
    if (!isLive || event.seq <= seq) return;
    seq = event.seq;
    void send([event]);
  });
  const catchUp = async (): Promise<void> => {
    while (!isLive && !isOver) {
      const missed = store.eventsSince(seq, REPLAYED_AT_ONCE);
      isLive = missed.length < REPLAYED_AT_ONCE;
      seq = missed.at(-1)?.seq ?? seq;
      await send(missed);
      await new Promise<void>((resolve) => void afterTurn(resolve));
    }
  };
  void catchUp();
  return () => {
    isOver = true;
    stop();
  };
}

class Consumer {
  readonly #socket: WebSocket;
  readonly #timers: Timers;
  #queued = 0;
  #isAnswering = true;
  #cancelPing: () => void;

  constructor(socket: WebSocket, timers: Timers) {
    this.#socket = socket;
    this.#timers = timers;
    this.#cancelPing = this.#schedulePing();
    socket.on("message", () => {});
    socket.on("pong", () => {
      this.#isAnswering = true;
    });
    socket.once("close", () => this.#cancelPing());
  }

  /** Resolves once they have left this process, or never will. */
  async send(events: readonly SchedulerEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.#send(event)));
  }

  async #send(event: SchedulerEvent): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#queued >= MAX_QUEUED) {
      this.#socket.close(CLOSE_TRY_AGAIN, "Reading too slowly");
      return;
    }
    this.#queued += 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.send(JSON.stringify(eventView(event)), () => resolve());
    await promise;
    this.#queued -= 1;
  }

  #schedulePing(): () => void {
    return this.#timers.schedule(PING_MS, () => {
      if (!this.#isAnswering) return this.#socket.terminate();
      this.#isAnswering = false;
      this.#socket.ping();
      this.#cancelPing = this.#schedulePing();
    });
  }
}

function eventFilter(query: Query): (event: SchedulerEvent) => boolean {
  const owners = query.texts("owner");
  const vms = query.texts("vm");
  const nodes = query.texts("node");
  return ({ body, owner }) => {
    if (owners !== null && !hasAddress(owners, owner)) return false;
    if (vms !== null && !("vmHash" in body && vms.includes(body.vmHash))) return false;
    return nodes === null || nodesOf(body).some((nodeHash) => nodes.includes(nodeHash));
  };
}

function nodesOf(body: SchedulerEvent["body"]): readonly string[] {
  if (body.type === "VmMigrated") return [body.sourceHash, body.targetHash];
  return "nodeHash" in body && body.nodeHash !== null ? [body.nodeHash] : [];
}

const SNAKE: Readonly<Record<string, string>> = {
  vmHash: "vm_hash",
  nodeHash: "node_hash",
  sourceHash: "source_hash",
  targetHash: "target_hash",
};

/** Names in both spellings: which of them clients read is not proven. */
export function eventView({ seq, atMs, reason, body }: SchedulerEvent): Readonly<Record<string, unknown>> {
  const both = Object.entries(body).flatMap(([key, value]) => {
    const snake = SNAKE[key];
    return snake === undefined
      ? [[key, value]]
      : [
          [key, value],
          [snake, value],
        ];
  });
  return { ...Object.fromEntries(both), reason, timestamp: timeText(atMs), seq };
}
