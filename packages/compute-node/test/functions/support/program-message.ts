import { createHash } from "node:crypto";
import type { ProgramContent } from "@twentysix/protocol";
import type { VmMessage } from "../../../src/messages/core-node-client.ts";

export type ProgramMessage = Extract<VmMessage, { readonly type: "PROGRAM" }>;

export const hashOf = (label: string): string => createHash("sha256").update(label).digest("hex");

/** The message of a program as a core node gives it. */
export function programMessage(
  label: string,
  content: Partial<ProgramContent> = {},
  facts: Partial<Pick<ProgramMessage, "status">> = {},
): ProgramMessage {
  return {
    type: "PROGRAM",
    itemHash: hashOf(label),
    sender: "0x1",
    status: "processed",
    timeSeconds: 1_700_000_000,
    content: {
      type: "vm-function",
      address: "0x1",
      time: 1_700_000_000,
      allow_amend: false,
      metadata: null,
      authorized_keys: null,
      variables: null,
      environment: { reproducible: false, internet: false, aleph_api: false, shared_cache: false },
      resources: { vcpus: 1, memory: 128, seconds: 30, published_ports: null },
      payment: null,
      requirements: null,
      volumes: [],
      replaces: null,
      code: {
        encoding: "plain",
        entrypoint: "main:app",
        ref: hashOf(`${label} code`),
        interface: "asgi",
        args: null,
        use_latest: false,
      },
      runtime: { ref: hashOf("runtime"), use_latest: false, comment: "" },
      data: null,
      export: null,
      on: { http: true, message: null, persistent: null },
      ...content,
    } as ProgramContent,
    ...facts,
  };
}
