import { BlobError, type ContentStore, type DagScope, exportPathCar, followPath } from "@twentysix/storage";
import type { GatewayContent, GatewayServices } from "../api/services.ts";
import type { FileHolds } from "./file-holds.ts";
import { serverRefusal } from "./server-refusal.ts";

/** Nothing of this kind is here: no such block, no such entry, or nothing that has entries. */
const ABSENT: ReadonlySet<string> = new Set([
  "BLOCK_NOT_FOUND",
  "BLOB_NOT_FOUND",
  "DAG_PATH_NOT_FOUND",
  "DAG_NODE_INVALID",
  "DAG_NOT_DIRECTORY",
  "CID_INVALID",
  "CID_UNSUPPORTED",
]);

/**
 * What this node holds, by CID and path. Nobody else is asked for it: a gateway that fetches whatever it is asked for
 * would be everybody's proxy.
 */
export function createGateway(contents: ContentStore, holds: FileHolds): GatewayServices {
  return {
    async find(root, path, signal) {
      try {
        const end = await followPath(root, path, contents.blocks, signal);
        const cid = end.cid.toString();
        const block = end.way.at(-1)?.bytes ?? new Uint8Array();
        const sizeBytes = end.kind === "file" ? ((await contents.stat(cid, signal))?.sizeBytes ?? 0) : 0;
        const held = <T>(bytes: AsyncGenerator<T, void, undefined>) => whileHeld(holds, root, bytes);
        const found: GatewayContent = {
          cid,
          kind: end.kind,
          sizeBytes,
          block,
          car: (scope: DagScope) => held(exportPathCar(end, scope, contents.blocks, signal)),
          read: (range) =>
            held(
              contents.read(cid, {
                signal,
                range: { offsetBytes: range.start, lengthBytes: range.end - range.start },
              }),
            ),
        };
        return found;
      } catch (error) {
        if (error instanceof BlobError && ABSENT.has(error.code)) return null;
        throw serverRefusal(error);
      }
    },
  };
}

/** A collection meanwhile breaks no answer off. */
async function* whileHeld<T>(
  holds: FileHolds,
  name: string,
  bytes: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  using _hold = await holds.hold(name);
  yield* bytes;
}
