import type { GossipFigures, Network, NetworkOptions } from "@twentysix/network";
import { type Clock, type Logger, type Random, raceAbort, type Timers } from "@twentysix/platform";
import { type NetworkDefinition, networkHash } from "@twentysix/protocol";
import type { ContentStore, FileRecords, PointReads } from "@twentysix/storage";
import type { NodeStatus, PublicationStatus, UploadServices } from "../api/services.ts";
import type { FileHolds } from "../content/file-holds.ts";
import type { WorkingFiles } from "../content/working-files.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { DiskReservation } from "../services/budgets.ts";
import type { ShownCheckpoints } from "../sync/checkpoints.ts";
import type { TreeReader } from "../sync/own-tree.ts";
import type { SyncStatistics } from "../sync/sync-options.ts";
import type { SyncStatus } from "../sync/sync-progress.ts";
import type { SyncService } from "../sync/sync-service.ts";
import { Announcers } from "./announcers.ts";
import type { ContentFetcher } from "./content-fetcher.ts";
import { ContentServer } from "./content-server.ts";
import { Custody, type CustodyOptions, type CustodyStatistics, type FileCustody } from "./custody/custody.ts";
import { GossipIntake } from "./gossip-intake.ts";
import { type FaultKind, PeerScores } from "./peer-scores.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { startFetching } from "./start-fetching.ts";

/** Joins a network: with the key and the peer book of this node, which stand on its disk. */
export type OpenNetwork = (options: Omit<NetworkOptions, "key" | "book">) => Promise<Network>;

export interface PeersOptions {
  readonly settings: PeerSettings;
  readonly definition: NetworkDefinition;
  /** File of the peer book. */
  readonly bookPath: string;
  /** File of what peers signed of their states. */
  readonly checkpointsPath: string;
  /** File that is there while this node lacks much. */
  readonly catchUpMarkPath: string;
  /** File that says when this node was ready last. */
  readonly lastReadyPath: string;
  readonly pipeline: Pipeline;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly reads: Pick<PointReads, "file" | "totals" | "aggregates">;
  /** Reads what is compared with peers. */
  readonly reader: TreeReader;
  /** False once the node takes nothing more. */
  readonly hasRoom: () => boolean;
  readonly records: FileRecords;
  readonly uploads: UploadServices;
  readonly gracePeriodMs: number;
  /** Folder of files that are on their way in pieces. */
  readonly piecesFolder: string;
  /** Folder of shards that are needed for a moment; emptied at the start. */
  readonly stagingFolder: string;
  /** Bytes that the node may use, and does. */
  readonly disk: CustodyOptions["disk"];
  readonly eraseDue: () => void;
  readonly files: WorkingFiles;
  /** Joins the network; over libp2p by default. */
  readonly openNetwork?: OpenNetwork;
  readonly reserveDisk: () => DiskReservation;
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export interface PeerFigures {
  readonly connected: number;
  readonly published: number;
  /** Peers that took a message which this node published, all such messages together. */
  readonly recipients: number;
  readonly fetches: NodeStatus["storeFetch"];
  /** null where the node keeps to itself. */
  readonly sync: SyncStatistics | null;
  /** Contents from others that were not what was asked for. */
  readonly wrongContents: number;
  readonly custody: CustodyStatistics | null;
  /** What peers were caught at since the start. */
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Peers that are kept away now. */
  readonly barred: number;
  /** How gossip is held back; null where nothing holds it. */
  readonly gossip: GossipFigures | null;
}

/** Nobody to publish to is no failure. */
const NOBODY: PublicationStatus = { status: "success", failed: [], recipients: 0 };
const NO_FETCH = { total: 0, failed: 0, durationMs: 0 };

/** This node among its peers: gossip, content by its hash, visits. Of no effect until it is started. */
export class Peers {
  readonly #takesPart: boolean;
  #network: Network | null = null;
  #server: ContentServer | null = null;
  #fetcher: ContentFetcher | null = null;
  #custody: Custody | null = null;
  #sync: SyncService | null = null;
  #announcers: Announcers | null = null;
  #scores: PeerScores | null = null;
  #published = 0;
  #recipients = 0;

  /** @param takesPart it is going to be started */
  constructor(takesPart: boolean) {
    this.#takesPart = takesPart;
  }

