import { itemTypeOfHash, looseItemTypeOfHash, type StoredItemType } from "@twentysix/protocol";
import type { FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import { pathValue } from "./route.ts";

/**
 * The file hash of a download path, by the loose test that these routes use, or any CID of version 1.
 * @throws ApiError API_INVALID_HASH
 */
export function fileHashOf(request: FastifyRequest): { hash: string; engine: StoredItemType } {
  const hash = pathValue(request, "file_hash");
  const engine = looseItemTypeOfHash(hash) ?? itemTypeOfHash(hash, { anyCidV1: true });
  if (engine !== null) return { hash, engine };
  throw new ApiError(
    "API_INVALID_HASH",
    "400: Invalid hash. A file is named by 64 hexadecimal digits or by a CID",
    {
      hash: hash.slice(0, 100),
    },
  );
}
