import {
  type KuboServer,
  kuboMissing,
  type S3Server,
  s3Missing,
  startKuboServer,
  startS3Server,
} from "@twentysix/storage/test-servers";

/** An engine for files as a user sets it, and what it holds. */
export interface EngineGround extends AsyncDisposable {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Names of everything that stands on its server; null where there is none. */
  held(): Promise<readonly string[] | null>;
}

export interface EngineKind {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<EngineGround>;
}

export const ENGINE_KINDS: readonly EngineKind[] = [
  {
    name: "files on disk",
    skip: false,
    start: async () => ({
      flags: [],
      environment: {},
      held: async () => null,
      [Symbol.asyncDispose]: async () => undefined,
    }),
  },
  { name: "S3", skip: s3Missing(), start: async () => s3Ground(await startS3Server()) },
  { name: "Kubo", skip: kuboMissing(), start: async () => kuboGround(await startKuboServer()) },
];

export function s3Ground(server: S3Server): EngineGround {
  return {
    flags: ["--blobs", `${server.url}&prefix=first/node`],
    environment: server.environment,
    held: () => server.keys(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function kuboGround(server: KuboServer): EngineGround {
  return {
    flags: ["--blobs", server.url],
    environment: {},
    held: () => server.pins(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
