import { PlatformError } from "@twentysix/platform";
import { SchedulerError } from "../errors.ts";
import { joinUrl } from "../http/node-client.ts";
import type { SendRequest } from "../http/outgoing.ts";
import { at } from "../inputs/json-reading.ts";
import type { SchedulerStore } from "../state/store.ts";

const TIMEOUT_MS = 3_000;
/** How long an answer counts. */
const FRESH_MS = 10_000;
const MAX_ASKED = 64;

/** What schedulers elsewhere see of nodes that are silent here. */
export class SecondOpinions {
  readonly #vantagePoints: readonly string[];
  readonly #store: SchedulerStore;
  readonly #send: SendRequest;
  readonly #nowMs: () => number;
  readonly #opinions = new Map<string, { readonly opinion: "alive" | "silent"; readonly atMs: number }>();

  constructor(
    vantagePoints: readonly string[],
    store: SchedulerStore,
    send: SendRequest,
    nowMs: () => number,
  ) {
    this.#vantagePoints = vantagePoints;
    this.#store = store;
    this.#send = send;
    this.#nowMs = nowMs;
  }

  of(nodeHash: string): "alive" | "silent" | null {
    return this.#opinions.get(nodeHash)?.opinion ?? null;
  }

  /** Asks about the nodes that are silent and have machines. */
  async refresh(signal: AbortSignal): Promise<void> {
    if (this.#vantagePoints.length === 0) return;
    const used = new Set([...this.#store.vms.values()].map(({ allocatedNode }) => allocatedNode));
    const silent = [...this.#store.nodes.values()]
      .filter(({ isUnreachable, registration }) => isUnreachable && used.has(registration.nodeHash))
      .map(({ registration }) => registration.nodeHash);
    for (const nodeHash of this.#opinions.keys())
      if (!silent.includes(nodeHash)) this.#opinions.delete(nodeHash);
    const due = silent.filter(
      (nodeHash) => this.#nowMs() - (this.#opinions.get(nodeHash)?.atMs ?? 0) >= FRESH_MS,
    );
    await Promise.all(due.slice(0, MAX_ASKED).map((nodeHash) => this.#ask(nodeHash, signal)));
  }

  async #ask(nodeHash: string, signal: AbortSignal): Promise<void> {
    const answers = await Promise.all(
      this.#vantagePoints.map((url) => this.#statusAt(url, nodeHash, signal)),
    );
    const opinion = answers.includes("Healthy") ? "alive" : "silent";
    this.#opinions.set(nodeHash, { opinion, atMs: this.#nowMs() });
  }

  async #statusAt(baseUrl: string, nodeHash: string, signal: AbortSignal): Promise<unknown> {
    const url = joinUrl(baseUrl, `/api/v1/nodes/${encodeURIComponent(nodeHash)}`);
    const request = { method: "GET", url, headers: {}, body: "", timeoutMs: TIMEOUT_MS, signal } as const;
    try {
      const { status, text } = await this.#send(request);
      return status === 200 ? at(JSON.parse(text), "status") : null;
    } catch (error) {
      // One that cannot be asked has no opinion.
      const isExpected =
        error instanceof SchedulerError || error instanceof PlatformError || error instanceof SyntaxError;
      if (isExpected) return null;
      throw error;
    }
  }
}
