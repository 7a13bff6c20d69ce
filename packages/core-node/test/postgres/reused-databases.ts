import { openConnection, type SqlConnection } from "@twentysix/storage";
import { postgresDatabase } from "@twentysix/storage/test-postgres";

/** Databases that are emptied and used again: to make one takes longer than most tests. */
export function reusedDatabases(): {
  take(): string;
  giveBack(location: string): void;
} {
  const free: string[] = [];
  /** One for each database, kept: to connect takes longer than to empty it. */
  const connections = new Map<string, SqlConnection>();
  const connectionTo = (location: string): SqlConnection => {
    const known = connections.get(location);
    if (known !== undefined) return known;
    const opened = openConnection(location);
    connections.set(location, opened);
    return opened;
  };
  return {
    take: () => free.pop() ?? postgresDatabase(),
    giveBack: (location) => {
      connectionTo(location).exec(EMPTY_ALL);
      free.push(location);
    },
  };
}

/** Most tables have stayed empty; to ask takes less than to delete. */
const EMPTY_ALL = `DO $$
DECLARE
  name TEXT;
  has_rows BOOLEAN;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'writer_epoch')
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO has_rows;
    IF has_rows THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
END $$`;
