import type { ContentStore } from "@twentysix/storage";
import type { DownloadServices } from "../api/services.ts";

/** Files and directories that this node holds. */
export function createDownloads(contents: ContentStore): DownloadServices {
  return {
    async openFile(fileHash, { range, signal }) {
      const held = await contents.stat(fileHash, signal);
      if (held === undefined) return null;
      return contents.read(fileHash, {
        signal,
        ...(range === undefined
          ? {}
          : { range: { offsetBytes: range.start, lengthBytes: range.end - range.start } }),
      });
    },
    async openTar(fileHash, { signal }) {
      const held = await contents.stat(fileHash, signal);
      return held === undefined ? null : contents.archive(fileHash, { signal });
    },
  };
}
