import { placesOf } from "@twentysix/network";
import type { KeptFileRecord } from "@twentysix/storage";
import { type CustodyParts, countedOn, giveUpFile } from "./custody-parts.ts";

/** Where everyone keeps everything, a node short of room gives up what so many others have proven to hold. */
export const COPIES_ELSEWHERE = 3;

/** Looks after a file of which the network keeps whole copies; null: one on every node. */
export async function lookAfterCopies(
  parts: CustodyParts,
  file: KeptFileRecord,
  copies: number | null,
): Promise<void> {
  const { nodes, audits, leaving, pressure, auditMicros, clock, signal } = parts;
  const { name, root, sizeBytes, damage } = file;
  const isReleased = damage === null && !file.isContent && pressure.isReleased(name, sizeBytes);
  // What was lost is got again in any case; what was given up only if there is room.
  const isSelfIn = !isReleased && (damage !== "elsewhere" || pressure.hasRoomFor(sizeBytes));
  const all = countedOn(parts, name, isSelfIn);
  const places = copies === null ? all.map(({ peerId }) => peerId) : placesOf(name, all, copies);
  const isMine = places.includes(nodes.self);
  if (isMine && damage !== null) {
    await repair(parts, name);
    return;
  }
  if (root === null) return;
  const targets = places
    .filter((peerId) => peerId !== nodes.self)
    .map((peerId) => ({ peerId, root, position: null, proofs: file.proofs }));
  const proven = await audits.prove(file, targets, clock.nowMicros() - auditMicros, signal);
  if (damage !== null || file.isContent) return;
  const needed = copies ?? COPIES_ELSEWHERE;
  if (isReleased) leaving.begin(root);
  else if (copies === null || isMine || proven.size < needed) {
    leaving.end(root);
    return;
  }
  if (proven.size < needed) return;
  const sinceMicros = leaving.begin(root);
  const fresh = await audits.prove(file, targets, sinceMicros, signal);
  if (fresh.size >= needed && (await giveUpFile(parts, file))) leaving.end(root);
}

async function repair({ backOff, fetch, figures, log }: CustodyParts, name: string): Promise<void> {
  if (!backOff.isDue(name)) return;
  if (!(await fetch(name))) {
    backOff.failed(name);
    return;
  }
  backOff.succeeded(name);
  figures.repairs += 1;
  log.info("A file that is kept here was got from another node", { name });
}
