import { isIP } from "node:net";
import type { GossipSub, Message } from "@libp2p/gossipsub";
import type { Identify } from "@libp2p/identify";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { Ping } from "@libp2p/ping";
import { multiaddr } from "@multiformats/multiaddr";
import { isPublicAddress, shuffled } from "@twentysix/platform";
import {
  ALIVE_PERIOD_MS,
  type Announcement,
  aliveText,
  FIRST_ALIVE_MS,
  readAlive,
  withoutPeerId,
} from "./alive.ts";
import { hostOf } from "./connection-gate.ts";
import { oneTooMany } from "./connection-limits.ts";
import { askDialBack, DIAL_BACK_PROTOCOL, DialBackServer } from "./dial-back.ts";
import { NetworkError } from "./errors.ts";
import { VERDICTS } from "./gossip.ts";
import type { GossipFigures, GossipGate } from "./gossip-gate.ts";
import { decodeGossip, encodeGossip } from "./gossip-text.ts";
import { Libp2pStreams } from "./libp2p-streams.ts";
import { LinkMonitor } from "./link-monitor.ts";
import type { Network, NetworkOptions, PublishReport } from "./network.ts";
import type { PeerBook } from "./peer-book.ts";
import { type PeerSignatures, signaturesOf } from "./peer-signature.ts";
import { Reachability } from "./reachability.ts";
import { Redialler } from "./redialler.ts";
import { resolveAddresses } from "./resolve-addresses.ts";
import { Unsent } from "./unsent.ts";

export type NetworkServices = {
  readonly identify: Identify;
  readonly ping: Ping;
  readonly gossip: GossipSub;
};

/** Peers that were not heard of for so long are forgotten. Source: pyaleph `p2p.max_peer_age`. */
const MAX_PEER_AGE_MS = 86_400_000;
const SAVE_BOOK_MS = 30_000;
const SEND_AGAIN_MS = 1_000;
/** Peers of other networks that are remembered. */
const MAX_FOREIGN = 1_000;
/** What a frame has beside its message: the names, the signature, the key of its author. */
const FRAME_OVERHEAD_BYTES = 1_536;

/** A network over a libp2p host. */
export class Libp2pNetwork implements Network {
  readonly #host: Libp2p<NetworkServices>;
  readonly #options: NetworkOptions;
  readonly #redialler: Redialler;
  readonly #monitor: LinkMonitor;
  readonly #gate: GossipGate;
  readonly #reachability: Reachability;
  readonly #dialBack: DialBackServer;
  readonly #bootstrap = new Map<string, string[]>();
  readonly #peerListeners = new Set<(peerId: string, isConnected: boolean) => void>();
  readonly #unsent = new Unsent();
  /** Peers of other networks. */
  readonly #foreign = new Set<string>();
  readonly #ended = new AbortController();
  readonly #chores: Promise<unknown>[] = [];
  readonly book: PeerBook;
  readonly streams: Libp2pStreams;
  readonly signatures: PeerSignatures;
  readonly peerId: string;

