import { readFile } from "node:fs/promises";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { CHAINS } from "@twentysix/protocol";
import type { AuthoritySettings } from "./settings.ts";

const closed = { additionalProperties: false } as const;
const credits = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const tokens = Type.Number({ minimum: 0, maximum: 1e15 });
const byAddress = <Value extends TSchema>(value: Value) =>
  Type.Record(Type.String({ pattern: "^\\S+$" }), value, closed);

const FILE = Type.Object(
  {
    balances: Type.Optional(
      Type.Object(
        Object.fromEntries(CHAINS.map((chain) => [chain, Type.Optional(byAddress(tokens))])),
        closed,
      ),
    ),
    grants: Type.Optional(byAddress(credits)),
    faucet: Type.Optional(
      Type.Object(
        {
          credits: Type.Optional(credits),
          grantsPerDay: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
          expiryDays: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 36_500 }), Type.Null()])),
        },
        closed,
      ),
    ),
    billing: Type.Optional(
      Type.Object(
        {
          maxSpanSeconds: Type.Optional(Type.Integer({ minimum: 3_600, maximum: 31_536_000 })),
          creditPriceTokens: Type.Optional(Type.String({ pattern: "^\\d{1,9}(\\.\\d{1,18})?$" })),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** A settings file of an authority that cannot be used. */
export class AuthoritySettingsError extends Error {
  readonly code = "AUTHORITY_SETTINGS_UNUSABLE";
  readonly setting = "authoritySettings";

  constructor(reason: string) {
    super(`--authority-settings: ${reason}`);
    this.name = "AuthoritySettingsError";
  }
}

/**
 * The settings of a JSON file over others; what the file leaves out stays. Lists (`balances`, `grants`) are replaced
 * as a whole.
 *
 * @throws AuthoritySettingsError
 */
export async function readSettingsFile(
  path: string,
  defaults: AuthoritySettings,
): Promise<AuthoritySettings> {
  const file = checked(path, parsed(path, await textOf(path)));
  const { balances, grants, faucet = {}, billing = {} } = file;
  return {
    ...defaults,
    balances: balances === undefined ? defaults.balances : presentOf(balances),
    grants: grants === undefined ? defaults.grants : toCredits(grants),
    faucet: {
      credits: faucet.credits === undefined ? defaults.faucet.credits : BigInt(faucet.credits),
      grantsPerDay: faucet.grantsPerDay ?? defaults.faucet.grantsPerDay,
      expiryDays: faucet.expiryDays === undefined ? defaults.faucet.expiryDays : faucet.expiryDays,
    },
    billing: { ...defaults.billing, ...billing },
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new AuthoritySettingsError(
      `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AuthoritySettingsError(
      `${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function checked(path: string, value: unknown): Static<typeof FILE> {
  if (Value.Check(FILE, value)) return value;
  const problem = Value.Errors(FILE, value).First();
  throw new AuthoritySettingsError(
    `${path}: ${problem?.path ?? ""}: ${problem?.message ?? "not as expected"}`,
  );
}

const presentOf = <Value>(lists: Readonly<Record<string, Value | undefined>>): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(lists).flatMap(([name, list]) => (list === undefined ? [] : [[name, list]])),
  );

const toCredits = (grants: Readonly<Record<string, number>>): Record<string, bigint> =>
  Object.fromEntries(Object.entries(grants).map(([address, amount]) => [address, BigInt(amount)]));
