import { join } from "node:path";
import type { Logger, Random, Timers } from "@twentysix/platform";
import type { BlobStores, DagPublisher, EnginePlace } from "../blob-engine.ts";
import { makeDurableDirectory } from "../directory-sync.ts";
import { RemoteBlobStore } from "./remote-blob-store.ts";
import { RemoteCatalog } from "./remote-catalog.ts";
import type { RemoteObjects } from "./remote-objects.ts";
import { RemoteServer } from "./remote-server.ts";

export interface RemoteParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** One kind of server, ready to be called. */
export interface RemoteBackend extends Disposable {
  /** For people and logs, without credentials. */
  readonly name: string;
  readonly files: RemoteObjects;
  readonly packs: RemoteObjects;
  /** One cheap call that fails when the server cannot be used. */
  probe(signal: AbortSignal): Promise<void>;
  /** What of the server's own settings weakens the promises of this node, one sentence each. */
  weaknesses?(signal: AbortSignal): Promise<readonly string[]>;
  dags?(catalog: RemoteCatalog, server: RemoteServer): DagPublisher;
}

/** The stores of a server, whether or not it can be reached now. */
export async function openRemoteStores(
  backend: RemoteBackend,
  place: EnginePlace,
  parts: RemoteParts,
): Promise<BlobStores> {
  const { fileSystem, budget, readOnly = false } = place;
  await using stack = new AsyncDisposableStack();
  stack.use(backend);
  const catalog = stack.use(await openCatalog(place));
  const server = stack.use(
    new RemoteServer({ ...parts, name: backend.name, probe: (signal) => backend.probe(signal) }),
  );
  const spoolFolder = join(place.folder, "spool");
  if (!readOnly) await emptyFolder(place, spoolFolder);
  const shared = { ...parts, server, catalog, fileSystem, budget, spoolFolder, readOnly };
  const files = stack.use(new RemoteBlobStore({ ...shared, name: "files", objects: backend.files }));
  const packs = stack.use(new RemoteBlobStore({ ...shared, name: "packs", objects: backend.packs }));
  await server.watch();
  if (!readOnly) {
    server.whenUsable("look at the settings of the server", async (signal) => {
      const found = await server.call(async (one) => await backend.weaknesses?.(one), signal);
      for (const weakness of found ?? []) parts.log.warn(weakness, { server: backend.name });
    });
    server.whenUsable("remove what a crash left", async () => {
      await files.sweep();
      await packs.sweep();
    });
  }
  const dags = backend.dags?.(catalog, server);
  const opened = stack.move();
  return {
    files,
    packs,
    server,
    ...(dags === undefined ? {} : { dags }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openCatalog({ folder, fileSystem, readOnly = false }: EnginePlace): Promise<RemoteCatalog> {
  const path = join(folder, "remote.sqlite");
  if (!readOnly) return new RemoteCatalog(path);
  const isThere = (await fileSystem.stat(path)) !== undefined;
  return isThere ? new RemoteCatalog(path, { readOnly }) : new RemoteCatalog(":memory:");
}

async function emptyFolder({ fileSystem }: EnginePlace, folder: string): Promise<void> {
  await makeDurableDirectory(fileSystem, folder);
  for (const name of await fileSystem.readDirectory(folder)) await fileSystem.unlink(join(folder, name));
}
