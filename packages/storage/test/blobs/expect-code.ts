import assert from "node:assert/strict";
import { BlobError, type BlobErrorCode } from "../../src/blobs/errors.ts";

/** Asserts that `work` rejects with a BlobError of the given code and returns that error. */
export async function rejectsWith(code: BlobErrorCode, work: () => Promise<unknown>): Promise<BlobError> {
  let caught: unknown;
  await assert.rejects(async () => {
    try {
      await work();
    } catch (error) {
      caught = error;
      throw error;
    }
  });
  assert.ok(caught instanceof BlobError, `expected a BlobError ${code}, got ${String(caught)}`);
  assert.equal(caught.code, code, caught.message);
  return caught;
}
