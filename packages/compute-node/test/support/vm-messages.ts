import { createHash } from "node:crypto";
import type { InstanceContent, ProgramContent } from "@twentysix/protocol";
import type { VmMessage } from "../../src/messages/core-node-client.ts";

export const OWNER = "0x9319Ad3B7A8E0eE24f2E639c40D8eD124C5520Ba";

export function hashOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

const COMMON = {
  address: OWNER,
  time: 1_700_000_000,
  allow_amend: false,
  metadata: null,
  authorized_keys: null,
  variables: null,
  payment: null,
  requirements: null,
  volumes: [],
  replaces: null,
} as const;

const ENVIRONMENT = { reproducible: false, internet: true, aleph_api: true, shared_cache: false };

export function instanceContent(changes: Partial<InstanceContent> = {}): InstanceContent {
  return {
    ...COMMON,
    resources: { vcpus: 1, memory: 512, seconds: 30, published_ports: null },
    environment: { ...ENVIRONMENT, hypervisor: "qemu", trusted_execution: null },
    rootfs: {
      parent: { ref: hashOf("rootfs"), use_latest: true },
      persistence: "host",
      size_mib: 1_024,
      forgotten_by: null,
    },
    ...changes,
  };
}

export function programContent(changes: Partial<ProgramContent> = {}): ProgramContent {
  return {
    ...COMMON,
    type: "vm-function",
    resources: { vcpus: 1, memory: 128, seconds: 30, published_ports: null },
    environment: ENVIRONMENT,
    code: {
      encoding: "zip",
      entrypoint: "main:app",
      ref: hashOf("code"),
      interface: null,
      args: null,
      use_latest: false,
    },
    runtime: { ref: hashOf("runtime"), use_latest: true, comment: "" },
    data: null,
    export: null,
    on: { http: true, message: null, persistent: null },
    ...changes,
  };
}

export function instanceMessage(name: string, changes: Partial<InstanceContent> = {}): VmMessage {
  return { ...facts(name), type: "INSTANCE", content: instanceContent(changes) };
}

export function programMessage(name: string, changes: Partial<ProgramContent> = {}): VmMessage {
  return { ...facts(name), type: "PROGRAM", content: programContent(changes) };
}

function facts(name: string) {
  return { itemHash: hashOf(name), sender: OWNER, status: "processed", timeSeconds: 1_700_000_000 };
}
