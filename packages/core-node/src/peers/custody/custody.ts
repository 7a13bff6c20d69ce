import { type Network, placesOf } from "@twentysix/network";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { Durability } from "@twentysix/protocol";
import type { ContentStore, FileRecords, KeptFileRecord } from "@twentysix/storage";
import type { FileHolds } from "../../content/file-holds.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { Custodian, type CustodianFigures } from "./custodian.ts";
import { answerChallenges, PROOF_PROTOCOL } from "./proof-protocol.ts";
import { StorageNodes } from "./storage-nodes.ts";

export interface CustodyOptions {
  readonly durability: Durability;
  readonly network: Network;
  readonly pipeline: Pick<Pipeline, "noteFiles">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly records: FileRecords;
  readonly fetch: (name: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Who keeps a file, and what is known of it. */
export interface FileCustody {
  readonly file: KeptFileRecord;
  /** Number of copies; null: every node keeps it. */
  readonly copies: number | null;
  readonly self: string;
  /** Nodes that the file is placed on now, among those that can be counted on. */
  readonly places: readonly string[];
  readonly nodes: readonly string[];
}

/** What a node without peers can say of a file. */
export function aloneWith(
  file: KeptFileRecord | null,
  { durability: { copies } }: { readonly durability: Durability },
): FileCustody | null {
  const self = "this node";
  return file === null ? null : { file, copies, self, places: [self], nodes: [self] };
}

/** This node's part in keeping the files of its network. */
export class Custody {
  readonly #options: CustodyOptions;
  readonly #nodes: StorageNodes;
  readonly #custodian: Custodian;
  readonly #stopAnswering: () => void;

  constructor(options: CustodyOptions) {
    const { durability, network, pipeline, contents, records, clock } = options;
    this.#options = options;
    this.#nodes = new StorageNodes({
      self: { peerId: network.peerId, domain: network.peerId },
      connected: () => network.streams.peersWith(PROOF_PROTOCOL),
      domainOf: (peerId) => peerId,
      outageMs: durability.outageSeconds * 1_000,
      nowMs: () => clock.monotonicMs(),
    });
    this.#stopAnswering = answerChallenges({
      streams: network.streams,
      contents,
      isKept: async (name) => (await records.keptFile(name))?.damage === null,
      onLoss: async (name) => {
        options.log.error("The bytes of a file are missing; they are got from other nodes", { name });
        await pipeline.noteFiles({ kind: "damaged", names: [name], damage: "missing" });
      },
    });
    this.#custodian = new Custodian({
      ...options,
      durability,
      nodes: this.#nodes,
      streams: network.streams,
      note: (note) => pipeline.noteFiles(note),
    });
  }

  /** null for a file that no message stores. */
  async of(name: string): Promise<FileCustody | null> {
    const { records, durability } = this.#options;
    const file = await records.keptFile(name);
    if (file === null) return null;
    const nodes = this.#nodes.all();
    const all = nodes.map(({ peerId }) => peerId);
    const { copies } = durability;
    const places = copies === null ? all : placesOf(name, nodes, copies);
    return { file, copies, self: this.#nodes.self, places, nodes: all };
  }

  figures(): CustodianFigures {
    return this.#custodian.figures();
  }

  membersChanged(): void {
    this.#custodian.membersChanged();
  }

  async close(): Promise<void> {
    this.#stopAnswering();
    await this.#custodian.close();
  }
}
