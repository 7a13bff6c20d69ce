import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { HostMachine } from "../../src/helper/host-parts.ts";
import { machineUsers } from "../../src/helper/machine-user.ts";
import { createNetworkPart } from "../../src/helper/network-part.ts";
import { parseIpNetwork } from "../../src/networking/ip-network.ts";
import { staticIpv6NetworkOf, vmAddresses } from "../../src/networking/vm-addresses.ts";
import { tapNameOf } from "../../src/networking/vm-names.ts";
import { hashOf, nobodyAnswers, signal, type World, world } from "./support/host-world.ts";
import { onPrivateHost } from "./support/private-host.ts";

onPrivateHost(import.meta.url, () => {
  describe("what there is of it", () => {
    const taps = async ({ host }: World): Promise<string[]> =>
      (await host.run("ip", "-o", "link", "show")).match(/t26[0-9a-f]{6}n\d+/g) ?? [];

    test("a network made twice is there once, and one removed leaves nothing", async () => {
      await using net = await world();
      const request = {
        vmHash: hashOf(3),
        vmNumber: 3,
        kind: "instance",
        hasInternet: true,
        mappedPorts: [],
      } as const;
      const first = await net.networks.create(request, signal());
      assert.deepEqual(await net.networks.create(request, signal()), first);
      assert.equal((await taps(net)).length, 1);
      const entries = await net.part.inventory(signal());
      assert.deepEqual(
        entries.map(({ kind, vmHash, vmNumber }) => [kind, vmHash, vmNumber]),
        [
          ["tap", hashOf(3), 3],
          ["rule", null, null],
          ["rule", hashOf(3), 3],
        ],
      );
      await net.networks.remove(3, signal());
      await net.networks.remove(3, signal());
      assert.deepEqual(await taps(net), []);
      assert.equal(await net.host.run("nft", "list", "ruleset"), "");
      assert.deepEqual(await net.part.inventory(signal()), []);
    });

    test("a helper that starts anew keeps what is there, and removes what is nobody's", async () => {
      await using net = await world();
      const ports = [{ guestPort: 22, hostPort: 24_000, tcp: true, udp: false }];
      const guest = await net.guest(3, ports);
      await guest.serve("tcp", 22);
      const { tapName } = guest.network.spec as { tapName: string };
      await net.host.run("ip", "tuntap", "add", "dev", tapName.replace(/3$/, "77"), "mode", "tap");
      await net.host.run("ip", "tuntap", "add", "dev", "t26000000n5", "mode", "tap");
      await net.restart();
      assert.deepEqual((await taps(net)).sort(), ["t26000000n5", tapName].sort());
      await net.host.run("ip", "link", "delete", "dev", "t26000000n5");
      assert.match((await net.outside.ask("tcp", "198.51.100.1", 24_000)) ?? "", /^guest3/);
      // The device is gone, as after the end of the host: so are the rules.
      await net.host.run("ip", "link", "delete", "dev", tapName);
      await net.restart();
      assert.equal(await net.host.run("nft", "list", "ruleset"), "");
    });

    test("a host that fails at its start makes no taps, and says why", async () => {
      await using net = await world();
      const folder = await mkdtemp(join(tmpdir(), "broken-tools-"));
      const path = process.env.PATH;
      // Checks rules and takes none, as where the kernel lacks a part of what they need.
      await writeFile(
        join(folder, "nft"),
        '#!/bin/sh\n[ "$1" = --check ] || { echo out of order >&2; exit 1; }\n',
        {
          mode: 0o755,
        },
      );
      const tap = tapNameOf(net.settings.networkId, 99_999);
      try {
        process.env.PATH = `${folder}:${path}`;
        await net.restart();
        assert.match(net.part.missing.tap ?? "", /nft -f failed \(1\): out of order/);
        await assert.rejects(net.guest(3), { code: "NETWORK_UNAVAILABLE", message: /out of order/ });
      } finally {
        process.env.PATH = path;
        await rm(folder, { recursive: true });
      }
      // As a helper leaves it that is killed while it tries what the host can do.
      await net.host.run("ip", "tuntap", "add", "dev", tap, "mode", "tap");
      await net.restart();
      assert.deepEqual(net.part.missing, {});
      await net.guest(3);
    });

    test("all rules are made anew, and those of other programs stay", async () => {
      await using net = await world();
      const guest = await net.guest(3, [{ guestPort: 22, hostPort: 24_000, tcp: true, udp: false }]);
      await net.guest(4);
      await guest.serve("tcp", 22);
      await net.host.run("nft", "flush", "ruleset");
      await net.host.run("nft", "add", "table", "inet", "of_somebody_else");
      assert.equal(await net.outside.ask("tcp", "198.51.100.1", 24_000), null);
      const request = { vmHash: hashOf(3), vmNumber: 3, kind: "instance", hasInternet: true } as const;
      const mappedPorts = [{ guestPort: 22, hostPort: 24_005, tcp: true, udp: false }];
      assert.deepEqual(await net.networks.recreate([{ ...request, mappedPorts }], signal()), [hashOf(3)]);
      assert.match((await net.outside.ask("tcp", "198.51.100.1", 24_005)) ?? "", /^guest3/);
      assert.equal((await taps(net)).length, 1);
      const other = { ...request, vmHash: hashOf(9), mappedPorts: [] };
      await assert.rejects(net.networks.setPorts(other, signal()), { code: "NETWORK_REQUEST_INVALID" });
      await net.networks.setPorts({ ...request, mappedPorts: [] }, signal());
      assert.equal(await net.outside.ask("tcp", "198.51.100.1", 24_005), null);
      await net.networks.remove(3, signal());
      assert.match(await net.host.run("nft", "list", "ruleset"), /^table inet of_somebody_else/);
    });

    test("a device opens for the user of its machine alone", async () => {
      await using net = await world();
      const request = {
        vmHash: hashOf(3),
        vmNumber: 3,
        kind: "instance",
        hasInternet: true,
        mappedPorts: [],
      } as const;
      const { spec } = await net.networks.create(request, signal());
      const { tapName } = spec as { tapName: string };
      const open = (user: number) =>
        net.host.run(
          ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "socat"],
          ...["-u", "OPEN:/dev/null", `TUN,tun-name=${tapName},tun-type=tap,iff-no-pi`],
        );
      // Both may not change flags of the device as this program tries to; its own user gets so far.
      await assert.rejects(open(machineUsers(0).of(3)), /SIOCSIFFLAGS.*Operation not permitted/);
      await assert.rejects(open(machineUsers(0).of(4)), /TUNSETIFF.*Operation not permitted/);
      const machine = { vmHash: hashOf(4), vmNumber: 4, pid: 1, userId: 1, spec: { network: spec } };
      await assert.rejects(net.part.attach(machine as unknown as HostMachine, signal()), {
        code: "NETWORK_REQUEST_INVALID",
      });
    });

    test("the host answers for addresses that its neighbours look for on their own network", async () => {
      await using net = await world();
      await net.outside.run("ip", "-6", "route", "delete", "2001:db8:1:2::/64");
      await net.outside.run("ip", "address", "add", "2001:db8:1:2::9/64", "dev", "eth0", "nodad");
      await net.host.run("ip", "address", "add", "2001:db8:1:2::1/64", "dev", "out0", "nodad");
      const guest = await net.guest(3);
      await guest.serve("tcp", 80);
      const { guestIpv6 } = guest.network.addresses;
      assert.match((await net.outside.ask("tcp", guestIpv6, 80)) ?? "", /^guest3/);
      await net.networks.remove(3, signal());
      assert.equal(await net.host.run("ip", "-6", "neighbour", "show", "proxy"), "");
    });

    test("what another device of the host has is refused, and leaves nothing", async () => {
      await using net = await world();
      await net.host.run("ip", "address", "add", "172.16.4.1/22", "dev", "lan0");
      const request = { vmNumber: 5, kind: "instance", hasInternet: true, mappedPorts: [] } as const;
      await assert.rejects(net.networks.create({ ...request, vmHash: hashOf(5) }, signal()), {
        code: "NETWORK_ADDRESS_TAKEN",
        message: /lan0 of this host has 172\.16\.4\.0\/22/,
      });
      await net.networks.create({ ...request, vmNumber: 9, vmHash: hashOf(9) }, signal());
      const alike = `${hashOf(9).slice(0, 11)}${"0".repeat(53)}`;
      await assert.rejects(net.networks.create({ ...request, vmNumber: 10, vmHash: alike }, signal()), {
        code: "NETWORK_ADDRESS_TAKEN",
        message: /hashes begin alike/,
      });
      assert.equal((await taps(net)).length, 1);
    });

    test("rules that another program removes are restored", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      await net.host.serve("tcp", 4_020);
      const { hostIpv4 } = guest.network.addresses;
      await net.host.run("nft", "flush", "ruleset");
      while (!(await net.host.run("nft", "list", "tables")).includes("table arp aleph-"));
      assert.equal(await guest.ask("tcp", hostIpv4, 4_020), null);
    });

    test("two nodes of one host have their own, and their machines do not reach each other", async () => {
      await using net = await world();
      const one = await net.guest(3);
      const settings = { ...net.settings, networkId: "0123ab", stateFile: `${net.settings.stateFile}2` };
      const surroundings = { timers: createSystemTimers(), log: createMemoryLogger() };
      const closing = new AbortController();
      const neighbour = await createNetworkPart(
        { ...settings, pools: { ...settings.pools, ipv4: ipv4Pool("100.65.0.0/16") } },
        surroundings,
        closing.signal,
      );
      const addresses = vmAddresses(
        { ...settings.pools, ipv4: ipv4Pool("100.65.0.0/16") },
        3,
        staticIpv6NetworkOf(settings.pools, hashOf(99), "instance"),
      );
      const description = { vmHash: hashOf(99), vmNumber: 3, macAddress: "02:26:00:00:00:09", addresses };
      const parameters = { ...description, hasInternet: true, ports: [] };
      const { createNetwork, removeNetwork } = neighbour.verbs;
      assert.ok(createNetwork && removeNetwork);
      const { tapName } = (await createNetwork(parameters, signal())) as { tapName: string };
      const other = await net.plugIn("guest99", { ...description, tapName });
      await other.serve("tcp", 80);
      await net.outside.serve("tcp", 80);
      assert.equal(await other.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
      await nobodyAnswers(one, [
        ["tcp", addresses.guestIpv4, 80],
        ["tcp", addresses.guestIpv6, 80],
      ]);
      await removeNetwork({ vmNumber: 3 }, signal());
      closing.abort();
      assert.equal(await one.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
    });

    test("a host that learns its route from router advertisements goes on learning it", async () => {
      await using net = await world();
      const read = async (file: string) => (await net.host.run("cat", `/proc/sys/net/${file}`)).trim();
      await net.host.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
      await net.host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/out0/accept_ra");
      const guest = await net.guest(3);
      const { tapName } = guest.network.spec as { tapName: string };
      assert.equal(await read("ipv6/conf/all/forwarding"), "1");
      assert.equal(await read("ipv6/conf/out0/accept_ra"), "2");
      assert.equal(await read(`ipv6/conf/${tapName}/accept_ra`), "0");
    });
  });
});

function ipv4Pool(text: string) {
  const pool = parseIpNetwork(text);
  assert.ok(pool);
  return pool;
}
