import { stat } from "node:fs/promises";
import { NoDatabaseError } from "./errors.ts";

/** @throws NoDatabaseError before anything would be created where nothing was stored */
export async function assertDatabase(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new NoDatabaseError(path);
    throw error;
  }
}
