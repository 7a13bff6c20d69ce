import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { SignedMessage } from "@twentysix/sdk";

/** A message on its way: signed, and not yet known to be applied. */
export interface UnsettledMessage {
  readonly message: SignedMessage;
  /** The content when it is too long for the envelope, base64. */
  readonly content: string | null;
}

/**
 * Holds at most one message over a crash. Whether the network has it may then be unknown; sent again as it was,
 * it is the same message, while a newly written one would come to the same debit or grant twice.
 */
export interface MessageJournal {
  load(): Promise<UnsettledMessage | null>;
  /** Durable once it resolves. */
  keep(entry: UnsettledMessage): Promise<void>;
  clear(): Promise<void>;
}

/** A journal in one file, replaced as a whole. */
export function fileJournal(path: string): MessageJournal {
  return {
    async load() {
      const text = await readIfThere(path);
      // The file was renamed into place after its sync: half of one cannot be met.
      return text === null ? null : (JSON.parse(text) as UnsettledMessage);
    },
    async keep(entry) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.new`;
      {
        await using file = await open(temporary, "w", 0o600);
        await file.writeFile(JSON.stringify(entry));
        await file.sync();
      }
      await rename(temporary, path);
      await syncFolder(dirname(path));
    },
    async clear() {
      await rm(path, { force: true });
    },
  };
}

/** For commands that end with what they sent: repeated with the same nonce they send the same. */
export function memoryJournal(): MessageJournal {
  let kept: UnsettledMessage | null = null;
  return {
    load: async () => kept,
    keep: async (entry) => {
      kept = entry;
    },
    clear: async () => {
      kept = null;
    },
  };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await using folder = await open(path, "r");
  await folder.sync();
}
