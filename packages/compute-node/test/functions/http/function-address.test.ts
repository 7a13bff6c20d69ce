import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAddress } from "../../../src/functions/http/function-address.ts";
import { decodeHashLabel, hashLabel } from "../../../src/functions/http/hash-label.ts";

const hashes = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));

test("every hash has one label, in any case, and nothing else is one", () => {
  // As the reference computes it for its diagnostic program.
  const known = "d2b74aa29898457bde0560e47f7cdd4e77287e9f1f7a1456161d2fd7d5c855d7";
  assert.equal(hashLabel(known), "2k3uviuytbcxxxqfmdsh67g5jz3sq7u7d55bivqwdux5pvoikxlq");
  fc.assert(
    fc.property(hashes, (hash) => {
      assert.equal(decodeHashLabel(hashLabel(hash).toUpperCase()), hash);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => decodeHashLabel(text) === null));
});

test("any target and host is read, and only hashes name programs", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (url, host) => {
      const reading = readAddress(url, host, "crn.example.org");
      if (reading.kind === "function") assert.match(reading.address.vmHash, /^[0-9a-f]{64}$/);
    }),
  );
});
