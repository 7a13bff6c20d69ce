import { createHash } from "node:crypto";
import {
  decodeGossip,
  encodeGossip,
  type GossipVerdict,
  messageIdOf,
  type Network,
  NetworkError,
  type NetworkOptions,
  PeerBook,
  type PeerKey,
  type PeerSignatures,
  type PeerStream,
  type PeerStreams,
  type PublishReport,
  signaturesOf,
} from "@twentysix/network";
import { type Random, shuffled, type Timers } from "@twentysix/platform";
import { between } from "../random-for.ts";
import type { Trace } from "../trace.ts";
import type { ProcessLife } from "../world/process-life.ts";
import type { Links } from "./links.ts";
import { Pipe } from "./pipe.ts";

/** Changes what a liar sends over its streams; null: nothing goes out. */
export type Tamper = (protocol: string, bytes: Uint8Array) => Uint8Array | null;

export interface HostOptions {
  readonly key: PeerKey;
  readonly life: ProcessLife;
  /** Of the process. */
  readonly timers: Timers;
  readonly node: Omit<NetworkOptions, "key" | "book">;
  readonly links: Links;
  readonly random: Random;
  readonly trace: Trace;
  readonly others: () => readonly Host[];
  readonly find: (peerId: string) => Host | undefined;
  readonly connect: (other: Host) => void;
  readonly leave: () => void;
  readonly tamper?: Tamper;
}

type BreakOff = (reason: unknown) => void;
type Handler = (stream: PeerStream) => Promise<void>;

/** Neighbours that a gossiped message is passed on to, as gossipsub's mesh has them. */
const MESH_DEGREE = 6;
/** See `PeerOpinions`. */
const UNHEARD_SCORE = -8;
const REDIAL_MS = { least: 500, most: 3_000 } as const;
/** Texts that wait for the first peer. */
const MAX_UNSENT = 1_000;

/** One node in the simulated network, in the place of a libp2p host. */
export class Host implements Network {
  readonly peerId: string;
  readonly book = new PeerBook();
  readonly streams: PeerStreams;
  readonly signatures: PeerSignatures;
  readonly #options: HostOptions;
  readonly #handlers = new Map<string, Handler>();
  readonly #connected = new Map<string, Host>();
  readonly #listeners = new Set<(peerId: string, isConnected: boolean) => void>();
  /** How the streams to each peer are broken off. */
  readonly #open = new Map<string, Set<BreakOff>>();
  readonly #seen = new Set<string>();
  readonly #stop = new AbortController();
  #unsent: string[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
    this.peerId = options.key.peerId;
    this.signatures = signaturesOf(options.key);
    this.streams = {
      open: (peerId, protocol, signal) => this.#openStream(peerId, protocol, signal),
      handle: (protocol, handler) => {
        this.#handlers.set(protocol, handler);
        return () => this.#handlers.delete(protocol);
      },
      peersWith: (protocol) => {
        const peers: string[] = [];
        for (const [peerId, host] of this.#connected) if (host.#handlers.has(protocol)) peers.push(peerId);
        return peers;
      },
    };
  }

