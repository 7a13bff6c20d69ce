import type { SignedText } from "./raw-messages.ts";

/** The envelope of the same message whose content is a file of the node instead of being inline. */
export function storedEnvelope({ envelope }: SignedText): string {
  const { item_content: _, ...rest } = JSON.parse(envelope) as { item_content: string };
  return JSON.stringify({ ...rest, item_type: "storage" });
}

/** Uploads a content as a file, unsigned. */
export async function uploadContent(node: { readonly apiUrl: string }, content: string): Promise<void> {
  const body = new FormData();
  body.append("file", new Blob([content]));
  const response = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
  if (response.status !== 200) throw new Error(`The content was not taken: ${await response.text()}`);
}
