import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type ConfigInputs,
  defaultConfig,
  environmentNameOf,
  fileKeyOf,
  OPTION_KEYS,
  OPTIONS,
  resolveConfig,
} from "../../src/config/index.ts";

const PEER = "12D3KooWBH3JVSBwHLNzxv7EzniBP3tDmjJaoa3EJBF9wyhZtHt2";

interface Given {
  readonly flags?: Record<string, string>;
  readonly environment?: Record<string, string>;
  readonly file?: unknown;
}

function resolveGiven({ flags = {}, environment = {}, file }: Given) {
  const inputs: ConfigInputs = {
    flags: file === undefined ? flags : { config: "etc/node.json", ...flags },
    environment,
    workingDir: "/home/user",
    readTextFile: async (path) => {
      assert.equal(path, "/home/user/etc/node.json");
      return typeof file === "string" ? file : JSON.stringify(file);
    },
  };
  return resolveConfig(inputs);
}

async function configOf(given: Given) {
  const outcome = await resolveGiven(given);
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.problem.message);
  return outcome;
}

async function problemOf(given: Given): Promise<string> {
  const outcome = await resolveGiven(given);
  assert.ok(!outcome.ok, "expected a problem");
  assert.doesNotMatch(outcome.problem.message, /\n/, "a problem is one line");
  return outcome.problem.message;
}

const ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

describe("precedence", () => {
  test("flag over environment over file over default", async () => {
    const environment = { TWENTYSIX_API_PORT: "2", TWENTYSIX_P2P_PORT: "2" };
    const file = { apiPort: 3, p2pPort: 3, maxWebsockets: 3 };
    const { config, sources } = await configOf({ flags: { "api-port": "1" }, environment, file });
    assert.deepEqual(
      [config.apiPort, config.p2pPort, config.maxWebsockets, config.storageGracePeriodHours],
      [1, 2, 3, null],
    );
    assert.deepEqual(
      [sources.apiPort, sources.p2pPort, sources.maxWebsockets, sources.storageGracePeriodHours],
      ["flag", "environment", "file", "default"],
    );
  });

  test("holds for every setting", async () => {
    const samples: Record<string, readonly [string, unknown]> = {
      "data-dir": ["/a", "/b"],
      blobs: ["kubo://127.0.0.1:5001", "files"],
      database: ["postgres://a/b", "postgresql://user@host:5432/name"],
      "api-host": ["::1", "example.org"],
      "p2p-host": ["::1", "example.org"],
      peers: [`/ip4/203.0.113.7/tcp/4025/p2p/${PEER}`, [`/dns4/a.example/tcp/1/p2p/${PEER}`]],
      announce: ["/dns4/a.example/tcp/4025", ["/ip4/203.0.113.7/tcp/4025"]],
      "announce-api": ["https://a.example", "http://203.0.113.7:4024"],
      deny: [`${PEER},203.0.113.0/24`, ["203.0.113.7"]],
      rpc: ["ETH=https://a.example/key,ETH=http://127.0.0.1:8545", ["BSC=https://b.example"]],
      indexers: ["BSC=https://a.example", "network"],
      "chain-key-file": ["/a", "/b"],
      gateways: ["https://a.example,http://b.example:8080", ["https://c.example/ipns"]],
      network: ["mainnet", "local"],
      roles: ["ccn,authority", ["ccn"]],
      "authority-keys": ["/a", "/b"],
      "authority-settings": ["/a", "/b"],
      "authority-prices": ["update", "keep"],
      "log-level": ["debug", "warn"],
      "trusted-proxies": ["10.0.0.1", ["10.0.0.2"]],
      "compute-host": ["::1", "example.org"],
      "compute-domain": ["crn.example", "listened"],
      "core-nodes": ["https://a.example,http://b.example:4024", ["https://c.example"]],
      "compute-node-hash": ["ab".repeat(32), "registry"],
      "compute-owner": [ACCOUNT, "none"],
      "payment-receiver": [ACCOUNT, "owner"],
      "allocation-signers": [ACCOUNT, ["0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"]],
      "check-program": ["ab".repeat(32), "none"],
      "check-legacy-program": ["ab".repeat(32), "none"],
      "vm-network": ["tap", "user"],
      "vm-vsock-device": ["/usr/local/bin/device", "vhost-device-vsock"],
      "runtime-init": ["own", "agent"],
      "vm-ipv4-pool": ["10.1.0.0/16", "10.2.0.0/16"],
      "vm-ipv6-pool": ["2001:db8::/64", "2001:db8:1::/64"],
      "vm-ipv6-policy": ["dynamic", "static"],
      "vm-dns": ["9.9.9.9,2620:fe::fe", "host"],
      "vm-first-port": ["25000", 26_000],
      "vm-http-port": ["8080", "none"],
      "vm-tls-port": ["8443", "none"],
      "vm-images-dir": ["/a", "/b"],
      "vm-image-build": ["off", "auto"],
      "vm-image-mirror": ["http://127.0.0.1:9/debian", "debian"],
      "scheduler-host": ["::1", "example.org"],
      "scheduler-key-file": ["/a", "published"],
      "scheduler-mode": ["dry-run", "dispatch"],
    };
    for (const key of OPTION_KEYS) {
      const option = OPTIONS[key];
      const isSize = option.kind.placeholder === "SIZE";
      const [text, json] = samples[option.name] ?? (isSize ? ["1GB", "2GB"] : ["17", 18]);
      const file = { [fileKeyOf(option)]: json };
      const environment = { [environmentNameOf(option)]: text };
      const fromFile = (await configOf({ file })).config[key];
      const fromEnvironment = (await configOf({ file, environment })).config[key];
      const fromFlag = (await configOf({ environment: {}, file, flags: { [option.name]: text } })).config[
        key
      ];
      assert.notDeepEqual(fromFile, fromEnvironment, option.name);
      assert.deepEqual(fromEnvironment, fromFlag, option.name);
    }
  });

  test("the config file can be named by the environment; the flag wins", async () => {
    const read: string[] = [];
    const readTextFile = async (path: string) => {
      read.push(path);
      return "{}";
    };
    const base = { workingDir: "/w", readTextFile };
    await resolveConfig({ ...base, flags: {}, environment: { TWENTYSIX_CONFIG: "env.json" } });
    await resolveConfig({
      ...base,
      flags: { config: "flag.json" },
      environment: { TWENTYSIX_CONFIG: "env.json" },
    });
    assert.deepEqual(read, ["/w/env.json", "/w/flag.json"]);
  });
});

