import { SqliteConnection, type SqlRow, type SqlValue } from "../../src/index.ts";

/** A real connection that keeps what it was asked, to look at how the database would run it. */
export class RecordingConnection extends SqliteConnection {
  readonly statements: { readonly sql: string; readonly parameters: readonly SqlValue[] }[] = [];

  override all<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    this.statements.push({ sql, parameters });
    return super.all<T>(sql, ...parameters);
  }

  override get<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    this.statements.push({ sql, parameters });
    return super.get<T>(sql, ...parameters);
  }

  override allBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T[] {
    this.statements.push({ sql, parameters });
    return super.allBig<T>(sql, ...parameters);
  }

  override getBig<T = SqlRow>(sql: string, ...parameters: SqlValue[]): T | undefined {
    this.statements.push({ sql, parameters });
    return super.getBig<T>(sql, ...parameters);
  }

  /** The plan of every statement asked so far. */
  plans(): { readonly sql: string; readonly steps: readonly string[] }[] {
    return this.statements.map(({ sql, parameters }) => ({
      sql,
      steps: super
        .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters)
        .map((row) => row.detail),
    }));
  }
}