  /** @throws NetworkError NETWORK_KEY_INVALID, NETWORK_LISTEN_FAILED, NETWORK_ADDRESS_INVALID */
  async start(options: PeersOptions, apiUrl: string): Promise<void> {
    const { settings, definition, pipeline, clock, timers, random, log } = options;
    // Loaded by nodes that have peers alone.
    const { startSync } = await import("../sync/start-sync.ts");
    const bootstrap = [...definition.bootstrap.libp2p, ...settings.bootstrap];
    const intake = new GossipIntake({ pipeline, clock, log });
    const isPrivate = definition.announce === "private";
    const announcers = new Announcers({ ...options, registry: definition.authorities.registry, isPrivate });
    this.#announcers = announcers;
    const scores = new PeerScores({
      records: options.records,
      note: (fault) => pipeline.noteFiles({ kind: "fault", fault }),
      clock,
      log,
    });
    await scores.load();
    this.#scores = scores;
    const { openNetwork = overLibp2p(options) } = options;
    const network = await openNetwork({
      listen: [listenAddress(settings)],
      announce: settings.announce,
      topics: definition.topics,
      bootstrap,
      apiUrl: settings.announcedApiUrl ?? apiUrl,
      version: options.version,
      maxFrameBytes: definition.limits.gossipFrameBytes,
      networkHash: networkHash(definition),
      mayAnnounce: (peerId) => isPrivate || announcers.has(peerId),
      isPrivate,
      denied: settings.denied,
      opinions: scores,
      onMessage: (readings, peerId) => intake.judge(readings, peerId),
      clock,
      timers,
      random,
      log,
    });
    this.#network = network;
    this.#server = new ContentServer({ ...options, streams: network.streams });
    scores.onBarred = (peerId) => network.disconnect(peerId);
    const likely = (hash: string): readonly string[] => this.#custody?.likelyHolders(hash) ?? [];
    const { fetcher, gatherer } = startFetching(options, network, scores, likely);
    this.#fetcher = fetcher;
    const custody = new Custody({
      ...options,
      durability: definition.durability,
      network,
      scores,
      gatherer,
      operatorOf: (peerId) => announcers.operatorOf(peerId),
      fetch: (name) => fetcher.fetch({ name, damage: "missing" }),
    });
    this.#custody = custody;
    this.#sync = startSync({
      ...options,
      peers: network,
      hasBootstrap: bootstrap.length > 0,
      onFault: (peerId, reason) => scores.fault(peerId, "visit", null, { reason }),
    });
    network.onPeers((_peerId, isConnected) => {
      if (isConnected) fetcher.peerCame();
      custody.membersChanged();
    });
    log.info("Listening for peers", { peerId: network.peerId, addresses: network.multiAddresses() });
  }

  multiAddresses(): readonly string[] {
    return this.#network?.multiAddresses() ?? [];
  }

  figures(): PeerFigures {
    return {
      connected: this.#network?.peers().length ?? 0,
      published: this.#published,
      recipients: this.#recipients,
      fetches: this.#fetcher?.figures() ?? { storage: NO_FETCH, ipfs: NO_FETCH },
      sync: this.#sync?.statistics() ?? null,
      wrongContents: this.#fetcher?.faults() ?? 0,
      custody: this.#custody?.figures() ?? null,
      faults: this.#scores?.counts() ?? new Map(),
      barred: this.#scores?.barred ?? 0,
      gossip: this.#network?.gossipFigures() ?? null,
    };
  }

  /** How far this node is with what its peers have. */
  sync(): SyncStatus {
    const state = this.#takesPart ? "starting" : "ready";
    return this.#sync?.status() ?? { state, percent: null, secondsLeft: null };
  }

  /** Takes in what peers have that were not visited for so long; ends within a bounded time, whatever they do. */
  async collect(freshMs: number, signal: AbortSignal): Promise<void> {
    await this.#sync?.collect(freshMs, signal);
  }

  /** What this node and its peers signed of their states. */
  async checkpoints(): Promise<ShownCheckpoints> {
    return (await this.#sync?.checkpoints.shown()) ?? { own: null, peers: [] };
  }

  /** Gets the bytes of a registered file that are not here; false when nobody gives them. */
  async fetch(fileHash: string, signal: AbortSignal): Promise<boolean> {
    const fetching = this.#fetcher?.fetch({ name: fileHash, damage: "missing" });
    return fetching === undefined ? false : await raceAbort(fetching, signal);
  }

  /** Who keeps a file; null for one that no message stores, or where this node keeps to itself. */
  async custodyOf(fileHash: string): Promise<FileCustody | null> {
    return (await this.#custody?.of(fileHash)) ?? null;
  }

  /** Publishes a message that is durable here. */
  async publish(text: string): Promise<PublicationStatus> {
    if (this.#network === null) return NOBODY;
    const { NetworkError } = await import("@twentysix/network");
    try {
      const { recipients } = await this.#network.publish(text);
      this.#published += 1;
      this.#recipients += recipients;
      return { ...NOBODY, recipients };
    } catch (error) {
      if (error instanceof NetworkError) return { status: "warning", failed: ["p2p"], recipients: 0 };
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#server?.close();
    await this.#custody?.close();
    await this.#fetcher?.close();
    await this.#sync?.[Symbol.asyncDispose]();
    await this.#network?.close();
    await this.#announcers?.close();
  }
}

function overLibp2p({ settings, bookPath, log }: PeersOptions): OpenNetwork {
  return async (options) => {
    const { loadPeerKey, peerBookFile, startNetwork } = await import("@twentysix/network");
    const key = await loadPeerKey(settings.keyFolder, settings.keyKind);
    const book = peerBookFile(bookPath, (error) => log.warn("The peer book cannot be read", { error }));
    return await startNetwork({ ...options, key, book });
  };
}

function listenAddress({ host, port }: PeerSettings): string {
  return `/${host.includes(":") ? "ip6" : "ip4"}/${host}/tcp/${port}`;
}
