import assert from "node:assert/strict";
import { test } from "node:test";
import {
  environmentNameOf,
  fileKeyOf,
  flagOf,
  nearestName,
  OPTION_KEYS,
  OPTIONS,
} from "../../src/config/index.ts";

test("flag, variable and file key all follow from the name", () => {
  const option = OPTIONS.storageGracePeriodHours;
  assert.deepEqual(
    [flagOf(option), environmentNameOf(option), fileKeyOf(option)],
    ["--storage-grace-period-hours", "TWENTYSIX_STORAGE_GRACE_PERIOD_HOURS", "storageGracePeriodHours"],
  );
  const names = OPTION_KEYS.flatMap((key) => [fileKeyOf(OPTIONS[key]), environmentNameOf(OPTIONS[key])]);
  assert.equal(new Set(names).size, OPTION_KEYS.length * 2);
});

test("the promised settings exist", () => {
  const flags = OPTION_KEYS.map((key) => flagOf(OPTIONS[key]));
  assert.deepEqual(flags, [
    "--data-dir",
    "--blobs",
    "--database",
    "--api-host",
    "--api-port",
    "--p2p-port",
    "--p2p-host",
    "--peers",
    "--announce",
    "--announce-api",
    "--deny",
    "--rpc",
    "--indexers",
    "--chain-key-file",
    "--gateways",
    "--network",
    "--roles",
    "--authority-keys",
    "--authority-settings",
    "--authority-prices",
    "--faucet-port",
    "--log-level",
    "--max-disk",
    "--max-memory",
    "--trusted-proxies",
    "--rate-limit-per-second",
    "--rate-limit-burst",
    "--max-websockets",
    "--max-status-websockets",
    "--max-body-size",
    "--max-json-upload",
    "--max-unsigned-upload",
    "--max-storage-upload",
    "--max-ipfs-upload",
    "--max-car-upload",
    "--max-concurrent-uploads",
    "--max-grace-period-size",
    "--storage-grace-period-hours",
    "--compute-host",
    "--compute-port",
    "--compute-domain",
    "--core-nodes",
    "--compute-node-hash",
    "--compute-owner",
    "--payment-receiver",
    "--allocation-signers",
    "--check-program",
    "--check-legacy-program",
    "--vm-network",
    "--vm-bandwidth",
    "--vm-disk-bandwidth",
    "--vm-vsock-device",
    "--runtime-init",
    "--vm-ipv4-pool",
    "--vm-ipv6-pool",
    "--vm-ipv6-policy",
    "--vm-dns",
    "--vm-first-port",
    "--vm-http-port",
    "--vm-tls-port",
    "--vm-images-dir",
    "--vm-image-build",
    "--vm-image-mirror",
    "--vm-cache",
    "--scheduler-host",
    "--scheduler-port",
    "--scheduler-key-file",
    "--scheduler-mode",
  ]);
});

test("a setting measured in something says so in its key", () => {
  const suffixes: Record<string, RegExp> = {
    bytes: /Bytes$/,
    hours: /Hours$/,
    "units per second": /PerSecond$/,
    units: /Burst$/,
    connections: /Websockets$/,
    uploads: /Uploads$/,
  };
  for (const key of OPTION_KEYS) {
    const option = OPTIONS[key];
    const suffix = "unit" in option && option.unit !== undefined ? suffixes[option.unit] : undefined;
    if (suffix !== undefined) assert.match(key, suffix);
  }
});

test("the nearest name is found for a slip and not invented for anything else", () => {
  const known = ["api-host", "api-port", "data-dir"];
  assert.equal(nearestName("api-prot", known), "api-port");
  assert.equal(nearestName("API-HOST", known), "api-host");
  assert.equal(nearestName("datadir", known), "data-dir");
  assert.equal(nearestName("zebra", known), undefined);
});
