import { join } from "node:path";

/** Where a Core Channel Node keeps things. */
export interface DataPaths {
  /** The folder of the database. */
  readonly folder: string;
  readonly database: string;
  readonly contents: string;
  /** What is being received. */
  readonly staging: string;
  /** Files that are on their way from peers, in pieces. */
  readonly pieces: string;
  /** The peers that were heard of. */
  readonly peerBook: string;
  /** What peers signed of their states. */
  readonly checkpoints: string;
  /** There while this node lacks much of what its peers have. */
  readonly catchUpMark: string;
  /** When this node was ready last. */
  readonly lastReady: string;
}

export function dataPaths(dataDir: string): DataPaths {
  const folder = join(dataDir, "core");
  return {
    folder,
    database: join(folder, "messages.sqlite"),
    contents: join(dataDir, "contents"),
    staging: join(dataDir, "staging"),
    pieces: join(dataDir, "pieces"),
    peerBook: join(folder, "peers.json"),
    checkpoints: join(folder, "checkpoints.json"),
    catchUpMark: join(folder, "catching-up"),
    lastReady: join(folder, "last-ready"),
  };
}
