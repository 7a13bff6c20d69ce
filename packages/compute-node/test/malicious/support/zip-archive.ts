import { crc32, deflateRawSync } from "node:zlib";

/** A member of an archive, and what the archive says of it where that is not so. */
export interface ZipMember {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** Of the file, as Unix has it. */
  readonly mode?: number;
  readonly announcedBytes?: number;
  readonly isEncrypted?: boolean;
}

const REGULAR = 0o100_644;
export const SYMBOLIC_LINK = 0o120_777;
const ENCRYPTED_FLAG = 1;
const FROM_UNIX = 3 << 8;

/** A zip archive with whatever is asked for in it: tools that make them refuse most of that. */
export function zipArchive(members: readonly ZipMember[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const { local, entry } = recordsOf(member, offset);
    files.push(local);
    directory.push(entry);
    offset += local.length;
  }
  return Buffer.concat([...files, ...directory, endOf(members.length, directory, offset)]);
}

function recordsOf(
  { name, bytes, mode = REGULAR, announcedBytes, isEncrypted = false }: ZipMember,
  offset: number,
) {
  const content = Buffer.from(bytes as Uint8Array);
  const packed = deflateRawSync(content);
  const nameBytes = Buffer.from(name);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(isEncrypted ? ENCRYPTED_FLAG : 0, 2);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(announcedBytes ?? content.length, 18);
  common.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, nameBytes, packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(mode * 65_536, 6);
  rest.writeUInt32LE(offset, 10);
  const madeBy = Buffer.from([20, FROM_UNIX >> 8]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02"), madeBy, common, rest, nameBytes]);
  return { local, entry };
}

function endOf(count: number, directory: readonly Buffer[], offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(count & 0xff_ff, 8);
  end.writeUInt16LE(count & 0xff_ff, 10);
  end.writeUInt32LE(
    directory.reduce((sum, entry) => sum + entry.length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return end;
}

/** As many names of one empty file as fit into an archive that may be a program. */
export function crowdedArchive(sizeBytes: number): Buffer {
  const local = Buffer.concat([Buffer.from("PK\x03\x04\x14"), Buffer.alloc(25)]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\x03\x14"), Buffer.alloc(39), Buffer.from("a")]);
  entry.writeUInt16LE(1, 28);
  const count = Math.floor((sizeBytes - local.length - 22) / entry.length);
  const directory = Buffer.alloc(count * entry.length, entry);
  return Buffer.concat([local, directory, endOf(count, [directory], local.length)]);
}
