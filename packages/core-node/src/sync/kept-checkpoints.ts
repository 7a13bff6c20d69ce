import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@twentysix/protocol";
import type { StateRoot } from "@twentysix/storage";
import type { WorkingFiles } from "../content/working-files.ts";
import { type Checkpoint, checkpointJson, readCheckpoint } from "./checkpoint.ts";
import type { CheckpointVerdict, JudgedCheckpoint } from "./judge-checkpoint.ts";

/** A checkpoint of a peer, and what this node found when it was given it. */
export interface KeptCheckpoint extends JudgedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly heardSeconds: number;
  /** What was here then. */
  readonly held: StateRoot;
}

/** Where they are kept between two starts. */
export interface CheckpointFile {
  read(): Promise<readonly KeptCheckpoint[]>;
  write(kept: readonly KeptCheckpoint[]): Promise<void>;
}

/** Peers whose last checkpoint is kept; the one heard of least recently goes first, one that lied last. */
const MAX_KEPT = 256;

/** The last checkpoint of each peer, and of one that signed what is false that one. */
export class KeptCheckpoints {
  readonly #file: CheckpointFile;
  readonly #kept = new Map<string, KeptCheckpoint>();
  #loading: Promise<void> | null = null;

  constructor(file: CheckpointFile) {
    this.#file = file;
  }

  async of(peerId: string): Promise<KeptCheckpoint | null> {
    await this.#load();
    return this.#kept.get(peerId) ?? null;
  }

  async all(): Promise<readonly KeptCheckpoint[]> {
    await this.#load();
    return [...this.#kept.values()];
  }

  /** Durable once it resolves. What proves a lie is not replaced by what does not. */
  async keep(kept: KeptCheckpoint): Promise<void> {
    await this.#load();
    const { peerId } = kept.checkpoint.statement;
    if (this.#kept.get(peerId)?.verdict === "false" && kept.verdict !== "false") return;
    this.#kept.delete(peerId);
    this.#kept.set(peerId, kept);
    if (this.#kept.size > MAX_KEPT) this.#dropOne();
    await this.#file.write([...this.#kept.values()]);
  }

  #dropOne(): void {
    const all = [...this.#kept];
    const [peerId] = all.find(([, { verdict }]) => verdict !== "false") ?? all[0] ?? [];
    if (peerId !== undefined) this.#kept.delete(peerId);
  }

  #load(): Promise<void> {
    this.#loading ??= this.#file.read().then((read) => {
      for (const kept of read.slice(-MAX_KEPT)) this.#kept.set(kept.checkpoint.statement.peerId, kept);
    });
    return this.#loading;
  }
}

/** As it is kept and shown. */
export function keptJson(kept: KeptCheckpoint): JsonObject {
  const { checkpoint, heardSeconds, held, verdict, reason, contradicts } = kept;
  return {
    peer_id: checkpoint.statement.peerId,
    heard_at: heardSeconds,
    verdict,
    reason,
    held: { root: held.root, messages_root: held.messagesRoot, count: held.count, position: held.seq },
    checkpoint: checkpointJson(checkpoint),
    contradicts: contradicts === null ? null : checkpointJson(contradicts),
  };
}

/** Each is written again with every other one, and none changes. */
const texts = new WeakMap<KeptCheckpoint, string>();

function textOf(kept: KeptCheckpoint): string {
  const known = texts.get(kept);
  if (known !== undefined) return known;
  const text = JSON.stringify(keptJson(kept));
  texts.set(kept, text);
  return text;
}

/** A file of the data folder. One that cannot be read is no loss to the state: peers sign again. */
export function checkpointFile(
  files: Pick<WorkingFiles, "readWhole" | "replace">,
  path: string,
  onUnreadable: (error: unknown) => void,
): CheckpointFile {
  return {
    async read() {
      try {
        const parsed = parseJson(new TextDecoder().decode(await files.readWhole(path)));
        if (!parsed.ok) onUnreadable(new TypeError(parsed.reason));
        const list = parsed.ok && Array.isArray(parsed.value) ? parsed.value : [];
        return list.flatMap((one) => readKept(one) ?? []);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) onUnreadable(error);
        return [];
      }
    },
    write: (kept) => files.replace(path, Buffer.from(`[${kept.map(textOf).join(",")}]\n`)),
  };
}

const VERDICTS: readonly unknown[] = ["same", "other", "false"] satisfies CheckpointVerdict[];

function readKept(value: JsonValue): KeptCheckpoint | null {
  if (!isJsonObject(value)) return null;
  const { heard_at: heardSeconds, verdict, reason, held, contradicts } = value;
  const checkpoint = readCheckpoint(value.checkpoint);
  if (checkpoint === null || typeof heardSeconds !== "number" || !VERDICTS.includes(verdict)) return null;
  if (!isJsonObject(held)) return null;
  return {
    checkpoint,
    heardSeconds,
    verdict: verdict as CheckpointVerdict,
    reason: typeof reason === "string" ? reason : null,
    contradicts: readCheckpoint(contradicts),
    held: {
      root: String(held.root),
      messagesRoot: String(held.messages_root),
      count: Number(held.count),
      seq: Number(held.position),
    },
  };
}