describe("values", () => {
  test("defaults are those of the table", async () => {
    const { config } = await configOf({});
    assert.deepEqual(config, defaultConfig("/home/user"));
    assert.equal(config.dataDir, "/home/user/data");
    assert.equal(config.apiPort, 4024);
    assert.equal(config.maxMemoryBytes, 2 ** 30);
    assert.equal(config.maxDiskBytes, null);
    assert.deepEqual(config.trustedProxies, []);
    assert.equal(defaultConfig("/x", { apiPort: 0 }).apiPort, 0);
  });

  test("relative paths start from the working directory, in the file from its folder", async () => {
    assert.equal((await configOf({ flags: { "data-dir": "d" } })).config.dataDir, "/home/user/d");
    assert.equal((await configOf({ file: { dataDir: "d" } })).config.dataDir, "/home/user/etc/d");
    assert.equal((await configOf({ file: { network: "./n.json" } })).config.network, "/home/user/etc/n.json");
    assert.equal((await configOf({ file: { network: "mainnet" } })).config.network, "mainnet");
  });

  test("roles are a list that has ccn in it, api alone, or the word of the network", async () => {
    const rolesOf = async (given: Given) => (await configOf(given)).config.roles;
    assert.equal(await rolesOf({}), null);
    assert.deepEqual(await rolesOf({ flags: { roles: "authority, ccn" } }), ["authority", "ccn"]);
    assert.deepEqual(await rolesOf({ file: { roles: ["ccn"] } }), ["ccn"]);
    assert.deepEqual(await rolesOf({ flags: { roles: "api" } }), ["api"]);
    for (const roles of ["", "authority", "ccn,ccn", "ccn,king", "ccn,", "ccn,api"]) {
      assert.match(await problemOf({ flags: { roles } }), /^--roles: expected roles separated by commas/);
    }
    assert.match(await problemOf({ file: { roles: "ccn" } }), /expected a list of roles/);
  });

  test("sizes are read exactly in both kinds of units", async () => {
    const cases: [unknown, number][] = [
      ["10GB", 10_000_000_000],
      ["512MiB", 536_870_912],
      ["1.5 GiB", 1_610_612_736],
      ["200000000", 200_000_000],
      ["2 tib", 2_199_023_255_552],
      [134_217_728, 134_217_728],
    ];
    for (const [written, sizeBytes] of cases) {
      assert.equal((await configOf({ file: { maxMemory: written } })).config.maxMemoryBytes, sizeBytes);
    }
    assert.equal((await configOf({ flags: { "max-disk": "none" } })).config.maxDiskBytes, null);
    assert.equal((await configOf({ file: { maxDisk: null } })).config.maxDiskBytes, null);
  });

  test("any whole number of bytes survives being written with any unit", async () => {
    const units = { kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200_000, max: 4_000_000 }),
        fc.constantFrom(...Object.entries(units)),
        async (amount, [unit, unitBytes]) => {
          const { config } = await configOf({ environment: { TWENTYSIX_MAX_DISK: `${amount}${unit}` } });
          assert.equal(config.maxDiskBytes, amount * unitBytes);
        },
      ),
    );
  });

  test("a list of proxies is split at commas", async () => {
    const flags = { "trusted-proxies": "127.0.0.1, 10.0.0.0/8,::1/128" };
    assert.deepEqual((await configOf({ flags })).config.trustedProxies, [
      "127.0.0.1",
      "10.0.0.0/8",
      "::1/128",
    ]);
  });
});

