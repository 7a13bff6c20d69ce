import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildImages, defaultImagesFolder, type PublishableImage } from "@twentysix/compute-node";
import type { Timers } from "@twentysix/platform";
import { createEvmAccount, decodeLowerHex, type LocalAccount } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { createNodeSha256, openFile } from "@twentysix/sdk/node";
import type { TestnetAccount } from "../accounts.ts";
import { TestnetError } from "../errors.ts";

/** Hashes of the messages of images, by what they are for. */
export interface PublishedImages {
  readonly runtimes: Readonly<Record<string, string>>;
  readonly rootfs: Readonly<Record<string, string>>;
}

export interface ImageOptions {
  readonly dataDir: string;
  /** Where images are built once for every network; null: the cache of this user. */
  readonly imagesDir: string | null;
  readonly apiUrl: string;
  readonly accounts: readonly TestnetAccount[];
  /** `XDG_CACHE_HOME` among them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Whose files they are: somebody with funds. */
const PUBLISHER = "node-operator";

/**
 * Builds the images that are not in the cache of this user yet, which takes minutes, and stores those on the network
 * that it does not have.
 *
 * @throws ImageError, TestnetError
 */
export async function prepareImages(
  options: ImageOptions,
): Promise<PublishedImages & { readonly hostImagesDir: string }> {
  const { environment, timers, signal } = options;
  const hostImagesDir = options.imagesDir ?? defaultImagesFolder(environment);
  const images = await buildImages(hostImagesDir, { timers, signal });
  const published: { runtimes: Record<string, string>; rootfs: Record<string, string> } = {
    runtimes: {},
    rootfs: {},
  };
  const known = await knownImages(options.dataDir);
  for (const image of images) {
    const hash = known[image.sha256] ?? (await publish(image, options));
    known[image.sha256] = hash;
    published[image.kind === "runtime" ? "runtimes" : "rootfs"][image.name] = hash;
    await writeFile(imagesFile(options.dataDir), `${JSON.stringify(known, null, 2)}\n`);
  }
  return { ...published, hostImagesDir };
}

const imagesFile = (dataDir: string): string => join(dataDir, "images.json");

/** Messages of images that this network has, by the hash of their bytes. */
async function knownImages(dataDir: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(imagesFile(dataDir), "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

async function publish(image: PublishableImage, { apiUrl, accounts, signal }: ImageOptions): Promise<string> {
  const client = createClient({ apiUrl, createSha256: createNodeSha256 });
  const file = await openFile(image.path);
  const { itemHash } = await client.storeFile({ account: publisher(accounts), file, sync: true, signal });
  return itemHash;
}

/** Somebody with funds, whose the files are. */
export function publisher(accounts: readonly TestnetAccount[]): LocalAccount {
  const account = accounts.find(({ role }) => role === PUBLISHER);
  if (account === undefined)
    throw new TestnetError("TESTNET_NOT_READY", `the network has no account ${PUBLISHER}`);
  return createEvmAccount({ privateKey: decodeLowerHex(account.privateKey.slice(2)) });
}
