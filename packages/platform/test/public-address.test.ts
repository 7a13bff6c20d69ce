import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "../src/index.ts";

test("addresses of the public network are told from all others, however they are written", () => {
  for (const address of ["1.1.1.1", "51.159.57.71", "172.32.0.1", "223.255.255.255", "2606:4700::1111"])
    assert.equal(isPublicAddress(address), true, address);
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "100.100.100.200",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:1.1.1.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "example.org",
    "",
  ])
    assert.equal(isPublicAddress(address), false, address);
});
