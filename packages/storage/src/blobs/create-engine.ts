import type { BlobEngine } from "./blob-engine.ts";
import type { BlobEngineSettings } from "./engine-settings.ts";
import { fileEngine } from "./file-engine.ts";
import type { RemoteParts } from "./remote/open-remote-stores.ts";

/** The engine that the settings name. The client of a server takes memory, so it is loaded only when it is used. */
export function createBlobEngine(settings: BlobEngineSettings, parts: RemoteParts): BlobEngine {
  switch (settings.kind) {
    case "files":
      return fileEngine;
    case "s3":
      return {
        async open(place) {
          const { s3Backend } = await import("./s3/s3-backend.ts");
          const { openRemoteStores } = await import("./remote/open-remote-stores.ts");
          return await openRemoteStores(s3Backend(settings), place, parts);
        },
      };
    case "kubo":
      return {
        async open(place) {
          const { kuboBackend } = await import("./kubo/kubo-backend.ts");
          const { openRemoteStores } = await import("./remote/open-remote-stores.ts");
          return await openRemoteStores(kuboBackend(settings, parts.timers), place, parts);
        },
      };
  }
}
