import { openConnection } from "@twentysix/storage";

const SERVER = process.env.TWENTYSIX_TEST_POSTGRES;

/** For `skip` of tests that run onPostgres: false where there is a server, else the reason. */
export const withoutPostgres: string | false =
  SERVER === undefined
    ? (process.env.TWENTYSIX_TEST_POSTGRES_REASON ??
      "there is no PostgreSQL server: run the tests by npm test")
    : false;

let made = 0;

/** A database of its own; gone with the server at the end of the run. */
export function postgresDatabase(): string {
  if (SERVER === undefined) throw new Error("there is no PostgreSQL server");
  made += 1;
  const name = `test_${process.pid}_${made}`;
  const server = openConnection(SERVER);
  server.exec(`CREATE DATABASE ${name}`);
  server.close();
  return new URL(`/${name}`, SERVER).href;
}
