import type { Timers } from "@twentysix/platform";
import { create } from "kubo-rpc-client";
import type { RemoteBackend } from "../remote/open-remote-stores.ts";
import { KuboDags } from "./kubo-dags.ts";
import { kuboFailure } from "./kubo-failure.ts";
import { KuboObjects } from "./kubo-objects.ts";
import type { KuboSettings } from "./kubo-settings.ts";

const UNSYNCED =
  "Kubo does not sync its blocks (Datastore.Spec: flatfs with sync false, its default): a file that was acknowledged may be lost when the power of its machine fails; set sync to true";

/** A Kubo daemon behind its RPC API. */
export function kuboBackend({ url }: KuboSettings, timers: Timers): RemoteBackend {
  const client = create({ url });
  const apiUrl = new URL("/api/v0/", url);
  const objects = new KuboObjects(client, apiUrl);
  return {
    name: `Kubo at ${url}`,
    files: objects,
    packs: objects,
    async probe(signal) {
      try {
        await client.version({ signal });
      } catch (error) {
        throw signal.aborted ? signal.reason : kuboFailure(error);
      }
    },
    async weaknesses(signal) {
      try {
        const spec: unknown = await client.config.get("Datastore.Spec", { signal });
        return unsyncedBlocks(spec) ? [UNSYNCED] : [];
      } catch (error) {
        throw signal.aborted ? signal.reason : kuboFailure(error);
      }
    },
    dags: (catalog, server) => new KuboDags({ apiUrl, objects, catalog, server, timers }),
    [Symbol.dispose]: () => undefined,
  };
}

/** Whether any store of the daemon is a `flatfs` that leaves its files to the operating system. */
function unsyncedBlocks(spec: unknown): boolean {
  if (Array.isArray(spec)) return spec.some(unsyncedBlocks);
  if (typeof spec !== "object" || spec === null) return false;
  if ("type" in spec && spec.type === "flatfs") return !("sync" in spec && spec.sync === true);
  return Object.values(spec).some(unsyncedBlocks);
}
