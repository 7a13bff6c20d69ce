import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../../src/networking/network-settings.ts";
import { createTapNetworks } from "../../src/networking/tap-networks.ts";
import { createUserNetworks } from "../../src/networking/user-networks.ts";
import { staticIpv6NetworkOf, vmAddresses } from "../../src/networking/vm-addresses.ts";
import type { VmNetworks } from "../../src/networking/vm-network.ts";

const request = {
  vmHash: "deca".repeat(16),
  vmNumber: 3,
  kind: "instance",
  hasInternet: true,
  mappedPorts: [{ guestPort: 22, hostPort: 24_000, tcp: true, udp: false }],
} as const;

const pools = checkAddressPools(DEFAULT_ADDRESS_POOLS);
const addressesOf: VmNetworks["addressesOf"] = ({ vmNumber, vmHash, kind }) =>
  vmAddresses(pools, vmNumber, staticIpv6NetworkOf(pools, vmHash, kind));

describe("networks of machines", () => {
  test("are devices where the helper may make them", async () => {
    const calls: [string, object][] = [];
    const helper = {
      async call<Result>(verb: string, parameters: object) {
        calls.push([verb, parameters]);
        return { tapName: "t26abcdefn3" } as Result;
      },
    };
    const tap = createTapNetworks(helper, addressesOf);
    const network = await tap.create(request, AbortSignal.timeout(1_000));
    assert.equal(tap.mode, "tap");
    assert.equal(network.isReachable, true);
    const [verb, description] = calls[0] ?? [];
    assert.equal(verb, "createNetwork");
    const { macAddress } = description as { macAddress: string };
    assert.deepEqual(network.spec, { kind: "tap", tapName: "t26abcdefn3", macAddress });
    const { vmHash } = request;
    await tap.setPorts(request, AbortSignal.timeout(1_000));
    assert.deepEqual(calls[1], ["setPorts", { vmNumber: 3, vmHash, ports: request.mappedPorts }]);
  });

  test("are QEMU's own elsewhere: with forwards, and the same addresses, which nobody reaches", async () => {
    const user = createUserNetworks({ addressesOf, hostAddress: "0.0.0.0" });
    const { spec, isReachable, addresses } = await user.create(request, AbortSignal.timeout(1_000));
    assert.equal(user.mode, "user");
    assert.equal(isReachable, false);
    assert.equal(addresses.guestIpv6, "fc00:1:2:3:3:deca:deca:dec1");
    assert.equal(spec.kind, "user");
    assert.deepEqual(spec.kind === "user" && [spec.hasInternet, spec.forwards], [
      true,
      [{ protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 24_000, guestPort: 22 }],
    ]);
  });
});
