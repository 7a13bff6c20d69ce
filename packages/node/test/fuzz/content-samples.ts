/** Valid contents, as in the protocol's own examples, and hashes to build others from. */
export const OWNER = "0xA07B1214bAe0D5ccAA25449C3149c0aC83658874";
export const SHA = "7e4f914865028356704919810073ec5690ecc4bb0ee3bd6bdb24829fd532398f";
export const CID = "QmaMLRsvmDRCezZe2iebcKWtEzKNjBaQfwcu7mcpdm8eY2";
export const REGISTER = "ab".repeat(48);

const common = { address: OWNER, time: 1730410918.09 };

export const AGGREGATE = { ...common, key: "profile", content: { nick: "ann", tags: ["demo"] } };

export const POST = { ...common, type: "amend", ref: SHA, content: { body: "better" } };

export const STORE = {
  ...common,
  item_type: "storage",
  item_hash: SHA,
  ref: "my-site",
  payment: { type: "credit" },
};

export const PROGRAM = {
  ...common,
  type: "vm-function",
  allow_amend: false,
  code: { encoding: "squashfs", entrypoint: "main:app", ref: SHA, use_latest: true },
  runtime: { ref: SHA, use_latest: true, comment: "python 3.12" },
  on: { http: true, persistent: false },
  environment: { internet: true, aleph_api: true },
  resources: { vcpus: 1, memory: 128, seconds: 30 },
  volumes: [
    { mount: "/opt/packages", ref: SHA },
    { mount: "/data", name: "db", persistence: "host", size_mib: 500 },
  ],
  payment: { chain: "ETH", type: "credit" },
  metadata: { name: "my api" },
};

export const INSTANCE = {
  ...common,
  allow_amend: false,
  authorized_keys: ["ssh-ed25519 AAAA me"],
  environment: { internet: true, aleph_api: true, hypervisor: "qemu" },
  resources: { vcpus: 2, memory: 4096, seconds: 30 },
  rootfs: { parent: { ref: SHA, use_latest: true }, persistence: "host", size_mib: 20480 },
  requirements: { node: { node_hash: SHA } },
  payment: { chain: "ETH", type: "credit" },
  volumes: [],
  metadata: { name: "box" },
};

export const PROGRAM_WITH_EVERYTHING = {
  ...PROGRAM,
  authorized_keys: [],
  variables: { KEY: "value" },
  code: { ...PROGRAM.code, interface: "asgi", args: ["--fast"] },
  data: { encoding: "zip", mount: "/data", ref: CID, use_latest: null },
  export: { encoding: "plain", mount: "/out" },
  on: { http: false, message: [{ type: "POST", channel: "TEST" }], persistent: true },
  environment: { ...PROGRAM.environment, hypervisor: "qemu", reproducible: false, shared_cache: true },
  resources: { ...PROGRAM.resources, published_ports: [{ protocol: "udp", port: 53 }] },
  requirements: { cpu: { architecture: "x86_64", vendor: "AuthenticAMD", features: ["sev"] }, node: null },
  volumes: [
    { comment: "c", ephemeral: true, size_mib: 5 },
    { parent: { ref: SHA, use_latest: false }, name: "n", size_mib: 100, persistence: "store" },
  ],
  replaces: SHA,
};

export const GPU_INSTANCE = {
  ...INSTANCE,
  requirements: {
    node: { node_hash: SHA, owner: OWNER, address_regex: "^https://", terms_and_conditions: SHA },
    gpu: [{ vendor: "NVIDIA", device_name: "L40S", device_class: "0302", device_id: "10de:26b9" }],
  },
  payment: { type: "superfluid", chain: "AVAX", receiver: OWNER },
};

export const SEV_INSTANCE = {
  ...INSTANCE,
  environment: { hypervisor: "qemu", trusted_execution: { firmware: SHA, policy: 1, mode: "sev" } },
};

export const SNP_INSTANCE = {
  ...INSTANCE,
  environment: {
    hypervisor: "qemu",
    trusted_execution: {
      mode: "sev_snp",
      policy: 196608,
      runtime: SHA,
      attestation_port: 8443,
      measurements: [{ platform: "sev_snp", registers: { launch: REGISTER } }],
    },
  },
};

export const TDX_INSTANCE = {
  ...INSTANCE,
  environment: {
    hypervisor: "qemu",
    trusted_execution: {
      mode: "tdx",
      runtime: SHA,
      measurements: [
        {
          platform: "tdx",
          registers: { mrtd: REGISTER, rtmr1: REGISTER, rtmr2: REGISTER, mrconfigid: REGISTER },
        },
      ],
    },
  },
};

export const CHAIN_REF_POST = {
  ...common,
  type: "note",
  ref: {
    chain: "ETH",
    channel: "TEST",
    item_content: "{}",
    item_hash: SHA,
    item_type: "inline",
    sender: OWNER,
    signature: "0x00",
    time: 1730410918,
    type: "POST",
  },
  content: { tags: ["a", "b"] },
};

export const V_PROGRAM = {
  ...common,
  allow_amend: false,
  payment: { type: "credit" },
  environment: { internet: true },
  resources: { vcpus: 2, memory: 2048, seconds: 30 },
  runtime: { ref: SHA, comment: "snp runtime" },
  workload: { ref: SHA, hash_tree: SHA, roothash: SHA },
  verification: {
    backend: "sev_snp",
    policy: 196608,
    measurements: [{ platform: "sev_snp", registers: { launch: REGISTER }, vcpu_type: "EPYC-v4" }],
  },
  volumes: [{ ref: SHA, hash_tree: SHA, roothash: SHA, comment: "weights" }],
};

export const FORGET = { ...common, hashes: [SHA], reason: "cleanup" };

export const SAMPLES = {
  AGGREGATE,
  POST,
  STORE,
  PROGRAM,
  INSTANCE,
  "V-PROGRAM": V_PROGRAM,
  FORGET,
} as const;

/** Every sample, by message type. */
export const VARIANTS: Readonly<Record<keyof typeof SAMPLES, readonly object[]>> = {
  AGGREGATE: [AGGREGATE, { ...AGGREGATE, key: { name: "profile" } }],
  POST: [POST, CHAIN_REF_POST],
  STORE: [STORE, { ...STORE, item_type: "ipfs", item_hash: CID, tags: ["t"], metadata: { a: 1 }, size: 5 }],
  PROGRAM: [PROGRAM, PROGRAM_WITH_EVERYTHING],
  INSTANCE: [INSTANCE, GPU_INSTANCE, SEV_INSTANCE, SNP_INSTANCE, TDX_INSTANCE],
  "V-PROGRAM": [V_PROGRAM],
  FORGET: [FORGET, { ...FORGET, aggregates: [SHA] }],
};
