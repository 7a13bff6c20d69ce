import { openConnection } from "@twentysix/storage";

const SERVER = process.env.TWENTYSIX_TEST_POSTGRES;

/** For `skip` of tests that run onPostgres: false where there is a server, else the reason. */
export const withoutPostgres: string | false =
  SERVER === undefined
    ? (process.env.TWENTYSIX_TEST_POSTGRES_REASON ??
      "there is no PostgreSQL server: run the tests by npm test")
    : false;

let made = 0;

/** A database of its own for one test; gone after it. */
export function postgresDatabase(context: { after(work: () => void): void }): string {
  if (SERVER === undefined) throw new Error("there is no PostgreSQL server");
  made += 1;
  const name = `test_${process.pid}_${made}`;
  const server = openConnection(SERVER);
  server.exec(`CREATE DATABASE ${name}`);
  context.after(() => {
    server.exec(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    server.close();
  });
  return new URL(`/${name}`, SERVER).href;
}
