import { SchedulerError } from "./errors.ts";
import type { SchedulerSettings } from "./settings.ts";

/** What the variables of the reference's scheduler say; null: not said. */
export interface SchedulerEnvironment {
  /** Base URL of a core node. */
  readonly coreApiUrl: string | null;
  readonly registryAddress: string | null;
  /** 64 lower-case hexadecimal digits. */
  readonly signingKey: string | null;
  readonly legacyToken: string | null;
  readonly dataDir: string | null;
  readonly apiHost: string | null;
  readonly apiPort: number | null;
  readonly settings: Partial<SchedulerSettings>;
}

const PREFIX = "ALEPH_SCHEDULER_";
const API_PREFIX = "SCHEDULER_API_";

/**
 * Reads the names that deployments of the reference use. Its event bus and its second database do not exist here:
 * `…_REDIS_URL` and `SCHEDULER_API_DATABASE_URL` are accepted and do nothing, and so does
 * `…_SKIP_HARDCODED_NODES`, since no node is built in.
 *
 * Source: aleph-testnets `deploy/docker-compose.yml`.
 *
 * @throws SchedulerError SCHEDULER_BAD_SETTING
 */
export function readSchedulerEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): SchedulerEnvironment {
  const text = (name: string): string | null => {
    const value = variables[name]?.trim();
    return value === undefined || value === "" ? null : value;
  };
  const flag = (name: string): boolean | null => {
    const value = text(name)?.toLowerCase() ?? null;
    if (value === null) return null;
    if (["true", "1", "yes"].includes(value)) return true;
    if (["false", "0", "no"].includes(value)) return false;
    throw bad(name, `"${value}" is neither true nor false`);
  };
  const integer = (name: string, max: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    if (/^\d{1,12}$/.test(value) && Number(value) <= max) return Number(value);
    throw bad(name, `"${value}" is no whole number from 0 to ${max}`);
  };
  const noDispatch = flag(`${PREFIX}NO_DISPATCH`);
  const migrations = flag(`${PREFIX}MIGRATIONS_ENABLED`);
  const debounceSeconds = integer(`${PREFIX}UNLINK_DEBOUNCE_SECS`, 31_536_000);
  return {
    coreApiUrl: text(`${PREFIX}ALEPH_API_SERVER`) ?? text(`${API_PREFIX}ALEPH_API_SERVER`),
    registryAddress: text(`${PREFIX}CORECHANNEL_ADDRESS`),
    signingKey: keyOf(text(`${PREFIX}CRN_SIGNING_KEY`)),
    legacyToken: text(`${PREFIX}CRN_AUTH_TOKEN`),
    dataDir: text(`${PREFIX}DATA_DIR`),
    apiHost: text(`${API_PREFIX}HOST`),
    apiPort: integer(`${API_PREFIX}PORT`, 65_535),
    settings: {
      ...(noDispatch === null ? {} : { isDryRun: noDispatch }),
      ...(migrations === null ? {} : { hasMigrations: migrations }),
      ...(debounceSeconds === null ? {} : { unlinkDebounceMs: debounceSeconds * 1_000 }),
    },
  };
}

/** What is in it is never repeated, in errors neither. */
function keyOf(text: string | null): string | null {
  if (text === null) return null;
  const match = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text);
  if (match?.[1] !== undefined) return match[1].toLowerCase();
  throw bad(`${PREFIX}CRN_SIGNING_KEY`, "give 0x and 64 hexadecimal digits");
}

const bad = (name: string, why: string): SchedulerError =>
  new SchedulerError("SCHEDULER_BAD_SETTING", `${name}: ${why}`);
