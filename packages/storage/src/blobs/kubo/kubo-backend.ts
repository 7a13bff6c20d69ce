import type { Timers } from "@twentysix/platform";
import { create } from "kubo-rpc-client";
import type { RemoteBackend } from "../remote/open-remote-stores.ts";
import { KuboDags } from "./kubo-dags.ts";
import { kuboFailure } from "./kubo-failure.ts";
import { KuboObjects } from "./kubo-objects.ts";
import type { KuboSettings } from "./kubo-settings.ts";

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
    dags: (catalog, server) => new KuboDags({ apiUrl, objects, catalog, server, timers }),
    [Symbol.dispose]: () => undefined,
  };
}
