import { existsSync, lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostImageState } from "./host-image-keeper.ts";

/** What a node has written of its images, for commands of the same machine. */
export interface HostImageNote extends HostImageState {
  readonly imagesDir: string;
  /** Of the node. */
  readonly pid: number;
}

const NAMES = ["kernel", "initrd"];

export function hostImageNoteFile(computeDir: string): string {
  return join(computeDir, "host-images.json");
}

export function writeHostImageNote(file: string, note: HostImageNote): void {
  writeFileSync(`${file}.new`, JSON.stringify(note));
  renameSync(`${file}.new`, file);
}

/** null: no node has written one, or the one that built is gone. */
export function readHostImageNote(file: string): HostImageNote | null {
  if (!existsSync(file)) return null;
  const note = JSON.parse(readFileSync(file, "utf8")) as HostImageNote;
  return note.state === "building" && !isAlive(note.pid) ? null : note;
}

/** Whether both images are in a folder, and whether they are files that an operator has put there: ours are links. */
export function readImagePlaces(imagesDir: string): {
  readonly areThere: boolean;
  readonly areOperators: boolean;
} {
  const paths = NAMES.map((name) => join(imagesDir, name));
  const areThere = paths.every((path) => existsSync(path));
  return { areThere, areOperators: areThere && paths.some((path) => !lstatSync(path).isSymbolicLink()) };
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
