import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, type JsonValue, parseJson, validateContent } from "../../src/index.ts";
import { accepted, problemsOf, problemsOfValue, refused } from "../support/content-problems.ts";
import {
  CID,
  GPU_INSTANCE,
  INSTANCE,
  PROGRAM,
  PROGRAM_WITH_EVERYTHING,
  REGISTER,
  SEV_INSTANCE,
  SHA,
  SNP_INSTANCE,
  TDX_INSTANCE,
  V_PROGRAM,
} from "../support/content-samples.ts";

test("sizes of volumes must be JSON integers", () => {
  const text = JSON.stringify(INSTANCE);
  for (const [written, problems] of [
    ["20480", []],
    ["20480.0", ["rootfs.size_mib: int_type"]],
    ['"20480"', ["rootfs.size_mib: int_type"]],
    ["true", ["rootfs.size_mib: int_type"]],
    ["2e4", ["rootfs.size_mib: int_type"]],
    ["0", ["rootfs.size_mib: greater_than_equal"]],
    ["1953125", []],
    ["1953126", ["rootfs.size_mib: less_than_equal"]],
  ] as const) {
    const parsed = parseJson(text.replace("20480", written));
    assert.ok(parsed.ok);
    assert.deepEqual(problemsOfValue("INSTANCE", parsed.value), problems, written);
  }
});

test("the shape of a volume is the first that fits", () => {
  const shapeOf = (volume: object): string | null => {
    const result = validateContent("PROGRAM", { ...PROGRAM, volumes: [volume] } as JsonValue);
    const read = result.ok ? result.content.volumes[0] : undefined;
    if (read === undefined) return null;
    return "ref" in read ? "immutable" : "ephemeral" in read ? "ephemeral" : "persistent";
  };
  assert.equal(shapeOf({ ref: SHA }), "immutable");
  assert.equal(shapeOf({ size_mib: 500, mount: "/x" }), "ephemeral");
  assert.equal(shapeOf({ size_mib: 5000, mount: "/x" }), "persistent");
  assert.equal(shapeOf({ size_mib: 10, persistence: null }), "persistent");
  assert.equal(shapeOf({ size_mib: 10, name: "db" }), "persistent");
  assert.equal(shapeOf({ ephemeral: true, size_mib: 10 }), "ephemeral");
  assert.equal(shapeOf({ ephemeral: false, size_mib: 10 }), null);
  assert.equal(shapeOf({ ephemeral: true, size_mib: 1001 }), null);
  assert.equal(shapeOf({ ref: SHA, size_mib: 10 }), null);
  assert.equal(shapeOf({ ref: "deadbeef" }), null);
  assert.equal(shapeOf({}), null);
  assert.equal(shapeOf({ size_mib: 5000, parent: { ref: CID } }), "persistent");
});

test("a volume that fits no shape says why, for each shape", () => {
  const problems = problemsOf("PROGRAM", { ...PROGRAM, volumes: [{ ref: SHA, size_mib: 10 }] });
  assert.deepEqual(problems, [
    "volumes.0.ImmutableVolume.size_mib: extra_forbidden",
    "volumes.0.EphemeralVolume.ref: extra_forbidden",
    "volumes.0.PersistentVolume.ref: extra_forbidden",
  ]);
});

test("limits of executables", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
  const volumes = (count: number) => Array.from({ length: count }, () => ({ ref: SHA }));
  const cases: readonly [object, object, string][] = [
    [{ metadata: many(256) }, { metadata: many(257) }, "metadata: too_long"],
    [
      { metadata: { ["k".repeat(64)]: "😀".repeat(512) } },
      { metadata: { k: "v".repeat(513) } },
      "metadata.k: string_too_long",
    ],
    [{ metadata: { a: 1, b: true, c: null } }, { metadata: { a: [] } }, "metadata.a: value_error"],
    [{ metadata: { tags: ["a"] } }, { metadata: { tags: null } }, "metadata.tags: list_type"],
    [{ metadata: null }, { metadata: [["name", "x"]] }, "metadata: dict_type"],
    [
      { authorized_keys: ["k".repeat(8192)] },
      { authorized_keys: ["k".repeat(8193)] },
      "authorized_keys.0: string_too_long",
    ],
    [{ authorized_keys: null }, { authorized_keys: Array(257).fill("k") }, "authorized_keys: too_long"],
    [{ variables: many(256) }, { variables: many(257) }, "variables: too_long"],
    [
      { variables: { ["k".repeat(128)]: "v".repeat(4096) } },
      { variables: { k: "v".repeat(4097) } },
      "variables.k: string_too_long",
    ],
    [{ variables: { k: "" } }, { variables: { k: 1 } }, "variables.k: string_type"],
    [{ volumes: volumes(256) }, { volumes: volumes(257) }, "volumes: too_long"],
    [{ volumes: [] }, { volumes: null }, "volumes: list_type"],
    [{ replaces: "r".repeat(128) }, { replaces: "r".repeat(129) }, "replaces: string_too_long"],
    [
      { resources: { memory: 1048576, seconds: 315360000 } },
      { resources: { memory: 1048577 } },
      "resources.memory: less_than_equal",
    ],
    [
      { resources: { published_ports: [{ port: 65535 }] } },
      { resources: { published_ports: [{ port: 0 }] } },
      "resources.published_ports.0.port: greater_than_equal",
    ],
    [
      { requirements: { node: { address_regex: "(?P<a>x)+" } } },
      { requirements: { node: { address_regex: "(?P<a>x" } } },
      "requirements.node.address_regex: value_error",
    ],
    [{ requirements: null }, { requirements: { disk: 1 } }, "requirements.disk: extra_forbidden"],
  ];
  for (const [good, bad, problem] of cases) {
    accepted("PROGRAM", { ...PROGRAM, ...good });
    refused("PROGRAM", { ...PROGRAM, ...bad }, problem);
  }
  const longKey = "k".repeat(65);
  refused("PROGRAM", { ...PROGRAM, metadata: { [longKey]: 1 } }, `metadata.${longKey}: string_too_long`);
});

