import { shardPlacesOf } from "@twentysix/network";
import { type ErasureCode, type KeptFileRecord, type KeptShard, shardBytes } from "@twentysix/storage";
import type { AuditTarget } from "./audits.ts";
import { type CustodyParts, countedOn, giveUpFile } from "./custody-parts.ts";

interface ShardTarget extends AuditTarget {
  readonly position: number;
}

/** Looks after a file that the network keeps in shards. True: something has changed, and there is more to do. */
export async function lookAfterShards(
  parts: CustodyParts,
  file: KeptFileRecord,
  code: ErasureCode,
): Promise<boolean> {
  const { nodes, audits, auditMicros, clock, signal } = parts;
  const { name, damage } = file;
  const coding = codingOf(file, code);
  if (coding === null) return await nameShards(parts, file, code);
  const sizeBytes = shardBytes(coding.codedBytes, code);
  const isHolding = coding.shards.some(({ isHeld }) => isHeld);
  const isReleased = isHolding && parts.pressure.isReleased(name, sizeBytes);
  const isSelfIn = !isReleased && (isHolding || damage === null || parts.pressure.hasRoomFor(sizeBytes));
  const places = shardPlacesOf(name, countedOn(parts, name, isSelfIn), code.totalShards);
  if (damage === null && !survivesAnyOne(places, code)) {
    parts.leaving.end(name);
    return false;
  }
  const lacking = coding.shards.filter(({ position, isHeld }) => places[position] === nodes.self && !isHeld);
  if (lacking.length > 0) return await keepShards(parts, file, coding, lacking);
  const targets = coding.shards.flatMap(({ position, cid: root, proofs }): ShardTarget[] => {
    const peerId = places[position];
    return peerId === undefined || peerId === nodes.self ? [] : [{ peerId, root, position, proofs }];
  });
  const proven = await audits.prove(file, targets, clock.nowMicros() - auditMicros, signal);
  if (damage === null) await giveUpWhole(parts, file, targets, proven);
  await giveUpSurplus(parts, { file, shards: coding.shards, targets, proven, isReleased });
  return false;
}

/** Enough shards are left whichever node vanishes. With too few nodes for that, whoever has the whole keeps it. */
function survivesAnyOne(places: readonly string[], { dataShards, totalShards }: ErasureCode): boolean {
  const perNode = new Map<string, number>();
  for (const place of places) perNode.set(place, (perNode.get(place) ?? 0) + 1);
  return places.length > 0 && Math.max(...perNode.values()) <= totalShards - dataShards;
}

/** What is here of a file, and what others have proven of it. */
interface Held {
  readonly file: KeptFileRecord;
  readonly shards: readonly KeptShard[];
  readonly targets: readonly ShardTarget[];
  readonly proven: ReadonlySet<ShardTarget>;
  readonly isReleased: boolean;
}

type Coding = NonNullable<KeptFileRecord["coding"]>;

/** null: its shards are not known, or those of another code are. */
function codingOf({ coding }: KeptFileRecord, { dataShards, totalShards }: ErasureCode): Coding | null {
  return coding?.dataShards === dataShards && coding.totalShards === totalShards ? coding : null;
}

/** What the shards are called is computed from the file; one that is not here has to come once more. */
async function nameShards(parts: CustodyParts, file: KeptFileRecord, code: ErasureCode): Promise<boolean> {
  const { backOff, fetch, shards } = parts;
  const { name } = file;
  if (!backOff.isDue(name)) return false;
  const isDone = file.damage === null ? (await shards.name(file, code)) !== null : await fetch(name);
  if (isDone) backOff.succeeded(name);
  else backOff.failed(name);
  return isDone;
}

async function keepShards(
  { shards, backOff, fetch, figures, signal, log }: CustodyParts,
  file: KeptFileRecord,
  coding: Coding,
  lacking: readonly KeptShard[],
): Promise<boolean> {
  const { name } = file;
  let isChanged = false;
  const own = coding.shards.filter(({ isHeld }) => isHeld).map(({ position }) => position);
  for (const { position } of lacking) {
    const key = `${name} ${position}`;
    if (!backOff.isDue(key) || signal.aborted) continue;
    if (!(await shards.keep(file, coding, own, position, signal))) {
      // Somebody may have the whole still, of which it can be cut the next time.
      if (file.damage !== null && (await fetch(name))) return true;
      backOff.failed(key);
      continue;
    }
    backOff.succeeded(key);
    own.push(position);
    isChanged = true;
    if (file.damage === null) continue;
    figures.repairs += 1;
    log.info("A shard that is kept here was got from other nodes, or made of theirs", { name, position });
  }
  return isChanged;
}

/** The whole file goes once every shard is held by the node that it is placed on. */
async function giveUpWhole(
  parts: CustodyParts,
  file: KeptFileRecord,
  targets: readonly ShardTarget[],
  proven: ReadonlySet<ShardTarget>,
): Promise<void> {
  const { leaving, audits, signal } = parts;
  const { name } = file;
  if (file.isContent || proven.size < targets.length) {
    leaving.end(name);
    return;
  }
  const fresh = await audits.prove(file, targets, leaving.begin(name), signal);
  if (fresh.size < targets.length) return;
  if (await giveUpFile(parts, file)) leaving.end(name);
}

/** Shards that are placed on another node go once that one has proven to hold them. */
async function giveUpSurplus(
  parts: CustodyParts,
  { file, shards, targets, proven, isReleased }: Held,
): Promise<void> {
  const { leaving, audits, note, eraseDue, figures, pressure, signal, log } = parts;
  const { name } = file;
  const isMine = (shard: KeptShard): boolean =>
    shard.isHeld && targets.every(({ position }) => position !== shard.position);
  // Shards of a file that repeats itself can be the same bytes.
  const kept = new Set(shards.filter(isMine).map(({ cid }) => cid));
  for (const { position, cid, isHeld } of shards) {
    const target = targets.find((one) => one.position === position);
    if (!isHeld || target === undefined || kept.has(cid)) {
      if (isHeld) leaving.end(cid);
      continue;
    }
    // Said even before the other has it where there is no room: so nobody goes on counting on this node.
    if (isReleased) leaving.begin(cid);
    else if (!proven.has(target)) leaving.end(cid);
    if (!proven.has(target)) continue;
    const sinceMicros = leaving.begin(cid);
    const fresh = await audits.prove(file, [target], sinceMicros, signal);
    if (!fresh.has(target)) continue;
    await note({ kind: "shards", name, held: [], dropped: [position] });
    eraseDue();
    leaving.end(cid);
    pressure.gone(name);
    figures.evictions += 1;
    log.info("A shard was given up here: the node that it is placed on has proven to hold it", {
      name,
      position,
    });
  }
}
