import type { Agent, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { Execution } from "../../executions/execution.ts";
import type { FunctionObserver, RequestOutcome } from "../function-observer.ts";
import type { ProgramGuest, StreamGuest } from "../guests/program-guest.ts";
import type { ProgramUsage } from "../life-cycle/program-usage.ts";
import type { FunctionSettings } from "../settings.ts";
import { createClientAddress } from "./client-address.ts";
import { ClientPlaces } from "./client-places.ts";
import { type AddressReading, type FunctionAddress, readAddress } from "./function-address.ts";
import { FunctionError, noResponse, requestFailure, sendFunctionError } from "./function-error.ts";
import { createGuestAgent } from "./guest-agent.ts";
import type { NamedHosts } from "./named-hosts.ts";
import type { ProgramStarter, ReadyProgram } from "./program-starter.ts";
import { type Exchange, type ProxyContext, proxyRequest } from "./proxy-request.ts";
import { proxyUpgrade, responseOn } from "./proxy-upgrade.ts";
import { targetOf } from "./request-target.ts";
import { scopeRequest } from "./scope-request.ts";

export interface FunctionFrontOptions {
  readonly starter: ProgramStarter;
  readonly usage: ProgramUsage;
  readonly hosts: NamedHosts;
  readonly settings: FunctionSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Told of programs whose machine gave no answer: it is stopped, and started again when it is asked for. */
  readonly onUnresponsive: (vmHash: string, why: string) => void;
  readonly observer?: Pick<FunctionObserver, "answered" | "upgraded" | "refused"> | undefined;
}

/** Deadlines in a row that a program may miss before its machine is stopped: it may never answer again. */
const MAX_MISSED_DEADLINES = 3;

/** Requests of visitors to programs: finds the program, has it started, and carries request and answer. */
export class FunctionFront {
  readonly #options: FunctionFrontOptions;
  readonly #clientOf: (request: IncomingMessage) => string;
  readonly #places: ClientPlaces;
  readonly #agents = new WeakMap<ProgramGuest, Agent>();
  readonly #missedDeadlines = new Map<string, number>();

  constructor(options: FunctionFrontOptions) {
    this.#options = options;
    this.#clientOf = createClientAddress(options.settings.trustedProxies);
    this.#places = new ClientPlaces(options.settings.maxRequestsPerClient);
  }

  /** Whom a request is for. A named host still has to be looked up. */
  read(request: IncomingMessage): AddressReading {
    return readAddress(targetOf(request), request.headers.host ?? "", this.#options.settings.domainName);
  }

  /** Answers the request if it is for a program. false: it is not, and nothing was sent. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { clock, observer } = this.#options;
    const startedMs = clock.monotonicMs();
    const leaving = new AbortController();
    let isOurs = true;
    response.once("close", () => {
      leaving.abort(new Error("the visitor left"));
      if (isOurs) observer?.answered(outcomeOf(response), (clock.monotonicMs() - startedMs) / 1_000);
    });
    try {
      const address = await this.#find(request);
      isOurs = address !== null;
      if (address === null) return false;
      await this.#serve(address, this.#clientOf(request), leaving.signal, (program, added) =>
        this.#exchange(program, {
          request,
          response,
          suffix: address.suffix,
          addedHeaders: added,
          deadlineMs: this.#deadlineMs(program.execution),
          showsTraceback: this.#options.settings.showsTracebacks(program.execution.vmHash),
        }),
      );
    } catch (error) {
      if (!isAbortOf(leaving.signal, error)) this.#fail(request, response, error);
    }
    return true;
  }

  /** The same for one that wants another protocol; the connection is taken over in any case when it is for a program. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> {
    const leaving = new AbortController();
    socket.on("error", () => socket.destroy());
    socket.once("close", () => leaving.abort(new Error("the visitor left")));
    try {
      const address = await this.#find(request);
      if (address === null) return false;
      await this.#serve(address, this.#clientOf(request), leaving.signal, async (program, added) => {
        const { guest } = program;
        if (guest.kind !== "streams")
          throw new FunctionError(501, "The runtime of this program has no WebSockets");
        const exchange = {
          ...{ request, socket, head, suffix: address.suffix, addedHeaders: added },
          showsTraceback: false,
        };
        const deadlineMs = this.#deadlineMs(program.execution);
        this.#options.observer?.upgraded();
        await proxyUpgrade({ ...exchange, deadlineMs }, this.#proxyContext(guest));
      });
    } catch (error) {
      if (isAbortOf(leaving.signal, error)) return true;
      this.#fail(request, responseOn(request, socket), error);
    }
    return true;
  }

  async #find(request: IncomingMessage): Promise<FunctionAddress | null> {
    const reading = this.read(request);
    if (reading.kind === "function") return reading.address;
    if (reading.kind === "none") return null;
    if (reading.kind === "bad-reference") {
      throw new FunctionError(400, `Invalid message reference: ${reading.reference}`);
    }
    const vmHash = await this.#options.hosts.find(reading.host);
    return vmHash === null ? null : { vmHash, suffix: reading.suffix };
  }

  async #serve(
    { vmHash }: FunctionAddress,
    client: string,
    signal: AbortSignal,
    exchange: (program: ReadyProgram, added: [string, string][]) => Promise<void>,
  ): Promise<void> {
    const { usage, starter, settings } = this.#options;
    if (usage.active(vmHash) >= settings.maxRequestsPerProgram) {
      const text = `${settings.maxRequestsPerProgram} requests to this program are under way: try again`;
      throw new FunctionError(503, text, { headers: { "retry-after": "1" } });
    }
    const ends = [this.#places.take(vmHash, client), usage.begin(vmHash)];
    try {
      const program = await starter.ready({ vmHash, client, source: "visitor" }, signal);
      // A newer version may serve for it.
      if (program.execution.vmHash !== vmHash) ends.push(usage.begin(program.execution.vmHash));
      await this.#watched(program, signal, () => exchange(program, this.#addedHeaders(program.execution)));
    } finally {
      for (const end of ends) end();
    }
  }

  /** Notices a machine that does not answer any more. */
  async #watched(
    { guest, execution: { vmHash } }: ReadyProgram,
    leaving: AbortSignal,
    exchange: () => Promise<void>,
  ): Promise<void> {
    try {
      await exchange();
      this.#missedDeadlines.delete(vmHash);
    } catch (error) {
      const failure = requestFailure(error);
      if (failure.status === 504) this.#countMissed(vmHash);
      const isSilent = failure.status === 502 && failure.form === "text" && !leaving.aborted;
      if (isSilent || guest.isLost) this.#options.onUnresponsive(vmHash, "it ended without an answer");
      throw isSilent && guest.isLost ? noResponse(error) : failure;
    }
  }

  #countMissed(vmHash: string): void {
    const missed = (this.#missedDeadlines.get(vmHash) ?? 0) + 1;
    this.#missedDeadlines.set(vmHash, missed);
    if (missed < MAX_MISSED_DEADLINES) return;
    this.#missedDeadlines.delete(vmHash);
    this.#options.onUnresponsive(vmHash, `it missed ${missed} deadlines in a row`);
  }

  async #exchange({ guest }: ReadyProgram, exchange: Exchange): Promise<void> {
    if (guest.kind === "scopes") await scopeRequest(exchange, guest, this.#options);
    else await proxyRequest(exchange, this.#proxyContext(guest));
  }

  #proxyContext(guest: StreamGuest): ProxyContext {
    const { settings, clock, timers } = this.#options;
    const openConnection = (): Duplex => guest.openHttp();
    let agent = this.#agents.get(guest);
    if (agent === undefined) {
      agent = createGuestAgent(openConnection, settings.maxRequestsPerProgram);
      this.#agents.set(guest, agent);
    }
    return { agent, openConnection, settings, clock, timers };
  }

  #deadlineMs({ content }: Execution): number {
    const { slowness, maxStreamMs } = this.#options.settings;
    return Math.ceil(Math.min(content.resources.seconds * 1_000 * slowness(), maxStreamMs));
  }

  #addedHeaders({ vmHash, resolved }: Execution): [string, string][] {
    const { serverName } = this.#options.settings;
    return [
      ["Aleph-Program-ItemHash", vmHash],
      ["Aleph-Program-Code-Ref", "code" in resolved ? resolved.code.ref : ""],
      ...(serverName === null ? [] : ([["Server", serverName]] as [string, string][])),
    ];
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const failure = requestFailure(error);
    const { status } = failure;
    if (status === 429 || status === 503) this.#options.observer?.refused(status);
    this.#options.log.debug("a request to a program failed", {
      url: request.url,
      status,
      error,
    });
    // What is left of the body of a refused request would be read as the next one.
    if (!request.complete && !response.headersSent) response.setHeader("connection", "close");
    sendFunctionError(response, failure);
  }
}

/** Programs may send any status: one beyond 599 counts as theirs to explain. */
function outcomeOf({ statusCode, writableFinished }: ServerResponse): RequestOutcome {
  if (!writableFinished) return "broken";
  if (statusCode >= 500) return "5xx";
  if (statusCode >= 400) return "4xx";
  return statusCode >= 300 ? "3xx" : "2xx";
}
