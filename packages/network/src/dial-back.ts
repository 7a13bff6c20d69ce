import { isIP } from "node:net";
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import type { Clock, Logger, Timers } from "@twentysix/platform";
import { withoutPeerId } from "./alive.ts";
import { hostOf } from "./connection-gate.ts";
import { NetworkError } from "./errors.ts";
import { frameOf, framesOf } from "./frames.ts";
import { isRecord } from "./is-record.ts";
import type { PeerStream, PeerStreams } from "./peer-streams.ts";
import { resolveAddress } from "./resolve-addresses.ts";

/*
 * Whether an address leads to the peer that wants to announce it, as somebody else sees it. The asking side sends one
 * frame, JSON: `{"address": …}`, a multiaddress without the name of the peer. The answer is one, JSON:
 * `{"reachable": true | false}`, or `{"reachable": null}` where the other side does not try.
 *
 * Only the host that the asking peer calls from is called: whoever could have any address called would have found a
 * way to send others to strangers. A name is called where it leads to that host; that it does not exist is an answer
 * too, while one that leads elsewhere may be right for somebody with several addresses, so nothing is said of it.
 */

export const DIAL_BACK_PROTOCOL = "/twentysix/dial-back/1.0.0";

const MAX_FRAME_BYTES = 1_024;
const DIAL_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** Calls at once, and the time between two for one peer. */
const MAX_CALLS = 4;
const PAUSE_MS = 20_000;
/** Peers that are remembered for that. */
const MAX_REMEMBERED = 1_000;

export interface DialBackOptions {
  readonly host: Libp2p;
  readonly streams: PeerStreams;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Asks a peer; null: it does not try. @throws NetworkError NETWORK_PEER_FAILED */
export async function askDialBack(
  streams: PeerStreams,
  peerId: string,
  address: string,
  timers: Timers,
  signal: AbortSignal,
): Promise<boolean | null> {
  return await timers.withTimeout(
    ANSWER_TIMEOUT_MS,
    async (stop) => {
      const stream = await streams.open(peerId, DIAL_BACK_PROTOCOL, stop);
      const giveUp = (): void => stream.abort(new Error("the answer is not waited for any more"));
      stop.addEventListener("abort", giveUp, { once: true });
      await stream.send(frameOf(encode({ address })));
      await stream.end();
      const { reachable } = await readFrame(stream);
      return typeof reachable === "boolean" ? reachable : null;
    },
    signal,
  );
}

/** Calls peers back that ask for it. */
export class DialBackServer {
  readonly #options: DialBackOptions;
  readonly #lastMs = new Map<string, number>();
  #calls = 0;
  readonly close: () => void;

  constructor(options: DialBackOptions) {
    this.#options = options;
    this.close = options.streams.handle(DIAL_BACK_PROTOCOL, (stream) => this.#answer(stream));
  }

  async #answer(stream: PeerStream): Promise<void> {
    const { address } = await readFrame(stream);
    const reachable = typeof address === "string" ? await this.#isReachable(stream.peerId, address) : null;
    await stream.send(frameOf(encode({ reachable })));
    await stream.end();
  }

  async #isReachable(peerId: string, address: string): Promise<boolean | null> {
    const { host, clock, timers, log } = this.#options;
    const target = targetOf(address);
    const hosts = host.getConnections(peerIdFromString(peerId)).map(({ remoteAddr }) => hostOf(remoteAddr));
    const isDue = clock.monotonicMs() - (this.#lastMs.get(peerId) ?? Number.NEGATIVE_INFINITY) >= PAUSE_MS;
    if (target === null || this.#calls >= MAX_CALLS || !isDue) return null;
    if (isIP(target.host) !== 0 && !hosts.includes(target.host)) return null;
    this.#remember(peerId);
    this.#calls += 1;
    try {
      return await timers.withTimeout(DIAL_TIMEOUT_MS, async (signal) => {
        const resolved = await resolveAddress(target.address);
        if (resolved === null) return false;
        const own = resolved.filter((one) => hosts.includes(hostOf(multiaddr(one))));
        if (own.length === 0) return null;
        // The name of the peer is part of the address, so that nobody else can answer for it.
        const addresses = own.map((one) => multiaddr(`${one}/p2p/${peerId}`));
        const connection = await host.dial(addresses, { signal, force: true });
        await connection.close();
        return true;
      });
    } catch (error) {
      log.debug("A peer is not reached where it says", { peerId, address, error });
      return false;
    } finally {
      this.#calls -= 1;
    }
  }

  #remember(peerId: string): void {
    this.#lastMs.delete(peerId);
    this.#lastMs.set(peerId, this.#options.clock.monotonicMs());
    for (const oldest of this.#lastMs.keys())
      if (this.#lastMs.size > MAX_REMEMBERED) this.#lastMs.delete(oldest);
  }
}

/** null: no address of a host. */
function targetOf(text: string): { readonly address: string; readonly host: string } | null {
  try {
    const { address } = withoutPeerId(text);
    const host = hostOf(multiaddr(address));
    return host === null ? null : { address, host };
  } catch {
    // Whatever is no address is not called.
    return null;
  }
}

const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

async function readFrame(stream: PeerStream): Promise<Readonly<Record<string, unknown>>> {
  const { value } = await framesOf(stream.source, MAX_FRAME_BYTES).next();
  const malformed = `peer ${stream.peerId} speaks ${DIAL_BACK_PROTOCOL} in a way that nobody understands`;
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array()));
    if (isRecord(read)) return read;
  } catch (cause) {
    throw new NetworkError("NETWORK_PEER_FAILED", malformed, { cause });
  }
  throw new NetworkError("NETWORK_PEER_FAILED", malformed);
}
