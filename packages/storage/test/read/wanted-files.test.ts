import { test } from "node:test";
import { temporaryFolder } from "../blobs/temporary-folder.ts";
import { postgresDatabase, withoutPostgres } from "../postgres/on-postgres.ts";
import { checkWantedFiles } from "./wanted-files.ts";

test("what is wanted of peers comes in turn, in SQLite", async () => {
  await using folder = await temporaryFolder();
  checkWantedFiles(`${folder.path}/node.sqlite`);
});

test("and onPostgres", { skip: withoutPostgres }, () => checkWantedFiles(postgresDatabase()));
