import { test } from "node:test";
import { temporaryFolder } from "../blobs/temporary-folder.ts";
import { postgresDatabase, withoutPostgres } from "../postgres/on-postgres.ts";
import { checkShardRecords } from "./shard-records.ts";

test("shards, their proofs and faults of peers are kept in SQLite", async () => {
  await using folder = await temporaryFolder();
  checkShardRecords(`${folder.path}/node.sqlite`);
});

test("and onPostgres", { skip: withoutPostgres }, () => checkShardRecords(postgresDatabase()));
