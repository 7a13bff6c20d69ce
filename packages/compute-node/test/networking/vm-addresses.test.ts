import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  addressAt,
  formatIpNetwork,
  parseIpAddress,
  parseIpNetwork,
} from "../../src/networking/ip-network.ts";
import {
  type AddressPoolSettings,
  checkAddressPools,
  DEFAULT_ADDRESS_POOLS,
} from "../../src/networking/network-settings.ts";
import { createVmAddressBook } from "../../src/networking/vm-address-book.ts";
import {
  hostNameOf,
  macAddressOf,
  networkIdOf,
  tapNameOf,
  vmNumberOfTap,
} from "../../src/networking/vm-names.ts";
import type { VmKind } from "../../src/networking/vm-network.ts";

const addressesOf = (
  settings: Partial<AddressPoolSettings>,
  vmNumber: number,
  vmHash: string,
  kind: VmKind = "instance",
) => {
  const pools = checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ...settings });
  return createVmAddressBook(pools, new DatabaseSync(":memory:"))({ vmNumber, vmHash, kind });
};

describe("addresses of machines", () => {
  test("are those of the reference", () => {
    // Source: aleph-vm `tests/supervisor/views/test_view.py`, `tests/supervisor/test_ipv6_allocator.py`.
    assert.deepEqual(addressesOf({}, 3, "deca".repeat(16)), {
      ipv4Network: "172.16.3.0/24",
      hostIpv4: "172.16.3.1",
      guestIpv4: "172.16.3.2",
      ipv6Network: "fc00:1:2:3:3:deca:deca:dec0/124",
      hostIpv6: "fc00:1:2:3:3:deca:deca:dec0",
      guestIpv6: "fc00:1:2:3:3:deca:deca:dec1",
    });
    const hash = "8920215b2e961a4d4c59a8ceb2803af53f91530ff53d6704273ab4d380bc6446";
    const { ipv6Network } = addressesOf({ ipv6Pool: "1111:2222:3333:4444::/64" }, 3, hash, "microvm");
    assert.equal(ipv6Network, "1111:2222:3333:4444:1:8920:215b:2e90/124");
  });

  test("are the n-th network, as far as the pool goes", () => {
    assert.equal(addressesOf({}, 256, "ab".repeat(32)).ipv4Network, "172.17.0.0/24");
    assert.equal(addressesOf({}, 4_095, "ab".repeat(32)).guestIpv4, "172.31.255.2");
    for (const number of [4_096, -1, 1.5]) {
      assert.throws(() => addressesOf({}, number, "ab".repeat(32)), { code: "NETWORK_POOL_EXHAUSTED" });
    }
  });

  test("exist for hashes that are no hexadecimal text too", () => {
    const { ipv6Network } = addressesOf({}, 3, "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG");
    assert.match(ipv6Network, /^fc00:1:2:3:3:[0-9a-f:]+0\/124$/);
  });

  test("of the dynamic policy follow each other, and stay over restarts", () => {
    const database = new DatabaseSync(":memory:");
    const pools = checkAddressPools({
      ...DEFAULT_ADDRESS_POOLS,
      ipv6Pool: "2001:db8::/122",
      ipv6Policy: "dynamic",
    });
    const networkOf = (vmHash: string) =>
      createVmAddressBook(pools, database)({ vmNumber: 4, vmHash, kind: "instance" }).ipv6Network;
    assert.deepEqual(["a", "b", "a", "c", "b"].map(networkOf), [
      "2001:db8::10/124",
      "2001:db8::20/124",
      "2001:db8::10/124",
      "2001:db8::30/124",
      "2001:db8::20/124",
    ]);
    assert.throws(() => networkOf("d"), { code: "NETWORK_POOL_EXHAUSTED" });
  });

  test("need pools that hold them", () => {
    for (const settings of [
      { ipv4Pool: "172.16.1.0/12" },
      { ipv4Pool: "fc00::/64" },
      { ipv4PrefixLength: 31 },
      { ipv4PrefixLength: 8 },
      { ipv6Pool: "fc00::/48" },
      { ipv6PrefixLength: 120 },
      { ipv6Pool: "nonsense" },
      { ipv6Policy: "dynamic" as const, ipv6PrefixLength: 64 },
    ]) {
      assert.throws(() => checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ...settings }), {
        code: "NETWORK_SETTING_INVALID",
      });
    }
  });

  test("are read as they are written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIpAddress(text);
        assert.ok(address);
        const host = address.family === 4 ? 32 : 128;
        const network = { family: address.family, base: address.value, prefixLength: host };
        assert.deepEqual(parseIpNetwork(formatIpNetwork(network)), network);
        assert.equal(parseIpAddress(addressAt(network, 0n))?.value, address.value);
      }),
    );
    for (const text of ["1.2.3.4/33", "::1/129", "1.2.3/8", "fe80::1%eth0/64", "10.0.0.1/8", "::/-1", ""]) {
      assert.equal(parseIpNetwork(text), null, text);
    }
  });
});

describe("names of machines", () => {
  test("of devices fit, and differ between nodes of one host", () => {
    const [one, other] = ["/var/lib/one", "/var/lib/two"].map(networkIdOf) as [string, string];
    assert.notEqual(one, other);
    for (const number of [0, 7, 4_095]) {
      const name = tapNameOf(one, number);
      assert.ok(name.length <= 15, name);
      assert.equal(vmNumberOfTap(one, name), number);
      assert.equal(vmNumberOfTap(other, name), null);
    }
    for (const name of ["eth0", `${tapNameOf(one, 0)}x`, tapNameOf(one, 1).slice(0, -1), `t26${one}n007`]) {
      assert.equal(vmNumberOfTap(one, name), null, name);
    }
  });

  test("of guests are base32 of their hashes", () => {
    assert.equal(hostNameOf("00".repeat(32)), "a".repeat(52));
    assert.equal(hostNameOf("ff".repeat(32)), `${"7".repeat(51)}q`);
    assert.match(hostNameOf("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"), /^[a-z2-7]{52}$/);
  });

  test("of cards are their own for instances; functions continue from one template", () => {
    const of = (vmHash: string, kind: VmKind) => macAddressOf({ vmHash, kind });
    assert.match(of("a", "instance"), /^02(:[0-9a-f]{2}){5}$/);
    assert.notEqual(of("a", "instance"), of("b", "instance"));
    assert.equal(of("a", "microvm"), of("b", "persistent_program"));
  });
});
