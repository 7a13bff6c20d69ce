import { readFile } from "node:fs/promises";

/** The code of the program that nodes are checked with. */
export function readDiagnosticProgram(): Promise<Buffer> {
  return readFile(new URL("../../../guest/diagnostic/main.py", import.meta.url));
}

/** The content of its message, with what the checks rely on; `code` and `runtime` are hashes of STORE messages. */
export function diagnosticContent({ code, runtime }: { readonly code: string; readonly runtime: string }) {
  return {
    type: "vm-function",
    allow_amend: false,
    code: { encoding: "plain", entrypoint: "app", interface: "asgi", ref: code, use_latest: false },
    runtime: { ref: runtime, use_latest: false, comment: "Python" },
    environment: { reproducible: false, internet: true, aleph_api: true, shared_cache: false },
    resources: { vcpus: 1, memory: 256, seconds: 30 },
    payment: { type: "hold", chain: "ETH" },
    on: { http: true, persistent: false },
    volumes: [{ mount: "/var/lib/example", name: "state", persistence: "host", size_mib: 16 }],
  };
}
