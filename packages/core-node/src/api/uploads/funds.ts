import { ApiError } from "../errors.ts";
import type { StoreClaim, UploadServices } from "../services.ts";

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