test("PROGRAM", () => {
  accepted("PROGRAM", { ...PROGRAM, environment: {} });
  accepted("PROGRAM", { ...PROGRAM, code: { ...PROGRAM.code, comment: "open objects ignore other keys" } });
  refused("PROGRAM", { ...PROGRAM, type: "vm-instance" }, "type: enum");
  refused("PROGRAM", { ...PROGRAM, on: { http: true, cron: "* * * * *" } }, "on.cron: extra_forbidden");
  refused("PROGRAM", { ...PROGRAM, on: {} }, "on.http: missing");
  const subscription = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
  accepted("PROGRAM", { ...PROGRAM, on: { http: true, message: [subscription(32)] } });
  refused(
    "PROGRAM",
    { ...PROGRAM, on: { http: true, message: [subscription(33)] } },
    "on.message.0: value_error",
  );
  // An environment with keys of an instance is read as one, and as that of a function when they are no good.
  const qemu = validateContent("PROGRAM", PROGRAM_WITH_EVERYTHING);
  assert.ok(qemu.ok && "hypervisor" in qemu.content.environment);
  const odd = validateContent("PROGRAM", { ...PROGRAM, environment: { hypervisor: "xen" } });
  assert.ok(odd.ok && !("hypervisor" in odd.content.environment));
});

test("INSTANCE: requirements and payment, and switch creditInstancesWithoutNode in both positions", () => {
  const lenient = { creditInstancesWithoutNode: true };
  const anywhere = { ...INSTANCE, requirements: { cpu: { architecture: "arm64" } } };
  refused("INSTANCE", anywhere, ": value_error");
  accepted("INSTANCE", anywhere, lenient);
  accepted("INSTANCE", { ...anywhere, payment: null });
  accepted("INSTANCE", { ...INSTANCE, requirements: null });
  const streamed = { ...anywhere, payment: { type: "superfluid" } };
  refused("INSTANCE", streamed, ": value_error");
  assert.deepEqual(problemsOf("INSTANCE", streamed, lenient), [": value_error"]);

  const gpuAnywhere = {
    ...INSTANCE,
    requirements: { gpu: GPU_INSTANCE.requirements.gpu },
  };
  refused("INSTANCE", gpuAnywhere, ": value_error", ": value_error");
  accepted("INSTANCE", gpuAnywhere, lenient);
  assert.deepEqual(problemsOf("INSTANCE", { ...gpuAnywhere, payment: null }, lenient), [": value_error"]);
  refused("INSTANCE", { ...GPU_INSTANCE, environment: {} }, ": value_error");
  const withNode = { node: { node_hash: SHA }, gpu: GPU_INSTANCE.requirements.gpu };
  accepted("INSTANCE", { ...GPU_INSTANCE, requirements: withNode, payment: { type: "hold" } });
});

test("INSTANCE: terms and conditions", () => {
  const terms = { node: { terms_and_conditions: SHA } };
  const onNode = { node: { node_hash: SHA, terms_and_conditions: SHA } };
  refused("INSTANCE", { ...INSTANCE, payment: null, requirements: terms }, ": value_error");
  refused("INSTANCE", { ...INSTANCE, payment: null, requirements: onNode }, ": value_error");
  accepted("INSTANCE", { ...INSTANCE, requirements: onNode });
  accepted("INSTANCE", { ...SEV_INSTANCE, payment: null, requirements: onNode });
});

