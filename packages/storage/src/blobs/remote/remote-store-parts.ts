import type { Timers } from "@twentysix/platform";
import type { DiskBudget } from "../disk-budget.ts";
import type { FileSystem } from "../file-system.ts";
import type { RemoteCatalog } from "./remote-catalog.ts";
import type { RemoteObjects } from "./remote-objects.ts";
import type { RemoteServer } from "./remote-server.ts";

/** What a blob store on a server works with. */
export interface RemoteStoreParts {
  /** Tells the stores that share a catalog apart. */
  readonly name: "files" | "packs";
  readonly objects: RemoteObjects;
  readonly server: RemoteServer;
  readonly catalog: RemoteCatalog;
  readonly timers: Timers;
  readonly fileSystem: FileSystem;
  /** Room on the disk for what is on its way. */
  readonly budget: DiskBudget;
  /** Folder for it; it exists. */
  readonly spoolFolder: string;
  /** Another process keeps the records: write none. */
  readonly readOnly: boolean;
}
