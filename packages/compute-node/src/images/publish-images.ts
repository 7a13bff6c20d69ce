import type { Account, Client } from "@twentysix/sdk";
import { openFile } from "@twentysix/sdk/node";
import type { PublishableImage } from "./build/build-images.ts";

export interface PublishedImage extends PublishableImage {
  /** Of the STORE message: what PROGRAM and INSTANCE messages name. */
  readonly itemHash: string;
}

export interface PublishOptions {
  readonly account: Account;
  /** How the files are kept; `hold` where the message says nothing. */
  readonly payment?: { readonly type: "hold" | "credit" };
  readonly signal: AbortSignal;
}

/**
 * Stores images on the network, each with a STORE message of its own; resolves when the node has applied them all.
 *
 * @throws SdkError
 */
export async function publishImages(
  client: Pick<Client, "storeFile" | "waitForStatus">,
  images: readonly PublishableImage[],
  { account, payment, signal }: PublishOptions,
): Promise<readonly PublishedImage[]> {
  const published: PublishedImage[] = [];
  for (const image of images) {
    const file = await openFile(image.path);
    const metadata = { kind: image.kind, name: image.name };
    const stored = await client.storeFile({ account, file, metadata, payment, sync: true, signal });
    if (stored.status !== "processed") {
      await client.waitForStatus({ itemHash: stored.itemHash, signal });
    }
    published.push({ ...image, itemHash: stored.itemHash });
  }
  return published;
}
