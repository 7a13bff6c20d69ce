import type { IncomingMessage } from "node:http";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { StoreClaim, UploadServices } from "../services.ts";
import type { SignedUpload } from "./store-metadata.ts";

/** Most that boundaries and headers of the parts of a form take. */
const MAX_FORM_OVERHEAD_BYTES = 8 * 1024;

/**
 * Where the message comes before the file: the request announces how long the file is at least, so
 * who cannot pay for it is told before he sends it.
 *
 * @throws ApiError API_PAYMENT_REQUIRED
 */
export async function assertFundsForAnnounced(
  { services: { uploads } }: ApiContext,
  { store }: SignedUpload,
  { headers }: IncomingMessage,
  metadataBytes: number,
): Promise<void> {
  const announcedBytes = Number(headers["content-length"] ?? Number.NaN);
  const fileBytes = announcedBytes - metadataBytes - MAX_FORM_OVERHEAD_BYTES;
  if (fileBytes > 0) await assertFunds(uploads.checkFunds, store, fileBytes);
}

/** @throws ApiError API_PAYMENT_REQUIRED, with what is required and what is there. */
export async function assertFunds(
  checkFunds: UploadServices["checkFunds"],
  store: StoreClaim,
  sizeBytes: number,
): Promise<void> {
  const verdict = await checkFunds(store, sizeBytes);
  if (verdict.ok) return;
  const { required, available, unit } = verdict;
  throw new ApiError(
    "API_PAYMENT_REQUIRED",
    `402: Payment Required. ${store.owner} has ${available} ${unit} and needs ${required} for this file`,
    { required, available, unit, owner: store.owner, sizeBytes },
  );
}
