import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Room for what work in progress writes beside the disks of machines: backups, uploads, copies for other nodes. */
export interface DiskRoom {
  /**
   * Holds room that no machine was promised for a file or folder at `path`, there or not, until it is let go. null:
   * there is too little.
   */
  claim(path: string, bytes: number): Promise<DiskClaim | null>;
}

export interface DiskClaim extends Disposable {
  /** false: there is too little. */
  growTo(bytes: number): Promise<boolean>;
}

interface Claim {
  readonly path: string;
  bytes: number;
  writtenBytes: number;
}

/** Claims on the disk of a node. What was written for one is no longer free, and no longer counted as claimed. */
export class DiskClaims implements DiskRoom {
  readonly #spareBytes: () => Promise<number>;
  readonly #claims = new Set<Claim>();

  /** @param spareBytes measured when it is called; without what is claimed here. */
  constructor(spareBytes: () => Promise<number>) {
    this.#spareBytes = spareBytes;
  }

  /** What is still to be written, as of the last look. */
  get outstandingBytes(): number {
    return sum(Array.from(this.#claims, outstanding));
  }

  /** Looks at what was written. */
  async look(): Promise<void> {
    const look = async (claim: Claim): Promise<void> => {
      claim.writtenBytes = await allocatedBelow(claim.path);
    };
    await Promise.all(Array.from(this.#claims, look));
  }

  async claim(path: string, bytes: number): Promise<DiskClaim | null> {
    const claim: Claim = { path, bytes: 0, writtenBytes: 0 };
    if (!(await this.#grow(claim, bytes))) return null;
    return {
      growTo: (toBytes) => this.#grow(claim, toBytes),
      [Symbol.dispose]: () => void this.#claims.delete(claim),
    };
  }

  async #grow(claim: Claim, bytes: number): Promise<boolean> {
    if (bytes < claim.bytes) return true;
    await this.look();
    const spareBytes = await this.#spareBytes();
    // From here on at once: two never get the same room.
    const othersBytes = this.outstandingBytes - (this.#claims.has(claim) ? outstanding(claim) : 0);
    if (spareBytes - othersBytes < bytes - claim.writtenBytes) return false;
    claim.bytes = bytes;
    this.#claims.add(claim);
    return true;
  }
}

const outstanding = ({ bytes, writtenBytes }: Claim): number => Math.max(bytes - writtenBytes, 0);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const BLOCK_BYTES = 512;

async function allocatedBelow(path: string): Promise<number> {
  const facts = await stat(path).catch(absent);
  if (facts?.isDirectory() !== true) return (facts?.blocks ?? 0) * BLOCK_BYTES;
  const names = (await readdir(path).catch(absent)) ?? [];
  return sum(await Promise.all(names.map((name) => allocatedBelow(join(path, name)))));
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
