import { type Asked, killNodes } from "./kill-nodes.ts";
import { settleNetwork } from "./settled-network.ts";
import type { SurvivalSize } from "./survival-size.ts";

export interface SurvivalOptions {
  readonly seed: number;
  readonly size: SurvivalSize;
  readonly asked: Asked;
  /** Pairs that are killed, the first ones of all; all by default. */
  readonly maxPairs?: number;
}

/**
 * With so many copies of each file: every pair of nodes is killed once, and once more with two others as soon as all
 * files have their copies again. Where every node keeps everything: all nodes but one, once for each one.
 *
 * @throws SimulationFailure when a survivor does not serve something
 */
export async function survive(options: SurvivalOptions, print: (line: string) => void): Promise<void> {
  const { seed, size, asked, maxPairs = Number.POSITIVE_INFINITY } = options;
  using network = await settleNetwork(seed, size);
  const { images, messages, files, world } = network;
  const names = images.map(({ peerId }) => peerId);
  const { copies, erasure } = size;
  const coded = erasure === undefined ? "" : `, large ones in ${erasure.totalShards} shards`;
  print(
    `${names.length} nodes have settled after ${seconds(world.clock.monotonicMs())} s: ${messages.length} live ` +
      `messages, ${files.length} files of ${network.fileBytes} bytes together, kept by ${copies ?? "every one"}${coded}`,
  );
  const kills =
    size.copies === null
      ? names.map((one) => [names.filter((name) => name !== one)])
      : pairsOf(names).flatMap((pair) => [[pair], [pair, 2]]);
  const perPair = size.copies === null ? 1 : 2;
  for (const [n, groups] of kills.slice(0, maxPairs * perPair).entries()) {
    const report = await killNodes({ network, seed: seed + 1 + n, groups, asked });
    const repairs = report.repairMs.map((ms) => `, repaired after ${seconds(ms)} s`).join("");
    print(
      `killed ${report.killed.join(" ")}${repairs}: ${report.messagesServed} messages and ` +
        `${report.filesServed} files served`,
    );
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(0);

function pairsOf(names: readonly string[]): (readonly [string, string])[] {
  return names.flatMap((one, n) =>
    names.slice(n + 1).map((other): readonly [string, string] => [one, other]),
  );
}
