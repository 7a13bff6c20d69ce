/** There is no database: nothing was ever stored there. */
export class NoDatabaseError extends Error {
  readonly code = "NO_DATABASE";

  constructor(path: string, setting: "--data-dir" | "--database" = "--data-dir") {
    super(`there is no database at ${path}: check ${setting}`);
  }
}

/** The message to go on after is not in this data folder. */
export class ExportPositionError extends Error {
  readonly code = "EXPORT_POSITION_UNKNOWN";

  constructor(itemHash: string) {
    super(`${itemHash} was not processed here: give the last message of an export of this very data folder`);
  }
}

/** The data folder has reached its budget, or the disk is full; what was read so far is stored. */
export class ImportOutOfRoomError extends Error {
  readonly code = "IMPORT_OUT_OF_ROOM";

  constructor(lines: number) {
    super(
      `no room is left after line ${lines}: raise --max-disk or free some space, and go on with --skip-lines ${lines}`,
    );
  }
}
