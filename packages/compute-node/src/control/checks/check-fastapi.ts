import type { Timers } from "@twentysix/platform";
import { objectOf } from "../auth/auth-packet.ts";

export interface FastapiCheckOptions {
  /** `http://127.0.0.1:4020/vm/HASH` */
  readonly programUrl: string;
  /** Leaves out what older diagnostic programs lack. */
  readonly omitsNewer: boolean;
  /** How much longer than on hardware a boot takes. */
  readonly slowness: number;
  readonly timers: Timers;
}

export interface FastapiReport {
  readonly isGood: boolean;
  readonly body: object;
}

/** On hardware; the first call may have to boot a machine. */
const CALL_MS = 60_000;
const REQUIRED = ["index", "lifespan", "environ", "dns", "ipv4", "internet", "error_handling"];
const NEWER: ReadonlySet<string> = new Set(["get_a_message", "lifespan"]);
const VARIABLES = [
  "ALEPH_API_HOST",
  "ALEPH_API_UNIX_SOCKET",
  "ALEPH_REMOTE_CRYPTO_HOST",
  "ALEPH_REMOTE_CRYPTO_UNIX_SOCKET",
  "ALEPH_ADDRESS_TO_USE",
];

type Call = (path: string) => Promise<{ readonly status: number; readonly text: string }>;

/**
 * Runs the diagnostic program and looks at its answers, from the outside as a visitor. Source: aleph-vm
 * `orchestrator/status.py`.
 */
export async function checkFastapi(
  { programUrl, omitsNewer, slowness, timers }: FastapiCheckOptions,
  signal: AbortSignal,
): Promise<FastapiReport> {
  const call: Call = (path) =>
    timers.withTimeout(
      CALL_MS * slowness,
      async (bounded) => {
        const answer = await fetch(`${programUrl}${path}`, { signal: bounded });
        return { status: answer.status, text: await answer.text() };
      },
      signal,
    );
  const names = Object.keys(CHECKS).filter((name) => !(omitsNewer && NEWER.has(name)));
  const results: Record<string, boolean> = {};
  try {
    // The first call starts the program; one after the other, since the last one kills it.
    for (const name of names) results[name] = (await CHECKS[name]?.(call)) ?? false;
  } catch (error) {
    signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    return { isGood: false, body: { error: `Server disconnected: ${text}` } };
  }
  return { isGood: REQUIRED.every((name) => results[name] !== false), body: results };
}

const CHECKS: Readonly<Record<string, (call: Call) => Promise<boolean>>> = {
  index: async (call) => (await json(call, "/"))?.Example === "example_fastapi",
  lifespan: async (call) => (await json(call, "/lifespan"))?.Lifespan === true,
  environ: async (call) => {
    const variables = await json(call, "/environ");
    return VARIABLES.every((name) => typeof variables?.[name] === "string");
  },
  messages: async (call) => {
    const list = objectOf((await json(call, "/messages"))?.Messages)?.messages;
    return Array.isArray(list) && typeof objectOf(list[0])?.item_hash === "string";
  },
  dns: async (call) => {
    const found = await json(call, "/dns");
    return isFilled(found?.ipv4) && isFilled(found?.ipv6);
  },
  ipv4: async (call) => (await json(call, "/ip/4"))?.result === true,
  internet: async (call) => {
    const status = (await json(call, "/internet"))?.result;
    return typeof status === "number" && status < 400;
  },
  cache: async (call) => {
    const set = await call("/cache/set/a/42");
    const got = await call("/cache/get/a");
    const keys = await call("/cache/keys");
    return set.text === "true" && got.text === '"42"' && keys.text.includes('"a"');
  },
  persistent_storage: async (call) => {
    const first = (await json(call, "/state/increment"))?.counter;
    const second = (await json(call, "/state/increment"))?.counter;
    return typeof first === "number" && typeof second === "number" && second >= first + 1;
  },
  get_a_message: async (call) => typeof (await json(call, "/get_a_message"))?.item_hash === "string",
  error_handling: async (call) => {
    const raised = await call("/raise");
    const crashed = await call("/crash");
    return raised.status === 500 && raised.text.includes("Traceback") && crashed.status === 502;
  },
};

/** null: it answers with no JSON object. */
async function json(call: Call, path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const { text } = await call(path);
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function isFilled(value: unknown): boolean {
  return (typeof value === "string" || Array.isArray(value)) && value.length > 0;
}
