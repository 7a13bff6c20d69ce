import { need, reject, type Stop } from "./outcome.ts";
import type { PreparedMessage, VmReference } from "./prepared.ts";
import type { PriceRequest, ReferencedFile, StateContext } from "./rules.ts";
import { missingFacts, type Need, pairKey, type World } from "./world.ts";

/**
 * Asks the price hook about a message that passed every other check. All that a price needs is fetched before:
 * the files that it stores or references with their sizes, and which price list holds.
 */
export function checkPrice(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  observedMicros: bigint,
): Stop {
  const { prices } = context.rules;
  const pricing = pairKey(prices.address, prices.pricingKey);
  const settings = pairKey(prices.address, prices.settingsKey);
  const first: Need[] = [
    { table: "aggregates", key: pricing },
    { table: "aggregates", key: settings },
    ...referenceNeeds(message),
  ];
  const missing = missingFacts(world, first);
  if (missing.length > 0) return need(missing);
  const named = filesNamed(world, message);
  const missingFiles = missingFacts(
    world,
    named.map(({ fileHash }) => ({ table: "files" as const, key: fileHash })),
  );
  if (missingFiles.length > 0) return need(missingFiles);
  const request: PriceRequest = {
    message,
    files: named.flatMap((file): ReferencedFile[] => {
      const held = world.index.files.get(file.fileHash);
      return held === null ? [] : [{ ...file, sizeBytes: held.sizeBytes }];
    }),
    priceList: {
      pricing: world.facts.aggregates.get(pricing)?.last ?? null,
      settings: world.facts.aggregates.get(settings)?.last ?? null,
    },
    observedMicros,
    nowMicros: context.nowMicros,
    world,
  };
  const verdict = context.priceCheck(request);
  return verdict.ok ? null : reject(verdict.error);
}

function referenceNeeds(message: PreparedMessage): Need[] {
  return referencesOf(message).flatMap(({ hash, useLatest }): Need[] => [
    { table: "items", key: hash },
    ...(useLatest ? [{ table: "tags" as const, key: hash }] : []),
  ]);
}

function referencesOf({ content: { detail } }: PreparedMessage): readonly VmReference[] {
  return "references" in detail ? detail.references : [];
}

/** The files behind the hashes that a message names; a reference that leads nowhere is left out. */
function filesNamed(
  world: World,
  message: PreparedMessage,
): { readonly name: string; readonly fileHash: string }[] {
  const { detail } = message.content;
  if (detail.kind === "STORE") return [{ name: detail.fileHash, fileHash: detail.fileHash }];
  return referencesOf(message).flatMap(({ hash, useLatest }) => {
    const tagged = useLatest ? (world.facts.tags.get(hash)?.fileHash ?? null) : null;
    const stored = (world.live(hash) ?? world.forgotten(hash))?.contentHash ?? null;
    const fileHash = tagged ?? stored;
    return fileHash === null ? [] : [{ name: hash, fileHash }];
  });
}
