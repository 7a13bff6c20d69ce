import { ApiError } from "../errors.ts";

export function ipfsDisabled(): ApiError {
  return new ApiError(
    "API_IPFS_DISABLED",
    "403: IPFS is disabled on this node: upload with the storage engine",
  );
}
