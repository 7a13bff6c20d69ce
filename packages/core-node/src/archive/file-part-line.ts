import type { JsonObject } from "@twentysix/protocol";

/*
 * A file travels as several lines, each with a part of it:
 * {"stored_file":"<hash>","form":"bytes","part":0,"is_last":true,"base64":"..."}
 */

export const FILE_KEY = "stored_file";

/** The bytes of a file as they are, or a DAG as a CARv1 stream where only its blocks prove its name. */
export const FILE_FORMS = ["bytes", "car"] as const;
export type FileForm = (typeof FILE_FORMS)[number];

export interface FilePart {
  /** The name by which messages call the file. */
  readonly fileHash: string;
  readonly form: FileForm;
  /** Counted from 0. */
  readonly part: number;
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
}

/** Most bytes of one part, which makes a line of a quarter of a mebibyte. */
export const MAX_PART_BYTES = 192 * 1024;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function writeFilePart({ fileHash, form, part, isLast, bytes }: FilePart): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return `{"${FILE_KEY}":${JSON.stringify(fileHash)},"form":"${form}","part":${part},"is_last":${isLast},"base64":"${base64}"}`;
}

/** null when the object is no part of a file. */
export function readFilePart(line: JsonObject): FilePart | null {
  const { [FILE_KEY]: fileHash, part, is_last: isLast, base64 } = line;
  const form = FILE_FORMS.find((one) => one === line.form);
  if (typeof fileHash !== "string" || form === undefined || typeof isLast !== "boolean") return null;
  if (typeof part !== "number" || !Number.isSafeInteger(part) || part < 0) return null;
  if (typeof base64 !== "string" || !BASE64.test(base64)) return null;
  return { fileHash, form, part, isLast, bytes: Buffer.from(base64, "base64") };
}
