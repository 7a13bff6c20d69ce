import { isJsonObject, memberOf, sliceMember } from "@twentysix/protocol";
import { ApiError } from "../errors.ts";
import { parseJsonBytes } from "../http/json-body.ts";
import type { StoreClaim, UploadServices } from "../services.ts";
import { readSyncFlag } from "../sync-flag.ts";

/** A verified message that came with an upload. */
export interface SignedUpload {
  readonly messageText: string;
  readonly sync: boolean;
  readonly store: StoreClaim;
}

/**
 * Reads and verifies the `metadata` part: `{"message": <inline STORE>, "sync": bool}`, both required.
 * @throws ApiError API_SIGNATURE_INVALID, or API_UNPROCESSABLE for everything that is not as it must be.
 */
export async function readStoreMetadata(
  bytes: Buffer,
  inspectStore: UploadServices["inspectStore"],
): Promise<SignedUpload> {
  const body = parseJsonBytes(bytes);
  if (!body.ok) throw invalid(body.problems[0]?.msg ?? "not JSON");
  if (!isJsonObject(body.value)) throw invalid("it must be a JSON object");
  const message = memberOf(body.value, "message");
  const syncValue = memberOf(body.value, "sync");
  if (message === undefined || !isJsonObject(message)) throw invalid("message is missing or no object");
  if (syncValue === undefined) throw invalid("sync is missing");
  const sync = readSyncFlag(syncValue);
  if (typeof sync !== "boolean") throw invalid("sync must be a boolean");
  if (memberOf(message, "type") !== "STORE") throw invalid("the message must be a STORE");
  if (memberOf(message, "item_type") !== "inline" || typeof memberOf(message, "item_content") !== "string") {
    throw invalid("the message must be inline, with item_type and item_content");
  }
  const messageText = sliceMember(body.text, "message") ?? "";
  const inspection = await inspectStore(messageText);
  if (inspection.ok) return { messageText, sync, store: inspection.store };
  const { reason, details = null } = inspection;
  const told = isJsonObject(details) ? details : {};
  if (inspection.refusal === "signature") {
    throw new ApiError("API_SIGNATURE_INVALID", `403: Forbidden. ${reason}`, told);
  }
  throw new ApiError("API_UNPROCESSABLE", `422: the message is invalid: ${reason}`, told);
}

/** @throws ApiError API_UNPROCESSABLE unless the signed content names a file of IPFS */
export function assertIpfsItemType({ store }: SignedUpload): void {
  if (store.fileItemType === "ipfs") return;
  throw new ApiError(
    "API_UNPROCESSABLE",
    "422: a file of this route needs item_type=ipfs in the signed content",
  );
}

function invalid(reason: string): ApiError {
  return new ApiError("API_UNPROCESSABLE", `422: invalid metadata: ${reason}`);
}
