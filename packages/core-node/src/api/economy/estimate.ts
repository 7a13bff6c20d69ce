import {
  isImmutableVolume,
  type MessageCost,
  messageCost,
  mibOfBytes,
  type PriceDecimal,
  type PricedFile,
  type PricedPaymentType,
  PricingError,
  paymentTypeOf,
  storeCost,
} from "@twentysix/protocol";
import type { PriceLists } from "@twentysix/state";
import type { PointReads } from "@twentysix/storage";
import { ApiError } from "../errors.ts";
import type { EconomyServices } from "./economy-services.ts";
import type { EstimateContent } from "./estimate-content.ts";
import type { Priced } from "./price-answer.ts";

type Reads = Pick<PointReads, "referencedBytes" | "file">;
type Economy = Pick<EconomyServices, "pricesInForce" | "rules">;

/**
 * What a content would cost by the prices in force. Files are as large as the client says, else as they are; a file
 * that is not known costs nothing, as when the message is judged.
 *
 * @throws ApiError for what the price list has no price for
 */
export async function estimateCost(
  itemHash: string,
  { typed, sizesMib }: EstimateContent,
  economy: Economy,
  reads: Reads,
): Promise<Priced> {
  const lists = await economy.pricesInForce();
  const owner = typed.content.address;
  if (typed.type === "STORE") {
    const { payment, item_hash: fileHash } = typed.content;
    const storedMib = sizesMib.get("file") ?? (await storedSize(fileHash, reads));
    const isUnsaid = payment === null && economy.rules.storesDefaultToCredits;
    const paymentType = isUnsaid ? "credit" : paymentTypeOf(payment);
    return priced(owner, lists, () => storeCost({ itemHash, prices: lists.book, storedMib, paymentType }));
  }
  const sizeOf = await fileSizes({ typed, sizesMib }, reads);
  const { book: prices, settings } = lists;
  return priced(owner, lists, () =>
    messageCost({ typed, itemHash, prices, settings, sizeOf, storedMib: null }),
  );
}

/** What the file of a STORE would cost that is gone, of which only this was kept. */
export async function goneStoreCost(
  itemHash: string,
  kept: { readonly owner: string; readonly sizeBytes: bigint; readonly paymentType: PricedPaymentType },
  economy: Economy,
): Promise<Priced> {
  const lists = await economy.pricesInForce();
  const storedMib = mibOfBytes(kept.sizeBytes);
  const { paymentType } = kept;
  return priced(kept.owner, lists, () => storeCost({ itemHash, prices: lists.book, storedMib, paymentType }));
}

async function storedSize(fileHash: string, reads: Reads): Promise<PriceDecimal | null> {
  const file = await reads.file(fileHash);
  return file === null ? null : mibOfBytes(file.sizeBytes);
}

/** The sizes of what a machine references, read before they are asked for. */
async function fileSizes(
  { typed, sizesMib }: EstimateContent,
  reads: Reads,
): Promise<(file: PricedFile) => PriceDecimal | null> {
  const unknown = referencedFiles(typed).filter(({ part }) => !sizesMib.has(part));
  const bytes = unknown.length === 0 ? [] : await reads.referencedBytes(unknown);
  const sizes = new Map(sizesMib);
  for (const [at, { part }] of unknown.entries()) {
    const known = bytes[at] ?? null;
    if (known !== null) sizes.set(part, mibOfBytes(known));
  }
  return ({ part }) => sizes.get(part) ?? null;
}

function referencedFiles(typed: EstimateContent["typed"]): PricedFile[] {
  if (typed.type === "STORE" || typed.type === "V-PROGRAM") return [];
  const volumes = typed.content.volumes.flatMap((volume, part): PricedFile[] =>
    isImmutableVolume(volume) ? [{ hash: volume.ref, useLatest: volume.use_latest, part }] : [],
  );
  if (typed.type === "INSTANCE") return volumes;
  const { code, runtime, data } = typed.content;
  return [
    { hash: code.ref, useLatest: code.use_latest, part: "code" },
    { hash: runtime.ref, useLatest: runtime.use_latest, part: "runtime" },
    ...(data === null
      ? []
      : [{ hash: data.ref, useLatest: data.use_latest ?? false, part: "data" as const }]),
    ...volumes,
  ];
}

function priced(owner: string, lists: PriceLists, compute: () => MessageCost): Priced {
  try {
    return { owner, ...compute(), priceListHash: lists.hash };
  } catch (error) {
    if (!(error instanceof PricingError)) throw error;
    // A device that nobody sells is a mistake of the content; a product without a price one of the list.
    const isUnsold = error.code === "PRICE_GPU_UNKNOWN" || error.code === "PRICE_GPU_UNPRICED";
    const code = isUnsold ? "API_UNPROCESSABLE" : "API_NOT_FOUND";
    throw new ApiError(code, `${isUnsold ? 422 : 404}: ${error.message}`, { reason: error.code });
  }
}
