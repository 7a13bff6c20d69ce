import assert from "node:assert/strict";
import { test } from "node:test";
import { budgetKey } from "../src/client-address.ts";

test("one budget for an IPv4 address, one for an IPv6 /64", () => {
  assert.equal(budgetKey("203.0.113.7"), "203.0.113.7");
  assert.equal(budgetKey("::ffff:203.0.113.7"), "203.0.113.7");
  assert.equal(budgetKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(budgetKey("2001:db8::1"), budgetKey("2001:db8::ffff:2"));
  assert.notEqual(budgetKey("2001:db8:0:1::1"), budgetKey("2001:db8:0:2::1"));
});
