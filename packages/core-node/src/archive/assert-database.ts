import { stat } from "node:fs/promises";
import { type DatabaseLocation, isPostgresUrl, openConnection } from "@twentysix/storage";
import { NoDatabaseError } from "./errors.ts";

/** @throws NoDatabaseError before anything would be created where nothing was stored */
export async function assertDatabase(path: DatabaseLocation): Promise<void> {
  if (isPostgresUrl(path)) return assertTables(path);
  try {
    await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new NoDatabaseError(path);
    throw error;
  }
}

function assertTables(url: string): void {
  const connection = openConnection(url, { readOnly: true });
  try {
    const row = connection.get<{ found: number }>("SELECT to_regclass('items') IS NOT NULL AS found");
    if (row?.found !== 1) throw new NoDatabaseError(new URL(url).pathname, "--database");
  } finally {
    connection.close();
  }
}
