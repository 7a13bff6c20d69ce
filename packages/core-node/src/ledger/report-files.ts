import type { CostType } from "@twentysix/protocol";
import { type NamedFile, namedFiles, type PreparedMessage, type World } from "@twentysix/state";
import type { ReportedFile, ReportedLine } from "./payment-report.ts";

/** The line of a bill that counts a file, by what the file is used as. What is not here has no price of its own. */
const LINE_OF_KIND: Readonly<Record<string, CostType>> = {
  file: "STORAGE",
  code: "EXECUTION_PROGRAM_VOLUME_CODE",
  runtime: "EXECUTION_PROGRAM_VOLUME_RUNTIME",
  data: "EXECUTION_PROGRAM_VOLUME_DATA",
  volume: "EXECUTION_VOLUME_INMUTABLE",
};

/** The files that a message names, with what this node knows of them and what its bill counts. */
export function reportFiles(
  world: World,
  message: PreparedMessage,
  lines: readonly ReportedLine[],
): ReportedFile[] {
  return namedFiles(world, message).map((file) => ({
    name: file.name,
    usedAs: file.kind,
    fileHash: file.fileHash,
    sizeBytes: file.fileHash === null ? null : (world.index.files.get(file.fileHash)?.sizeBytes ?? null),
    billedMib: billedMib(file, lines),
  }));
}

function billedMib({ name, kind }: NamedFile, lines: readonly ReportedLine[]): string | null {
  const type = LINE_OF_KIND[kind];
  const line = lines.find((one) => one.type === type && (kind === "file" || one.ref === name));
  return line?.sizeMib ?? null;
}
