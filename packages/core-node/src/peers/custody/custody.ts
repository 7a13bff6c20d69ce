import { type Network, placesOf, shardPlacesOf } from "@twentysix/network";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { Durability, DurabilityClass } from "@twentysix/protocol";
import type { ContentStore, FileRecords, KeptFileRecord, PeerFaultRecord } from "@twentysix/storage";
import type { FileHolds } from "../../content/file-holds.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { PeerScores } from "../peer-scores.ts";
import type { ShardGatherer } from "../shards/shard-gatherer.ts";
import { ShardKeeper } from "../shards/shard-keeper.ts";
import { Auditor } from "./auditor.ts";
import { Audits } from "./audits.ts";
import { BackOff } from "./back-off.ts";
import { Custodian, ruleOf } from "./custodian.ts";
import type { CustodyFigures } from "./custody-parts.ts";
import { DiskPressure } from "./disk-pressure.ts";
import { Leaving } from "./leaving.ts";
import { answerChallenges, type Challenge, PROOF_PROTOCOL } from "./proof-protocol.ts";
import { StorageNodes } from "./storage-nodes.ts";

export interface CustodyOptions {
  readonly durability: Durability;
  readonly network: Network;
  readonly pipeline: Pick<Pipeline, "noteFiles">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly records: FileRecords;
  readonly scores: PeerScores;
  readonly gatherer: ShardGatherer;
  /** Who runs a node, as far as the network knows; nodes of one operator fail, and lie, together. */
  readonly operatorOf: (peerId: string) => string | null;
  readonly fetch: (name: string) => Promise<boolean>;
  readonly eraseDue: () => void;
  readonly disk: { readonly usedBytes: () => number; readonly maxBytes: number | null };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Who keeps a file, and what is known of it. */
export interface FileCustody {
  readonly file: KeptFileRecord;
  readonly rule: DurabilityClass;
  readonly self: string;
  /** Nodes that the file is placed on now, among those that can be counted on; of one in shards by position. */
  readonly places: readonly string[];
  readonly nodes: readonly { readonly peerId: string; readonly domain: string; readonly faults: number }[];
  /** What peers were caught at with this file, the newest first. */
  readonly faults: readonly PeerFaultRecord[];
}

export interface CustodyStatistics extends CustodyFigures {
  readonly proofs: number;
  readonly failedProofs: number;
}

/** What a node without peers can say of a file. */
export function aloneWith(
  file: KeptFileRecord | null,
  { durability }: { readonly durability: Durability },
): FileCustody | null {
  if (file === null) return null;
  const self = "this node";
  const nodes = [{ peerId: self, domain: self, faults: 0 }];
  return { file, rule: ruleOf(durability, file), self, places: [self], nodes, faults: [] };
}

/** A node that does not have what it should is waited for as long as this at least: it may be getting it. */
const MIN_PATIENCE_MS = 10_000;
const MAX_TOLD_FAULTS = 16;

/** This node's part in keeping the files of its network. */
export class Custody {
  readonly #options: CustodyOptions;
  readonly #nodes: StorageNodes;
  readonly #auditor: Auditor;
  readonly #leaving: Leaving;
  readonly #custodian: Custodian;
  readonly #figures: CustodyFigures = { repairs: 0, evictions: 0 };
  readonly #stopAnswering: () => void;

  constructor(options: CustodyOptions) {
    const { durability, network, pipeline, contents, clock, random, scores, disk } = options;
    this.#options = options;
    const domainOf = (peerId: string): string => options.operatorOf(peerId) ?? peerId;
    this.#nodes = new StorageNodes({
      self: network.peerId,
      connected: () => network.streams.peersWith(PROOF_PROTOCOL),
      isWelcome: (peerId) => !scores.isBarred(peerId),
      domainOf,
      outageMs: durability.outageSeconds * 1_000,
      nowMs: () => clock.monotonicMs(),
    });
    this.#auditor = new Auditor({
      ...options,
      streams: network.streams,
      patienceMs: Math.max(MIN_PATIENCE_MS, durability.outageSeconds * 1_000),
      auditMs: durability.auditSeconds * 1_000,
    });
    this.#leaving = new Leaving(clock);
    const note = pipeline.noteFiles.bind(pipeline);
    this.#stopAnswering = answerChallenges({
      streams: network.streams,
      contents,
      holdingOf: (challenge) => this.#holdingOf(challenge),
      holds: options.holds,
      onLoss: async (name, damage) => {
        options.log.error("The bytes of a file are lost; they are got from other nodes", { name, damage });
        await note({ kind: "damaged", names: [name], damage });
      },
      sign: (bytes) => network.signatures.sign(bytes),
      clock,
      timers: options.timers,
    });
    this.#custodian = new Custodian({
      durability,
      records: options.records,
      timers: options.timers,
      parts: {
        ...options,
        nodes: this.#nodes,
        auditor: this.#auditor,
        audits: new Audits({ auditor: this.#auditor, nodes: this.#nodes, note, clock }),
        leaving: this.#leaving,
        pressure: new DiskPressure(disk),
        backOff: new BackOff(clock, random),
        shards: new ShardKeeper({ ...options, note }),
        auditMicros: BigInt(durability.auditSeconds) * 1_000_000n,
        note,
        figures: this.#figures,
      },
    });
  }

  /** null for a file that no message stores. */
  async of(name: string): Promise<FileCustody | null> {
    const { records, durability, scores } = this.#options;
    const file = await records.keptFile(name);
    if (file === null) return null;
    const nodes = this.#nodes.all();
    const rule = ruleOf(durability, file);
    const faults = await records.peerFaults(name, MAX_TOLD_FAULTS);
    return {
      file,
      rule,
      self: this.#nodes.self,
      places: this.placesFor(name, rule),
      nodes: nodes.map(({ peerId, domain }) => ({ peerId, domain, faults: scores.faultsOf(peerId) })),
      faults,
    };
  }

  /** Nodes that a file is placed on. */
  placesFor(name: string, rule: DurabilityClass): readonly string[] {
    const nodes = this.#nodes.all();
    const trusted = nodes.filter(
      ({ peerId }) => peerId === this.#nodes.self || this.#auditor.isTrusted(name, peerId),
    );
    if (rule.kind === "erasure") return shardPlacesOf(name, trusted, rule.totalShards);
    return rule.copies === null ? nodes.map(({ peerId }) => peerId) : placesOf(name, trusted, rule.copies);
  }

  /** Nodes that a file in shards is placed on; none where the network keeps none so. */
  likelyHolders(name: string): readonly string[] {
    const { erasure } = this.#options.durability;
    if (erasure === undefined) return [];
    const { dataShards, totalShards } = erasure;
    return this.placesFor(name, { kind: "erasure", dataShards, totalShards });
  }

  figures(): CustodyStatistics {
    return { ...this.#figures, ...this.#auditor.figures() };
  }

  membersChanged(): void {
    this.#custodian.membersChanged();
  }

  async close(): Promise<void> {
    this.#stopAnswering();
    await this.#custodian.close();
  }

  async #holdingOf({
    name,
    root,
  }: Challenge): ReturnType<Parameters<typeof answerChallenges>[0]["holdingOf"]> {
    const contentName = await this.#options.records.heldAs(name, root);
    if (contentName === null) return { state: "absent" };
    return this.#leaving.has(root) ? { state: "leaving" } : { state: "held", contentName };
  }
}
