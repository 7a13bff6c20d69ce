import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diagnosticContent, readDiagnosticProgram } from "@twentysix/compute-node";
import type { LocalAccount } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";

export interface DiagnosticOptions {
  readonly dataDir: string;
  readonly apiUrl: string;
  /** Somebody with funds. */
  readonly account: LocalAccount;
  /** Hash of the message of the Python runtime. */
  readonly runtime: string;
  readonly signal: AbortSignal;
}

/** What was published, and of what. */
interface Published {
  readonly inputs: string;
  readonly itemHash: string;
}

/** Publishes the program that compute nodes are checked with, once for each of its versions. Returns its hash. */
export async function publishDiagnostic(options: DiagnosticOptions): Promise<string> {
  const { dataDir, apiUrl, account, runtime, signal } = options;
  const bytes = await readDiagnosticProgram();
  const inputs = createHash("sha256").update(bytes).update(runtime).digest("hex");
  const file = join(dataDir, "diagnostic.json");
  const known = await knownIn(file);
  if (known?.inputs === inputs) return known.itemHash;
  const client = createClient({ apiUrl });
  const code = await client.storeFile({
    account,
    file: new Blob([new Uint8Array(bytes)]),
    sync: true,
    signal,
  });
  const content = diagnosticContent({ code: code.itemHash, runtime });
  const { itemHash } = await client.createProgram({ account, content, sync: true, signal });
  await writeFile(file, `${JSON.stringify({ inputs, itemHash } satisfies Published)}\n`);
  return itemHash;
}

async function knownIn(file: string): Promise<Published | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Published;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
