import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type NetworkDefinition, parseJson, parseNetworkDefinition } from "@twentysix/protocol";

/** The network definition cannot be read or followed; `message` says where and why. */
export class NetworkDefinitionError extends Error {
  readonly code = "NETWORK_DEFINITION_INVALID";
}

const SHIPPED = new URL("../../../networks/", import.meta.url);
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * A shipped network by its name, or a definition file.
 *
 * @throws NetworkDefinitionError
 */
export function loadNetwork(nameOrFile: string): NetworkDefinition {
  const path = NAME.test(nameOrFile) ? fileURLToPath(new URL(`${nameOrFile}.json`, SHIPPED)) : nameOrFile;
  const parsed = parseJson(readDefinition(path, nameOrFile));
  if (!parsed.ok) throw new NetworkDefinitionError(`${path} is not valid JSON: ${parsed.reason}`);
  const result = parseNetworkDefinition(parsed.value);
  if (!result.ok) {
    const problems = result.errors.map((error) => `${error.loc.join(".")}: ${error.msg}`);
    throw new NetworkDefinitionError(`${path} is not a network definition: ${problems.join("; ")}`);
  }
  assertFollowable(result.definition, path);
  return result.definition;
}

/** A node that cannot do what its network agreed on would drift away from it without a word. */
function assertFollowable({ switches }: NetworkDefinition, path: string): void {
  if (!switches.contractWallets) return;
  throw new NetworkDefinitionError(
    `${path} turns contractWallets on: this version reads no chain and would refuse what the others accept`,
  );
}

function readDefinition(path: string, asked: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NetworkDefinitionError(`Cannot read the network ${asked}: ${reason}`);
  }
}