describe("bad values name the place, what was expected and what was found", () => {
  const flagCases: [string, string[]][] = [
    ["api-port", ["", "-1", "65536", "80.5", "0x50", "abc", "1e3", " 80"]],
    ["api-host", ["", "a b", "-x.org", "http://localhost", "1.2.3.4:80"]],
    ["data-dir", ["", "a\0b"]],
    ["database", ["", "/var/db", "mysql://a/b", "postgres://host", "postgres:"]],
    ["roles", ["", "writer", "all,api"]],
    ["network", ["", "../x", "Main Net", "network.yaml"]],
    ["log-level", ["", "loud", "INFO"]],
    ["max-memory", ["", "none", "1", "10 GBB", "-1GB", "1e9", "NaN", "99999999999999TB"]],
    ["max-disk", ["", "all", "1kB"]],
    ["trusted-proxies", ["localhost", "10.0.0.0/33", "10.0.0.0/", "1.2.3.4,,", "::1/129", "1.2.3.4/8/8"]],
    ["rate-limit-per-second", ["-1", "1.5", "many"]],
    ["rate-limit-burst", ["0"]],
  ];
  for (const [name, texts] of flagCases) {
    test(`--${name}`, async () => {
      for (const text of texts) {
        const message = await problemOf({ flags: { [name]: text } });
        assert.ok(message.startsWith(`--${name}: expected `), message);
        assert.ok(message.endsWith(`got ${JSON.stringify(text)}`), message);
      }
    });
  }

  test("in the environment and in the file", async () => {
    assert.match(
      await problemOf({ environment: { TWENTYSIX_API_PORT: "x" } }),
      /^TWENTYSIX_API_PORT: expected a whole number from 0 to 65535; got "x"$/,
    );
    assert.match(
      await problemOf({ file: { apiPort: "80" } }),
      /^etc\/node\.json: apiPort: expected a whole number.*got "80"$/,
    );
    assert.match(await problemOf({ file: { trustedProxies: "10.0.0.1" } }), /expected a list of texts/);
    assert.match(await problemOf({ file: { dataDir: 5 } }), /expected a text/);
    assert.match(await problemOf({ file: { maxDisk: 1e300 } }), /expected a size/);
  });

  test("a long value is not repeated whole", async () => {
    assert.ok((await problemOf({ flags: { "api-port": "9".repeat(10_000) } })).length < 200);
  });

  test("no text makes it fail otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OPTION_KEYS),
        fc.string({ unit: "binary" }),
        fc.jsonValue(),
        async (key, text, json) => {
          await resolveGiven({ flags: { [OPTIONS[key].name]: text } });
          await resolveGiven({ file: { [fileKeyOf(OPTIONS[key])]: json } });
        },
      ),
    );
  });
});

describe("unknown names", () => {
  test("are refused with the nearest known one", async () => {
    assert.equal(
      await problemOf({ environment: { TWENTYSIX_API_PROT: "1" } }),
      'environment: unknown setting "TWENTYSIX_API_PROT"; did you mean TWENTYSIX_API_PORT?',
    );
    assert.equal(
      await problemOf({ file: { apiport: 1 } }),
      'etc/node.json: unknown setting "apiport"; did you mean apiPort?',
    );
    assert.match(await problemOf({ file: { somethingElse: 1 } }), /see --help/);
    assert.match(await problemOf({ file: '{"__proto__":1}' }), /unknown setting "__proto__"/);
    assert.match(await problemOf({ file: { config: "other.json" } }), /unknown setting "config"/);
  });

  test("variables of other programs and of development tools are nobody's business", async () => {
    await configOf({ environment: { PATH: "/bin", TWENTYSIX: "x", TWENTYSIX_FUZZ_SECONDS: "3" } });
  });
});

describe("the config file", () => {
  test("must be one JSON object", async () => {
    for (const text of ["", "[]", "null", "3", '{"apiPort":', "apiPort: 3"]) await problemOf({ file: text });
  });

  test("that cannot be read is a problem, not a default", async () => {
    const outcome = await resolveConfig({
      flags: { config: "gone.json" },
      environment: {},
      workingDir: "/w",
      readTextFile: async () => {
        throw new Error("ENOENT: no such file or directory");
      },
    });
    assert.deepEqual(outcome, {
      ok: false,
      problem: { message: 'config file "gone.json" cannot be read: ENOENT: no such file or directory' },
    });
  });
});
