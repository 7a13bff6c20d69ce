import { FILES, fileBytes } from "./corpus.ts";

/** Uploads the files that the STORE messages of the corpus name. */
export async function uploadFiles(apiUrl: string): Promise<void> {
  for (let index = 0; index < FILES; index += 1) {
    const answer = await fetch(`${apiUrl}/api/v0/storage/add_file`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(fileBytes(index)),
    });
    if (!answer.ok)
      throw new Error(`Upload of file ${index} failed: ${answer.status} ${await answer.text()}`);
  }
}
