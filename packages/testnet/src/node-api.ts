import type { Timers } from "@twentysix/platform";

/** Figures of a node that runs. */
export interface NodeFigures {
  readonly connectedPeers: number;
  readonly messages: number;
  readonly memoryBytes: number;
  /** Since its start. */
  readonly cpuSeconds: number;
}

const REQUEST_TIMEOUT_MS = 5_000;

/** What is asked of a node of the network over its API. */
export class NodeApi {
  readonly #apiUrl: string;
  readonly #timers: Pick<Timers, "withTimeout">;

  constructor(apiUrl: string, timers: Pick<Timers, "withTimeout">) {
    this.#apiUrl = apiUrl;
    this.#timers = timers;
  }

  /** null while the node does not answer. */
  async figures(signal: AbortSignal): Promise<NodeFigures | null> {
    const text = await this.#get("/metrics", signal);
    if (text === null) return null;
    const figure = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
    return {
      connectedPeers: figure("twentysix_connected_peers"),
      messages: figure("pyaleph_status_sync_messages_total"),
      memoryBytes: figure("process_resident_memory_bytes"),
      cpuSeconds: figure("process_cpu_seconds_total"),
    };
  }

  /** Whether the node knows tokens of the address, and credits that it got, spent or not. */
  async hasFunds(address: string, signal: AbortSignal): Promise<boolean> {
    const path = `/api/v0/addresses/${address}`;
    const balance = await this.#get(`${path}/balance`, signal);
    if (balance === null || !((JSON.parse(balance) as { balance: number }).balance > 0)) return false;
    return (await this.#get(`${path}/credit_history?pagination=1`, signal)) !== null;
  }

  /** The text of an answer; null when there is none, or not the one that was asked for. */
  async #get(path: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await this.#timers.withTimeout(
        REQUEST_TIMEOUT_MS,
        async (timeout) => {
          const answer = await fetch(this.#apiUrl + path, { signal: timeout });
          const text = await answer.text();
          return answer.ok ? text : null;
        },
        signal,
      );
    } catch (error) {
      // A node may be killed at any moment, and be asked at that one.
      if (signal.aborted || !isNoAnswer(error)) throw error;
      return null;
    }
  }
}

/** A connection that failed or took too long; anything else is a defect. */
function isNoAnswer(error: unknown): boolean {
  return error instanceof TypeError
    ? error.cause !== undefined
    : error instanceof Error && "code" in error && error.code === "TIMEOUT";
}
