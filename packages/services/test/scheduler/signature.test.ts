import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { authorizationOf, schedulerKey } from "../../src/scheduler/http/signature.ts";

const KEY = Buffer.from("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d", "hex");
const SIGNATURE =
  "0x43db74ce4faa5a0e9ff4bcaf47c623d55c5211cb386f4e56b4b8afefc9256055522322da7ac5bd0bee74315fd394fe4a8f11d09be7eb4b0b4b07cc4df25edcf51b";

describe("the signature of a call to a node", () => {
  const body = JSON.stringify({ persistent_vms: [], instances: ["deca".repeat(16)] });
  const call = { method: "POST", path: "/control/allocations", body, nowMs: 1_735_725_600_999, nonce: null };

  test("is that of the reference", () => {
    const key = schedulerKey(KEY);
    assert.equal(key.address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    const payload =
      '{"method":"POST","path":"/control/allocations","body_sha256":"9150d3e04a93032020d2bf464226f474e3c4cd3beea4fda809774b522ea9d669","iat":1735725600}';
    assert.equal(payload.length, 145);
    assert.equal(
      authorizationOf(key, call),
      `Aleph-EIP191-V1 sig=${SIGNATURE},payload=${Buffer.from(payload).toString("hex")}`,
    );
  });

  test("covers the empty body and a nonce", () => {
    const header = authorizationOf(schedulerKey(KEY), { ...call, method: "GET", body: "", nonce: "00ff" });
    const payload: unknown = JSON.parse(Buffer.from(header.split("payload=")[1] ?? "", "hex").toString());
    assert.deepEqual(payload, {
      method: "GET",
      path: "/control/allocations",
      body_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      iat: 1_735_725_600,
      nonce: "00ff",
    });
  });
});
