import { openConnection } from "@twentysix/storage";
import { postgresDatabase } from "@twentysix/storage/test-postgres";

/** Databases that are emptied and used again: to make one takes longer than most tests. */
export function reusedDatabases(): {
  take(): string;
  giveBack(location: string): void;
} {
  const free: string[] = [];
  return {
    take: () => free.pop() ?? postgresDatabase(),
    giveBack: (location) => {
      const connection = openConnection(location);
      const tables = connection.all<{ name: string }>(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'writer_epoch')",
      );
      connection.exec(tables.map(({ name }) => `DELETE FROM ${name}`).join("; "));
      connection.close();
      free.push(location);
    },
  };
}
