import type { Network } from "@twentysix/network";
import { ContentFetcher, MAX_FILE_BYTES } from "./content-fetcher.ts";
import type { PeerScores } from "./peer-scores.ts";
import type { PeersOptions } from "./peers.ts";
import { ShardFetcher } from "./shards/shard-fetcher.ts";
import { ShardGatherer } from "./shards/shard-gatherer.ts";
import { SourceCredit } from "./sources/source-credit.ts";

export interface Fetching {
  readonly fetcher: ContentFetcher;
  readonly gatherer: ShardGatherer;
}

/** Begins to get contents from others: whole, in pieces, or out of shards. What they give wrongly counts against them. */
export function startFetching(
  options: PeersOptions,
  network: Network,
  scores: Pick<PeerScores, "fault">,
  likelyHolders: (hash: string) => readonly string[],
): Fetching {
  const { settings, definition, pipeline, clock, random } = options;
  const credit = new SourceCredit(clock, random, (name, hash) => {
    // Others than peers are named by their addresses.
    if (!name.includes("/")) scores.fault(name, "wrong-content", hash, { asked: hash });
  });
  const { streams } = network;
  const shared = { ...options, streams, credit, maxFileBytes: MAX_FILE_BYTES };
  const gatherer = new ShardGatherer({ ...shared, folder: options.stagingFolder, likely: likelyHolders });
  const fetcher = new ContentFetcher({
    ...options,
    network,
    isPrivate: definition.announce === "private",
    gateways: settings.gateways,
    credit,
    shards: definition.durability.erasure === undefined ? null : new ShardFetcher({ ...shared, gatherer }),
    note: pipeline.noteFiles.bind(pipeline),
  });
  return { fetcher, gatherer };
}
