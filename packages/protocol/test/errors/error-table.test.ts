import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_TABLE, errorOfCode, isRetryable, messageError } from "../../src/index.ts";

// Source: pyaleph `src/aleph/types/message_status.py`, but for -2. APIs serve these numbers: they never change.
const PINNED = [
  [-1, "INTERNAL_ERROR", true],
  [-2, "SIGNATURE_UNDECIDED", true],
  [0, "INVALID_FORMAT", false],
  [1, "INVALID_SIGNATURE", false],
  [2, "PERMISSION_DENIED", false],
  [3, "CONTENT_UNAVAILABLE", true],
  [4, "FILE_UNAVAILABLE", true],
  [5, "BALANCE_INSUFFICIENT", false],
  [6, "CREDIT_INSUFFICIENT", false],
  [100, "POST_AMEND_NO_TARGET", false],
  [101, "POST_AMEND_TARGET_NOT_FOUND", true],
  [102, "POST_AMEND_AMEND", false],
  [200, "STORE_REF_NOT_FOUND", true],
  [201, "STORE_UPDATE_UPDATE", false],
  [202, "INVALID_PAYMENT_METHOD", false],
  [300, "VM_REF_NOT_FOUND", true],
  [301, "VM_VOLUME_NOT_FOUND", true],
  [302, "VM_AMEND_NOT_ALLOWED", false],
  [303, "VM_UPDATE_UPDATE", false],
  [304, "VM_VOLUME_TOO_SMALL", false],
  [500, "FORGET_NO_TARGET", false],
  [501, "FORGET_TARGET_NOT_FOUND", true],
  [502, "FORGET_FORGET", false],
  [503, "FORGET_NOT_ALLOWED", false],
  [504, "FORGOTTEN_DUPLICATE", false],
];

test("the error table is complete and its codes do not move", () => {
  assert.equal(PINNED.length, 25);
  assert.deepEqual(
    Object.entries(ERROR_TABLE).map(([name, { code, retryable }]) => [code, name, retryable]),
    PINNED,
  );
});

test("every text says something and no two are alike", () => {
  const texts = Object.values(ERROR_TABLE).map(({ text }) => text);
  assert.equal(new Set(texts).size, 25);
  assert.ok(texts.every((text) => text.length > 8));
});

test("an error carries its code, its details and its policy", () => {
  const error = messageError("VM_VOLUME_NOT_FOUND", { errors: ["abc"] });
  assert.deepEqual(error, { name: "VM_VOLUME_NOT_FOUND", code: 301, details: { errors: ["abc"] } });
  assert.equal(isRetryable(error), true);
  assert.equal(isRetryable(messageError("POST_AMEND_AMEND", null)), false);
  assert.equal(errorOfCode(301)?.name, "VM_VOLUME_NOT_FOUND");
  assert.equal(errorOfCode(999), undefined);
});
