import { createBlobEngine } from "../../../src/blobs/create-engine.ts";
import { type S3Server, s3Missing, startS3Server } from "../../servers/s3-server.ts";
import { sha256 } from "../bytes.ts";
import { type EngineTraits, remoteParts } from "./tested-engine.ts";

let started: Promise<S3Server> | undefined;
let prefixes = 0;

/** One server for all tests of a file, a prefix of its bucket for each. */
export const s3: EngineTraits & AsyncDisposable = {
  name: "S3",
  skip: s3Missing(),
  verifiesReads: true,
  readsOutliveDeletion: false,
  async fresh() {
    started ??= startS3Server();
    const server = await started;
    prefixes += 1;
    const prefix = `test/${prefixes}/`;
    const keyOf = (bytes: Uint8Array): string =>
      `${prefix}files/${sha256(bytes).slice(0, 2)}/${sha256(bytes)}`;
    return {
      engine: createBlobEngine({ ...server.settings, prefix }, remoteParts()),
      held: async () =>
        (await server.keys()).filter((key) => key.startsWith(prefix) || key.includes(".sgwtmp")),
      damage(bytes, offsetBytes) {
        const changed = Buffer.from(bytes);
        changed[offsetBytes] = (changed[offsetBytes] ?? 0) ^ 1;
        return server.overwrite(keyOf(bytes), changed);
      },
      lose: (bytes) => server.lose(keyOf(bytes)),
      server: server.process,
    };
  },
  async [Symbol.asyncDispose]() {
    await (await started)?.[Symbol.asyncDispose]();
  },
};