  constructor(host: Libp2p<NetworkServices>, book: PeerBook, gate: GossipGate, options: NetworkOptions) {
    this.#gate = gate;
    this.#host = host;
    this.#options = options;
    this.book = book;
    this.peerId = host.peerId.toString();
    this.signatures = signaturesOf(options.key);
    this.streams = new Libp2pStreams({
      host,
      timers: options.timers,
      onHandlerError: (error, peerId, protocol) =>
        options.log.debug("A stream of a peer ended badly", { peerId, protocol, error }),
    });
    for (const address of options.bootstrap) this.#addBootstrap(address);
    this.#listen();
    const { clock, timers, random, log } = options;
    this.#redialler = new Redialler({
      wanted: () => this.#wanted(),
      isConnected: (peerId) => this.#isConnected(peerId),
      dial: (peerId, addresses, signal) => this.#dial(peerId, addresses, signal),
      clock,
      timers,
      random,
      log,
    });
    this.#dialBack = new DialBackServer({ host, streams: this.streams, clock, timers, log });
    this.#reachability = new Reachability({
      isPublic: (address) => this.#mayLeadTo({ kind: "P2P", address }),
      askable: () => shuffled(random, this.streams.peersWith(DIAL_BACK_PROTOCOL)),
      ask: (peerId, address) => this.#askDialBack(peerId, address),
      clock,
    });
    this.#monitor = new LinkMonitor({ host, timers, log });
    this.#keepBusy();
  }

  multiAddresses(): readonly string[] {
    const suffix = `/p2p/${this.peerId}`;
    return this.#host.getMultiaddrs().map((address) => {
      const text = address.toString();
      return text.endsWith(suffix) ? text : `${text}${suffix}`;
    });
  }

  peers(): readonly string[] {
    return this.#host.getPeers().map(String);
  }

  sought(): readonly string[] {
    return [...this.#wanted().keys()];
  }

  onPeers(listener: (peerId: string, isConnected: boolean) => void): () => void {
    this.#peerListeners.add(listener);
    return () => this.#peerListeners.delete(listener);
  }

  gossipFigures(): GossipFigures {
    return this.#gate.figures();
  }

  disconnect(peerId: string): void {
    for (const connection of this.#host.getConnections(peerIdFromString(peerId)))
      connection.abort(new Error("the peer is kept away for what it did"));
  }

  async publish(text: string): Promise<PublishReport> {
    const data = encodeGossip(text);
    const { maxFrameBytes } = this.#options;
    if (data.byteLength > maxFrameBytes - FRAME_OVERHEAD_BYTES) {
      const message = `a message of ${data.byteLength} bytes fits into no frame: peers take ${maxFrameBytes} at most`;
      throw new NetworkError("NETWORK_FRAME_TOO_LARGE", message);
    }
    const recipients = await this.#send(data);
    if (recipients === 0) this.#unsent.add(text);
    return { recipients };
  }

  /** To how many it went. */
  async #send(data: Uint8Array): Promise<number> {
    const { gossip } = this.#host.services;
    const topic = this.#options.topics.messages;
    // Published now it would count as sent, and go to nobody who comes later.
    if (gossip.getSubscribers(topic).length === 0) return 0;
    const { recipients } = await gossip.publish(topic, data);
    return recipients.length;
  }

  async #sendUnsent(): Promise<void> {
    const subscribers = this.#host.services.gossip.getSubscribers(this.#options.topics.messages);
    if (this.#unsent.size > 0 && subscribers.length > 0) await this.#unsent.retry((data) => this.#send(data));
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#dialBack.close();
    this.#gate.close();
    await this.#redialler.close();
    await this.#monitor.close();
    await Promise.all(this.#chores);
    await this.#host.stop();
  }

  #addBootstrap(text: string): void {
    const { address, peerId } = withoutPeerId(text);
    if (peerId === null || peerId === this.peerId) return;
    this.#bootstrap.set(peerId, [...(this.#bootstrap.get(peerId) ?? []), address]);
  }

  #listen(): void {
    const { gossip } = this.#host.services;
    const { topics } = this.#options;
    gossip.topicValidators.set(topics.messages, (peer, message) => this.#judge(peer, message));
    gossip.topicValidators.set(topics.alive, (_peer, message) => this.#hearOf(message));
    for (const topic of [topics.messages, topics.alive]) gossip.subscribe(topic);
    this.#host.addEventListener("connection:open", ({ detail }) => {
      if (this.#foreign.has(detail.remotePeer.toString())) detail.abort(foreignPeer());
      const reason = oneTooMany(detail, this.#host.getConnections(), this.#options);
      if (reason !== null) detail.abort(new Error(reason));
    });
    this.#host.addEventListener("peer:connect", ({ detail }) => {
      this.#redialler.came(detail.toString());
      this.#tellPeers(detail, true);
    });
    this.#host.addEventListener("peer:disconnect", ({ detail }) => {
      this.#tellPeers(detail, false);
      if (!this.#ended.signal.aborted) this.#redialler.lost(detail.toString());
    });
  }

  #tellPeers(peer: PeerId, isConnected: boolean): void {
    for (const listener of this.#peerListeners) listener(peer.toString(), isConnected);
  }

  async #judge(peer: PeerId, message: Message): Promise<(typeof VERDICTS)[keyof typeof VERDICTS]> {
    // What is sent again has blanks at its end, to be other bytes.
    const readings = decodeGossip(message.data).map((text) => text.trimEnd());
    if (readings.length === 0) return VERDICTS.reject;
    return VERDICTS[await this.#options.onMessage(readings, peer.toString())];
  }

  #hearOf(message: Message): (typeof VERDICTS)[keyof typeof VERDICTS] {
    const author = message.type === "signed" ? message.from.toString() : "";
    const { mayAnnounce, networkHash, clock } = this.#options;
    if (!this.#bootstrap.has(author) && !mayAnnounce(author)) return VERDICTS.ignore;
    const announced = decodeGossip(message.data)
      .map((text) => readAlive(text, author, networkHash))
      .find((one) => one !== null);
    if (announced === "foreign") this.#leaveAlone(author);
    if (announced === undefined || announced === "foreign" || !this.#mayLeadTo(announced))
      return VERDICTS.ignore;
    const nowMs = Number(clock.nowMicros() / 1_000n);
    const { kind, address } = announced;
    if (kind === "HTTP") this.book.seen(author, { apiUrl: address }, nowMs);
    else this.book.seen(author, { address: withoutPeerId(address).address }, nowMs);
    return VERDICTS.accept;
  }

  /** In a public network nobody is called in a private one. Names of hosts are looked at when they are called. */
  #mayLeadTo({ kind, address }: Announcement): boolean {
    if (this.#options.isPrivate) return true;
    const host = kind === "HTTP" ? hostOfUrl(address) : (hostOf(multiaddr(address)) ?? "");
    return isIP(host) === 0 || isPublicAddress(host);
  }

  /** Peers of another network, whatever has brought them here. */
  #leaveAlone(author: string): void {
    this.book.forget(author);
    this.#foreign.add(author);
    for (const oldest of this.#foreign) if (this.#foreign.size > MAX_FOREIGN) this.#foreign.delete(oldest);
    const peer = peerIdFromString(author);
    this.#options.log.warn("A peer goes by the rules of another network", { peerId: author });
    for (const connection of this.#host.getConnections(peer)) connection.abort(foreignPeer());
  }

  #wanted(): ReadonlyMap<string, readonly string[]> {
    const wanted = new Map<string, readonly string[]>(this.#bootstrap);
    for (const { peerId, addresses } of this.book.all()) {
      if (peerId === this.peerId || addresses.length === 0) continue;
      wanted.set(peerId, [...new Set([...(this.#bootstrap.get(peerId) ?? []), ...addresses])]);
    }
    for (const peerId of this.#foreign) wanted.delete(peerId);
    for (const peerId of wanted.keys()) if (this.#options.opinions?.isBarred(peerId)) wanted.delete(peerId);
    return wanted;
  }

  #isConnected(peerId: string): boolean {
    return this.#host.getConnections(peerIdFromString(peerId)).length > 0;
  }

  async #dial(peerId: string, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    // Bootstrap addresses are somebody's choice; what peers tell is looked through by the gate, as it is called.
    const chosen = this.#bootstrap.get(peerId) ?? [];
    const told = addresses.filter((address) => !chosen.includes(address));
    const resolved = this.#options.isPrivate ? told : await resolveAddresses(told);
    await this.#host.dial(
      [...chosen, ...resolved].map((address) => multiaddr(`${address}/p2p/${peerId}`)),
      { signal },
    );
  }

  #keepBusy(): void {
    const { timers, log } = this.#options;
    const { signal } = this.#ended;
    const every = (periodMs: number, what: string, task: () => Promise<void>): void => {
      const onError = (error: unknown): void => log.warn(`${what} failed`, { error });
      this.#chores.push(timers.every(periodMs, task, { signal, onError }));
    };
    every(SEND_AGAIN_MS, "Sending what had waited for a peer", () => this.#sendUnsent());
    every(SAVE_BOOK_MS, "Saving the peer book", () => this.#saveBook());
    every(ALIVE_PERIOD_MS, "Announcing this node", () => this.#announce());
    const first = timers
      .sleep(FIRST_ALIVE_MS, signal)
      .then(() => this.#announce())
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn("Announcing this node failed", { error });
      });
    this.#chores.push(
      first,
      onEnd(signal, () => this.#saveBook()),
    );
  }

  async #saveBook(): Promise<void> {
    const { book, clock } = this.#options;
    this.book.expire(Number(clock.nowMicros() / 1_000n) - MAX_PEER_AGE_MS);
    await book.write(this.book.all());
  }

  async #announce(): Promise<void> {
    const { topics, apiUrl, version, networkHash, clock } = this.#options;
    const { gossip } = this.#host.services;
    // Without something new in it, peers would take it for the one before.
    const text = { version, networkHash, nonce: clock.nowMicros().toString(36) };
    for (const address of await this.#announceable())
      await gossip.publish(topics.alive, encodeGossip(aliveText({ kind: "P2P", address }, text)));
    if (apiUrl === null || !this.#mayLeadTo({ kind: "HTTP", address: apiUrl })) return;
    await gossip.publish(topics.alive, encodeGossip(aliveText({ kind: "HTTP", address: apiUrl }, text)));
  }

  async #announceable(): Promise<readonly string[]> {
    const all = this.multiAddresses();
    if (this.#options.isPrivate) return all;
    const named = new Set(
      this.#options.announce.map((text) => `${withoutPeerId(text).address}/p2p/${this.peerId}`),
    );
    return await this.#reachability.announceable(all, named);
  }

  /** null: it does not try, or does not answer. */
  async #askDialBack(peerId: string, address: string): Promise<boolean | null> {
    const { timers, log } = this.#options;
    try {
      return await askDialBack(this.streams, peerId, address, timers, this.#ended.signal);
    } catch (error) {
      log.debug("A peer does not call back", { peerId, address, error });
      return null;
    }
  }
}

const foreignPeer = (): Error => new Error("the peer goes by the rules of another network");

/** Without the brackets that URLs put around IPv6. */
const hostOfUrl = (text: string): string => URL.parse(text)?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";

/** Does something once, when the signal aborts. */
function onEnd(signal: AbortSignal, task: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => void task().then(resolve, reject), { once: true });
  });
}