test("INSTANCE: trusted execution", () => {
  const tee = (trusted_execution: object, hypervisor: string | null = "qemu") => ({
    ...INSTANCE,
    environment: { hypervisor, trusted_execution },
  });
  accepted("INSTANCE", tee({}, null));
  assert.deepEqual(problemsOf("INSTANCE", tee({ policy: 1 }, null)), [
    "environment.trusted_execution: value_error",
  ]);
  const wrong = "environment.trusted_execution: value_error";
  for (const mode of [null, "sev"]) {
    for (const extra of [{ runtime: SHA }, { measurements: [] }, { attestation_port: 1 }]) {
      refused("INSTANCE", tee({ mode, ...extra }), wrong);
    }
  }
  const snp = SNP_INSTANCE.environment.trusted_execution;
  const tdx = TDX_INSTANCE.environment.trusted_execution;
  for (const bad of [
    { ...snp, firmware: SHA },
    { ...snp, runtime: null },
    { ...snp, measurements: [] },
    { ...snp, policy: 65536 },
    { ...snp, policy: -1 },
    { ...snp, measurements: tdx.measurements },
    { ...tdx, policy: 131072 },
  ]) {
    refused("INSTANCE", tee(bad), wrong);
  }
  for (const sample of [SNP_INSTANCE, TDX_INSTANCE]) {
    refused("INSTANCE", { ...sample, payment: { type: "hold" } }, ": value_error");
  }
});

test("a measurement: registers of its platform, or a digest for sev_snp, never both", () => {
  const measured = (measurement: JsonObject) => ({
    ...V_PROGRAM,
    verification: { ...V_PROGRAM.verification, measurements: [measurement] },
  });
  const result = validateContent("V-PROGRAM", measured({ platform: "sev_snp", digest: REGISTER }));
  assert.ok(result.ok);
  assert.deepEqual(result.content.verification.measurements[0]?.registers, { launch: REGISTER });
  const at = "verification.measurements.0: value_error";
  refused("V-PROGRAM", measured({ platform: "sev_snp" }), at);
  refused(
    "V-PROGRAM",
    measured({ platform: "sev_snp", digest: REGISTER, registers: { launch: REGISTER } }),
    at,
  );
  refused("V-PROGRAM", measured({ platform: "tdx", digest: REGISTER }), at);
  const tdx = TDX_INSTANCE.environment.trusted_execution.measurements[0];
  refused("V-PROGRAM", measured(tdx ?? {}), "verification: value_error");
  assert.ok(
    problemsOf("V-PROGRAM", measured({ platform: "sev_snp", digest: REGISTER.toUpperCase() })).length > 0,
  );
});

test("V-PROGRAM: credits only, immutable, nothing unmeasured", () => {
  for (const bad of [
    { payment: { type: "hold" } },
    { allow_amend: true },
    { replaces: SHA },
    { variables: { A: "b" } },
    { authorized_keys: ["ssh-ed25519 AAAA"] },
  ]) {
    refused("V-PROGRAM", { ...V_PROGRAM, ...bad }, ": value_error");
  }
  accepted("V-PROGRAM", { ...V_PROGRAM, variables: {}, authorized_keys: [], replaces: null });
  refused("V-PROGRAM", { ...V_PROGRAM, payment: null }, "payment: model_type");
  refused(
    "V-PROGRAM",
    { ...V_PROGRAM, environment: { aleph_api: true } },
    "environment.aleph_api: extra_forbidden",
  );
  const volume = V_PROGRAM.volumes[0];
  accepted("V-PROGRAM", { ...V_PROGRAM, volumes: Array(8).fill(volume) });
  refused("V-PROGRAM", { ...V_PROGRAM, volumes: Array(9).fill(volume) }, "volumes: too_long");
  refused(
    "V-PROGRAM",
    { ...V_PROGRAM, volumes: [{ ...volume, mount: "/x" }] },
    "volumes.0.mount: extra_forbidden",
  );
});

test("V-PROGRAM: a 64-bit policy is exact", () => {
  const withPolicy = (token: string) => {
    const parsed = parseJson(JSON.stringify(V_PROGRAM).replace("196608", token));
    assert.ok(parsed.ok);
    return validateContent("V-PROGRAM", parsed.value);
  };
  const largest = withPolicy("18446744073709551615");
  assert.ok(largest.ok);
  assert.equal(largest.content.verification.policy, 18446744073709551615n);
  assert.equal(withPolicy("18446744073709551616").ok, false);
  assert.equal(withPolicy("18446744073709420543").ok, false, "bit 17 is not set");
});

test("switch strictVProgramScalars: off coerces, on wants JSON types", () => {
  for (const change of [
    { allow_amend: "no" },
    { resources: { vcpus: "2" } },
    { resources: { published_ports: [{ port: "80" }] } },
    { environment: { internet: 1 } },
    { verification: { ...V_PROGRAM.verification, policy: "196608" } },
    { time: true },
  ]) {
    accepted("V-PROGRAM", { ...V_PROGRAM, ...change });
    const strict = problemsOf("V-PROGRAM", { ...V_PROGRAM, ...change }, { strictVProgramScalars: true });
    assert.equal(strict.length, 1, JSON.stringify(change));
  }
});
