import assert from "node:assert/strict";

export interface ReadMember {
  readonly path: string;
  readonly typeFlag: string;
  readonly mode: number;
  readonly linkTarget: string;
  readonly content: Buffer;
}

/** Reads a tar archive, with pax headers, checking each checksum; enough to judge our own. */
export function readTar(archive: Uint8Array): ReadMember[] {
  const bytes = Buffer.from(archive);
  const members: ReadMember[] = [];
  let pax = new Map<string, string>();
  for (let offset = 0; offset + 512 <= bytes.length && bytes[offset] !== 0; ) {
    const header = bytes.subarray(offset, offset + 512);
    assertChecksum(header);
    const sizeBytes = Number(pax.get("size") ?? Number.parseInt(text(header, 124, 12), 8));
    const content = bytes.subarray(offset + 512, offset + 512 + sizeBytes);
    offset += 512 + Math.ceil(sizeBytes / 512) * 512;
    const typeFlag = text(header, 156, 1);
    if (typeFlag === "x") {
      pax = readPax(content);
      continue;
    }
    members.push({
      path: pax.get("path") ?? text(header, 0, 100),
      typeFlag,
      mode: Number.parseInt(text(header, 100, 8), 8),
      linkTarget: pax.get("linkpath") ?? text(header, 157, 100),
      content: Buffer.from(content),
    });
    pax = new Map();
  }
  return members;
}

function readPax(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let offset = 0; offset < content.length; ) {
    const length = Number.parseInt(content.toString("utf8", offset), 10);
    const record = content.toString("utf8", offset, offset + length);
    const [, key = "", value = ""] =
      /^\d+ ([^=]+)=(.*)\n$/s.exec(record) ?? assert.fail(`bad pax record ${record}`);
    records.set(key, value);
    offset += length;
  }
  return records;
}

function assertChecksum(header: Buffer): void {
  const blank = Buffer.from(header);
  blank.fill(" ", 148, 156);
  const sum = blank.reduce((total, byte) => total + byte, 0);
  assert.equal(Number.parseInt(text(header, 148, 8), 8), sum);
  assert.equal(header.toString("latin1", 257, 265), "ustar\x0000");
}

function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("utf8");
}
