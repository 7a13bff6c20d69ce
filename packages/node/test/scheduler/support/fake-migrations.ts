/** The routes of a cold migration of a fake compute node. */
export interface FakeMigrations {
  /** Steps that were asked for, in order. */
  readonly calls: readonly string[];
  /** Imports of a machine fail on this node. */
  readonly failsImport: Set<string>;
  readonly failsExport: Set<string>;
  /** Imports of a machine are not known to this node any more. */
  readonly forgetsImport: Set<string>;
  /** These have just been stopped by a restart of the node, and are not started again yet. */
  readonly isRestarting: Set<string>;
  /** An import goes on until it is let through. */
  isImportHeld: boolean;
  /** Nobody starts a machine that is copied elsewhere. */
  isExported(vmHash: string): boolean;
  answer(
    method: string,
    path: string,
    body: string,
  ): { readonly status: number; readonly json: unknown } | null;
}

const TOKEN = "export-token";
const FILES = [
  {
    name: "rootfs.qcow2",
    size_bytes: 10,
    sha256: "0".repeat(64),
    download_path: "/control/machine/x/migration/disk",
  },
];

export function fakeMigrations(running: Set<string>): FakeMigrations {
  const calls: string[] = [];
  const exports = new Map<string, string>();
  const imports = new Map<string, string>();
  const status = (vmHash: string) => ({
    vm_hash: vmHash,
    state: exports.get(vmHash),
    started_at: new Date().toISOString(),
    finished_at: new Date().toISOString(),
    error: null,
    disk_files: exports.get(vmHash) === "exported" ? FILES : null,
    export_token: exports.get(vmHash) === "exported" ? TOKEN : null,
  });
  const migrations: FakeMigrations = {
    calls,
    failsImport: new Set(),
    failsExport: new Set(),
    forgetsImport: new Set(),
    isRestarting: new Set(),
    isImportHeld: false,
    isExported: (vmHash) => exports.get(vmHash) === "exported",
    answer(method, path, body) {
      const [, , , vmHash = ""] = path.split("/");
      const step = `${method} ${path}`;
      if (/^POST \/control\/machine\/.*\/migration\/export$/.test(step)) {
        calls.push("export");
        if (exports.get(vmHash) === "exported") return { status: 409, json: status(vmHash) };
        if (!running.has(vmHash) || migrations.isRestarting.has(vmHash))
          return { status: 400, json: { error: "VM is not running" } };
        if (migrations.failsExport.has(vmHash)) exports.set(vmHash, "export_failed");
        else {
          running.delete(vmHash);
          exports.set(vmHash, "exported");
        }
        return { status: 202, json: { state: "exporting", vm_hash: vmHash } };
      }
      if (step.endsWith("/migration/export/status")) {
        return exports.has(vmHash)
          ? { status: 200, json: status(vmHash) }
          : { status: 404, json: { error: "No export job" } };
      }
      if (step === "POST /control/migrate") {
        const wanted = JSON.parse(body) as Record<string, unknown>;
        calls.push("import");
        if (wanted.export_token !== TOKEN || JSON.stringify(wanted.disk_files) !== JSON.stringify(FILES)) {
          return { status: 400, json: "wrong token or files" };
        }
        const hash = String(wanted.vm_hash);
        imports.set(hash, migrations.failsImport.has(hash) ? "import_failed" : "importing");
        return { status: 202, json: { state: "importing" } };
      }
      const imported = /^GET \/control\/migrate\/([^/]+)\/status$/.exec(step)?.[1];
      if (imported !== undefined) {
        if (imports.get(imported) === "importing" && !migrations.isImportHeld) {
          imports.set(imported, "imported");
          running.add(imported);
        }
        const state = imports.get(imported);
        if (state === undefined || migrations.forgetsImport.has(imported))
          return { status: 404, json: { error: "No import job" } };
        return { status: 200, json: { state, bytes_downloaded: 1, total_bytes_expected: 10, error: null } };
      }
      if (step.endsWith("/migration/cancel")) {
        calls.push("cancel");
        return exports.delete(vmHash)
          ? { status: 200, json: { status: "cancelled", vm_hash: vmHash } }
          : { status: 404, json: { error: "No export job" } };
      }
      if (step.endsWith("/migration/cleanup")) {
        calls.push("cleanup");
        if (!exports.delete(vmHash))
          return { status: 409, json: { error: "No completed export to clean up" } };
        return { status: 200, json: { status: "completed", vm_hash: vmHash } };
      }
      return null;
    },
  };
  return migrations;
}
