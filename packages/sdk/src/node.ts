/** What only Node programs need; the main entry also runs in browsers. */
export { createNodeSha256 } from "./files/node-sha256.ts";
export { openFile } from "./files/open-file.ts";