  start(): void {
    const { timers, random, others } = this.#options;
    const redial = (): void => {
      if (this.#stop.signal.aborted) return;
      for (const other of others()) {
        const isStale = this.#connected.has(other.peerId) && this.#connected.get(other.peerId) !== other;
        if (isStale || !this.#connected.has(other.peerId)) this.#options.connect(other);
      }
      timers.schedule(between(random, REDIAL_MS.least, REDIAL_MS.most), redial);
    };
    timers.schedule(between(random, 0, REDIAL_MS.least), redial);
  }

  multiAddresses(): readonly string[] {
    return [`/memory/${this.peerId}/p2p/${this.peerId}`];
  }

  peers(): readonly string[] {
    return [...this.#connected.keys()];
  }

  /** Those that the node was told of. */
  sought(): readonly string[] {
    return this.#options.node.bootstrap.flatMap((address) => address.split("/").at(-1) ?? []);
  }

  async publish(text: string): Promise<PublishReport> {
    const data = encodeGossip(text);
    if (data.byteLength > this.#options.node.maxFrameBytes)
      throw new NetworkError("NETWORK_FRAME_TOO_LARGE", `${data.byteLength} bytes are more than peers take`);
    if (this.#connected.size === 0) {
      if (this.#unsent.length < MAX_UNSENT) this.#unsent.push(text);
      return { recipients: 0 };
    }
    this.#seen.add(idOf(data));
    for (const host of this.#connected.values()) this.toss(data, host);
    return { recipients: this.#connected.size };
  }

  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Here nobody floods anybody. */
  gossipFigures(): null {
    return null;
  }

  disconnect(peerId: string): void {
    const other = this.#connected.get(peerId);
    if (other === undefined) return;
    this.lost(other);
    this.#options.timers.schedule(this.#options.links.delayMs(), () => other.lost(this));
  }

  /** This node does not want to be connected with that one for now. */
  isBarred(peerId: string): boolean {
    return this.#options.node.opinions?.isBarred(peerId) ?? false;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#options.leave();
    for (const host of [...this.#connected.values()]) this.lost(host);
  }

  /** Sends gossip bytes to one neighbour, whatever they are. */
  toss(data: Uint8Array, to: Host): void {
    this.#options.links.toss(this.peerId, to.peerId, () => to.#gossiped(data, this.peerId));
  }

  /** The neighbours, for who sends them what no node would. */
  neighbours(): readonly Host[] {
    return [...this.#connected.values()];
  }

  /** A connection was made. */
  met(other: Host): void {
    const known = this.#connected.get(other.peerId);
    if (known === other || this.#options.life.isEnded || this.#stop.signal.aborted) return;
    if (known !== undefined) this.lost(known);
    this.#options.trace.add(`${this.peerId} meets ${other.peerId}`);
    this.#connected.set(other.peerId, other);
    for (const listener of this.#listeners) listener(other.peerId, true);
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const text of unsent) void this.publish(text);
  }

  /** A connection is over: whoever waits on its streams hears of it. */
  lost(other: Host): void {
    if (this.#connected.get(other.peerId) !== other || this.#options.life.isEnded) return;
    this.#options.trace.add(`${this.peerId} loses ${other.peerId}`);
    this.#connected.delete(other.peerId);
    const reason = new Error(`the connection to ${other.peerId} is lost`);
    for (const breakOff of [...(this.#open.get(other.peerId) ?? [])]) breakOff(reason);
    for (const listener of this.#listeners) listener(other.peerId, false);
  }

  #gossiped(data: Uint8Array, from: string): void {
    const { life, node, trace } = this.#options;
    const id = idOf(data);
    if ((node.opinions?.scoreOf(from) ?? 0) <= UNHEARD_SCORE) return;
    if (life.isEnded || this.#stop.signal.aborted || this.#seen.has(id)) return;
    this.#seen.add(id);
    const readings = decodeGossip(data);
    if (readings.length === 0 || data.byteLength > node.maxFrameBytes) return;
    trace.add(`${this.peerId} hears ${id} of ${from}`);
    node.onMessage(readings, from).then(
      (verdict) => this.#passOn(data, from, verdict),
      (error: unknown) => node.log.error("A gossiped message could not be judged", { error }),
    );
  }

  #passOn(data: Uint8Array, from: string, verdict: GossipVerdict): void {
    if (verdict !== "accept") return;
    const others = [...this.#connected.values()].filter(({ peerId }) => peerId !== from);
    for (const other of shuffled(this.#options.random, others).slice(0, MESH_DEGREE)) this.toss(data, other);
  }

  async #openStream(peerId: string, protocol: string, signal: AbortSignal): Promise<PeerStream> {
    const { timers, links, find, trace } = this.#options;
    await timers.sleep(2 * links.delayMs(), signal);
    const other = this.#connected.get(peerId);
    const isThere = other !== undefined && find(peerId) === other && !links.isCut(this.peerId, peerId);
    const handler = isThere ? other.#handlers.get(protocol) : undefined;
    if (other === undefined || handler === undefined)
      throw new NetworkError("NETWORK_PEER_FAILED", `peer ${peerId} does not answer ${protocol}`);
    trace.add(`${this.peerId} opens ${protocol} to ${peerId}`);
    const there = this.#pipeTo(other);
    const back = other.#pipeTo(this);
    const breakOff = (reason: unknown): void => {
      this.#forget(peerId, breakOff);
      other.#forget(this.peerId, breakOff);
      there.break(reason);
      back.break(reason);
    };
    this.#keep(peerId, breakOff);
    other.#keep(this.peerId, breakOff);
    const answering = other.#streamOf(protocol, this.peerId, there, back, breakOff);
    handler(answering).catch((error: unknown) => {
      trace.add(`${peerId} breaks ${protocol} of ${this.peerId} off: ${String(error)}`);
      answering.abort(error instanceof Error ? error : new Error(String(error)));
    });
    return this.#streamOf(protocol, peerId, back, there, breakOff);
  }

  #pipeTo(other: Host): Pipe {
    const carry = this.#options.links.stream(this.peerId, other.peerId);
    return new Pipe({ sender: this.#options.life, reader: other.#options.life, carry });
  }

  #keep(peerId: string, breakOff: BreakOff): void {
    const open = this.#open.get(peerId) ?? new Set();
    this.#open.set(peerId, open.add(breakOff));
  }

  #forget(peerId: string, breakOff: BreakOff): void {
    this.#open.get(peerId)?.delete(breakOff);
  }

  #streamOf(
    protocol: string,
    peerId: string,
    incoming: Pipe,
    outgoing: Pipe,
    breakOff: BreakOff,
  ): PeerStream {
    const { tamper, trace } = this.#options;
    return {
      peerId,
      source: incoming.read(),
      send: async (bytes) => {
        const sent = tamper === undefined ? bytes : tamper(protocol, bytes);
        trace.add(`${this.peerId} sends ${peerId} ${protocol} ${digestOf(bytes)}`);
        if (sent !== null) await outgoing.send(sent);
      },
      end: async () => outgoing.end(),
      abort: breakOff,
    };
  }
}

const decoder = new TextDecoder();
const ids = new WeakMap<Uint8Array, string>();

/** One payload is on its way to many, and nobody changes it. */
function idOf(data: Uint8Array): string {
  const known = ids.get(data);
  if (known !== undefined) return known;
  const id = decoder.decode(messageIdOf(data));
  ids.set(data, id);
  return id;
}

/** Enough to tell two runs apart, at a bounded price for large pieces. */
const TOLD_BYTES = 4_096;
const digestOf = (bytes: Uint8Array): string =>
  `${bytes.byteLength} bytes ${createHash("sha256").update(bytes.subarray(0, TOLD_BYTES)).digest("hex").slice(0, 12)}`;
