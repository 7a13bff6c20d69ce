import type { StorageNode } from "@twentysix/network";
import type { Clock, Logger } from "@twentysix/platform";
import type { ContentStore, FileNote, FileRecords, KeptFileRecord } from "@twentysix/storage";
import type { FileHolds } from "../../content/file-holds.ts";
import type { ShardKeeper } from "../shards/shard-keeper.ts";
import type { Auditor } from "./auditor.ts";
import type { Audits } from "./audits.ts";
import type { BackOff } from "./back-off.ts";
import type { DiskPressure } from "./disk-pressure.ts";
import type { Leaving } from "./leaving.ts";
import type { StorageNodes } from "./storage-nodes.ts";

/** What looking after files takes. */
export interface CustodyParts {
  readonly nodes: StorageNodes;
  readonly auditor: Auditor;
  readonly audits: Audits;
  readonly leaving: Leaving;
  readonly pressure: DiskPressure;
  readonly backOff: BackOff;
  readonly shards: ShardKeeper;
  readonly auditMicros: bigint;
  readonly records: Pick<FileRecords, "isRegistered" | "isRegisteredByCid">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly note: (note: FileNote) => Promise<void>;
  /** Gets a file from whoever has it. */
  readonly fetch: (name: string) => Promise<boolean>;
  /** Bytes that the journal names are to go. */
  readonly eraseDue: () => void;
  readonly figures: CustodyFigures;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Counted since the start. */
export interface CustodyFigures {
  repairs: number;
  evictions: number;
}

/** The nodes that can be counted on for a file; this one only if it keeps it, or has room for it. */
export function countedOn({ nodes, auditor }: CustodyParts, name: string, isSelfIn: boolean): StorageNode[] {
  return nodes
    .all()
    .filter(({ peerId }) => (peerId === nodes.self ? isSelfIn : auditor.isTrusted(name, peerId)));
}

/** Removes the bytes of a whole file, which others have proven to hold. False: somebody is busy with it, or needs it. */
export async function giveUpFile(parts: CustodyParts, file: KeptFileRecord): Promise<boolean> {
  const { holds, records, contents, note, log, figures, pressure } = parts;
  const { name, root, furtherName } = file;
  // Other files may stand on the same bytes.
  if (await records.isRegisteredByCid(name)) return false;
  using held = holds.takeForDeletion(name) ?? undefined;
  if (held === undefined) return false;
  await note({ kind: "elsewhere", names: [name] });
  for (const further of new Set([root, furtherName])) {
    if (further === null || further === name || (await records.isRegistered(further))) continue;
    if ((await contents.index.find(further)) !== undefined) await contents.remove(further);
  }
  await contents.remove(name);
  figures.evictions += 1;
  pressure.gone(name);
  log.info("A file was given up here: others have proven that they keep it", { name });
  return true;
}
