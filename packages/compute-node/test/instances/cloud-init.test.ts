import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { metaData } from "../../src/instances/cloud-init/meta-data.ts";
import { networkConfig } from "../../src/instances/cloud-init/network-config.ts";
import { writeSeedImage } from "../../src/instances/cloud-init/seed-image.ts";
import { userData } from "../../src/instances/cloud-init/user-data.ts";
import type { VmNetwork } from "../../src/networking/vm-network.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { tempFolder } from "../support/temp-folder.ts";

const HASH = "deca".repeat(16);
const signal = AbortSignal.timeout(60_000);

const NETWORK: VmNetwork = {
  addresses: {
    ipv4Network: "172.16.3.0/24",
    hostIpv4: "172.16.3.1",
    guestIpv4: "172.16.3.2",
    ipv6Network: "fc00:1:2:3:3:deca:deca:dec0/124",
    hostIpv6: "fc00:1:2:3:3:deca:deca:dec0",
    guestIpv6: "fc00:1:2:3:3:deca:deca:dec1",
  },
  spec: { kind: "tap", tapName: "vmtap3", macAddress: "52:54:00:00:00:03" },
  isReachable: true,
};

test("the CD-ROM has the label and the three files that cloud-init looks for", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "seed.iso");
  const network = networkConfig(NETWORK, ["9.9.9.9"]);
  const owner = {
    hostName: "vm-1",
    authorizedKeys: ["ssh-ed25519 AAAA me\n'\"]: x"],
    extension: "none",
  } as const;
  const files = {
    userData: userData(owner),
    metaData: metaData(HASH, "vm-1", network),
    networkConfig: network,
  };
  await writeSeedImage(path, files, signal);
  const facts = await runTool("isoinfo", ["-d", "-i", path], { signal });
  assert.match(facts, /Volume id: cidata/);
  const read = (name: string) => runTool("isoinfo", ["-R", "-x", `/${name}`, "-i", path], { signal });
  assert.equal(await read("user-data"), files.userData);
  assert.equal(await read("meta-data"), files.metaData);
  assert.equal(await read("network-config"), files.networkConfig);
});

test("whatever a key contains, it stays one key", () => {
  const evil = 'ssh-ed25519 AAAA me"\nruncmd: [poweroff]\n';
  const text = userData({ hostName: "vm", authorizedKeys: [evil], extension: "none" });
  assert.ok(text.startsWith("#cloud-config\n"));
  const config = JSON.parse(text.slice(text.indexOf("\n"))) as {
    ssh_authorized_keys: string[];
    runcmd: unknown;
  };
  assert.deepEqual(config.ssh_authorized_keys, [evil]);
  assert.doesNotMatch(JSON.stringify(config.runcmd), /poweroff/);
});

test("a guest on a device gets the addresses of the formula, and no word of DHCP", () => {
  const text = networkConfig(NETWORK, ["9.9.9.9"]);
  const { ethernets } = JSON.parse(text) as { ethernets: { eth0: Record<string, unknown> } };
  assert.deepEqual(ethernets.eth0.addresses, ["172.16.3.2/24", "fc00:1:2:3:3:deca:deca:dec1/124"]);
  assert.doesNotMatch(text, /dhcp/);
});

test("a guest on QEMU's own network gets the addresses that this has", () => {
  const spec = { kind: "user", macAddress: "52:54:00:00:00:03", hasInternet: true, forwards: [] } as const;
  assert.match(networkConfig({ ...NETWORK, spec, isReachable: false }, []), /10\.0\.2\.15\/24/);
});

test("the instance id changes when the addresses do, and only then", () => {
  const here = networkConfig(NETWORK, ["9.9.9.9"]);
  const addresses = { ...NETWORK.addresses, guestIpv4: "172.16.4.2", ipv4Network: "172.16.4.0/24" };
  const elsewhere = networkConfig({ ...NETWORK, addresses }, ["9.9.9.9"]);
  assert.equal(metaData(HASH, "vm", here), metaData(HASH, "vm", here));
  assert.notEqual(metaData(HASH, "vm", here), metaData(HASH, "vm", elsewhere));
});
