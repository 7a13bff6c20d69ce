/** A member of a tar archive. */
export interface TarMember {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly sizeBytes: number;
  readonly mode: number;
  readonly modifiedSeconds: number;
  /** Target of a symbolic link. */
  readonly linkTarget?: string;
}

const BLOCK_BYTES = 512;
const MAX_PATH_BYTES = 100;
const MAX_OCTAL_SIZE = 0o77777777777;
const TYPE_FLAGS = { file: "0", directory: "5", symlink: "2", pax: "x" };

/** The header blocks of a member: ustar, preceded by a pax header when a field does not fit. */
export function tarHeader(member: TarMember): Uint8Array {
  const pax = paxRecords(member);
  const header = ustarBlock(member, TYPE_FLAGS[member.type]);
  if (pax.length === 0) return header;
  const body = Buffer.from(pax.join(""), "utf8");
  const paxMember: TarMember = {
    ...member,
    path: "PaxHeaders.0/entry",
    sizeBytes: body.byteLength,
    mode: 0o644,
  };
  const { linkTarget: _, ...withoutLink } = paxMember;
  return Buffer.concat([ustarBlock(withoutLink, TYPE_FLAGS.pax), body, tarPadding(body.byteLength), header]);
}

/** Zeros that fill the last block of a member's content. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The two empty blocks at the end of an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

function ustarBlock(member: TarMember, typeFlag: string): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(fitting(member.path), 0);
  block.write(octal(member.mode, 7), 100, "latin1");
  block.write(octal(0, 7), 108, "latin1"); // owner
  block.write(octal(0, 7), 116, "latin1"); // group
  block.write(octal(Math.min(member.sizeBytes, MAX_OCTAL_SIZE), 11), 124, "latin1");
  block.write(octal(octalTime(member.modifiedSeconds), 11), 136, "latin1");
  block.write(typeFlag, 156, "latin1");
  block.set(fitting(member.linkTarget ?? ""), 157);
  block.write("ustar\x0000", 257, "latin1");
  block.fill(" ", 148, 156);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${octal(checksum, 6)}\0 `, 148, "latin1");
  return block;
}

function paxRecords(member: TarMember): string[] {
  const records: string[] = [];
  if (!isPlain(member.path)) records.push(paxRecord("path", member.path));
  if (!isPlain(member.linkTarget ?? "")) records.push(paxRecord("linkpath", member.linkTarget ?? ""));
  if (member.sizeBytes > MAX_OCTAL_SIZE) records.push(paxRecord("size", String(member.sizeBytes)));
  if (octalTime(member.modifiedSeconds) !== member.modifiedSeconds) {
    records.push(paxRecord("mtime", String(member.modifiedSeconds)));
  }
  return records;
}

/** "length key=value\n", where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let digits = String(restBytes).length;
  digits = String(restBytes + digits).length;
  return `${restBytes + digits}${rest}`;
}

/** True when the old header says all: short enough and ASCII. */
function isPlain(text: string): boolean {
  return text.length <= MAX_PATH_BYTES && /^[\x20-\x7e]*$/.test(text);
}

function fitting(text: string): Uint8Array {
  return Buffer.from(text, "utf8").subarray(0, MAX_PATH_BYTES);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function octalTime(seconds: number): number {
  return Math.min(Math.max(0, seconds), MAX_OCTAL_SIZE);
}
