import { after, describe, it } from "node:test";
import { openConnection, type SqlConnection } from "@twentysix/storage";
import { migrate } from "@twentysix/storage/writer";
import { seedOn } from "../read/seed.ts";
import { postgresDatabase, withoutPostgres } from "./on-postgres.ts";

/*
 * The tests of the read side, onPostgres: the same files, with a database of the other engine under them. What they
 * say of plans and indexes concerns the one inside of this process alone.
 */
if (withoutPostgres === false) {
  const connection = openConnection(postgresDatabase());
  after(() => connection.close());
  connection.exec("SET synchronous_commit = off");
  migrate(connection);
  seedOn(() => {
    empty(connection);
    return connection;
  });
  await import("../read/message-list.test.ts");
  await import("../read/derived-lists.test.ts");
  await import("../read/long-texts.test.ts");
  await import("../read/authorizations.test.ts");
  await import("../read/cursor.test.ts");
  await import("../read/point-files.test.ts");
  await import("../read/point-reads.test.ts");
  await import("../read/filter-agreement.test.ts");
} else {
  describe("the read side onPostgres", () => {
    it("is tested where there is a server", { skip: withoutPostgres }, () => undefined);
  });
}

function empty(connection: SqlConnection): void {
  const tables = connection.all<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'writer_epoch')",
  );
  connection.exec(tables.map(({ name }) => `DELETE FROM ${name}`).join("; "));
}
