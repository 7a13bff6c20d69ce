import { type BlobEngineSettings, S3Credentials } from "@twentysix/storage/settings";
import { type OptionKind, type ParseContext, type Parsed, parsed, textKind } from "./option-kind.ts";

const DESCRIPTION =
  "`files`, `s3://BUCKET?endpoint=URL&region=NAME&prefix=PATH&pathStyle=true` (all but the bucket may be left out), or `kubo://HOST:PORT`";
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*\/?$/;
const S3_PARAMETERS: ReadonlySet<string> = new Set(["endpoint", "region", "prefix", "pathStyle"]);
const DEFAULT_REGION = "us-east-1";

/** Where the blobs are kept. The keys of S3 come from the environment and are never part of the value. */
export function blobs(): OptionKind<BlobEngineSettings> {
  return textKind({
    placeholder: "files|URL",
    describe: DESCRIPTION,
    parseText(text, context) {
      if (text === "files") return parsed({ kind: "files" });
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url?.protocol === "s3:") return parseS3(url, context);
      if (url?.protocol === "kubo:") return parseKubo(url);
      return { ok: false, expected: DESCRIPTION };
    },
  });
}

function parseS3(url: URL, { environment = {} }: ParseContext): Parsed<BlobEngineSettings> {
  const { searchParams: query, hostname: bucket } = url;
  if (url.username !== "" || url.password !== "") {
    return { ok: false, expected: "no keys in the URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" };
  }
  const unknown = [...query.keys()].find((name) => !S3_PARAMETERS.has(name));
  if (unknown !== undefined) {
    return { ok: false, expected: `only the parameters ${[...S3_PARAMETERS].join(", ")}` };
  }
  const endpoint = query.get("endpoint");
  const prefix = query.get("prefix") ?? "";
  const pathStyle = query.get("pathStyle") ?? "false";
  const isPath = url.pathname !== "" && url.pathname !== "/";
  if (!BUCKET.test(bucket) || url.port !== "" || isPath)
    return { ok: false, expected: "the name of a bucket" };
  if (endpoint !== null && !isHttpUrl(endpoint)) {
    return { ok: false, expected: "an http or https URL as endpoint" };
  }
  const isPrefix = PREFIX.test(prefix) && !prefix.split("/").some((part) => /^\.+$/.test(part));
  if (prefix !== "" && !isPrefix) return { ok: false, expected: "a prefix such as nodes/first" };
  if (pathStyle !== "true" && pathStyle !== "false") {
    return { ok: false, expected: "true or false as pathStyle" };
  }
  const credentials = credentialsOf(environment);
  if (credentials === undefined) {
    return { ok: false, expected: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment as well" };
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = environment;
  return parsed({
    kind: "s3",
    bucket,
    ...(endpoint === null ? {} : { endpoint }),
    region: query.get("region") ?? AWS_REGION ?? AWS_DEFAULT_REGION ?? DEFAULT_REGION,
    prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
    pathStyle: pathStyle === "true",
    credentials,
  });
}

function credentialsOf(environment: NonNullable<ParseContext["environment"]>): S3Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return new S3Credentials({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  });
}

function parseKubo(url: URL): Parsed<BlobEngineSettings> {
  const isBare = url.username === "" && url.search === "" && (url.pathname === "" || url.pathname === "/");
  if (!isBare || url.hostname === "" || url.port === "") {
    return { ok: false, expected: "the host and port of the RPC API of Kubo: kubo://127.0.0.1:5001" };
  }
  return parsed({ kind: "kubo", url: `http://${url.host}` });
}

function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  return isHttp && url.username === "" && url.search === "" && url.hash === "";
}
