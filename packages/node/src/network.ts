import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type NetworkDefinition, parseJson, parseNetworkDefinition } from "@twentysix/protocol";
import { SettingError } from "./setting-error.ts";

const SHIPPED = new URL("../../../networks/", import.meta.url);
const SUFFIX = ".json";

/**
 * A shipped network by its name, or a definition file.
 *
 * @throws SettingError NETWORK_DEFINITION_INVALID
 */
export function loadNetwork(nameOrFile: string): NetworkDefinition {
  const path = nameOrFile.endsWith(SUFFIX) ? nameOrFile : shippedFile(nameOrFile);
  const parsed = parseJson(readDefinition(path));
  if (!parsed.ok) throw invalid(`${path} is not valid JSON: ${parsed.reason}`);
  const result = parseNetworkDefinition(parsed.value);
  if (result.ok) return result.definition;
  const problems = result.errors.map((error) => `${error.loc.join(".")}: ${error.msg}`);
  throw invalid(`${path} is not a network definition: ${problems.join("; ")}`);
}

function shippedFile(name: string): string {
  const shipped = readdirSync(SHIPPED)
    .filter((file) => file.endsWith(SUFFIX) && !file.includes(".schema."))
    .map((file) => file.slice(0, -SUFFIX.length));
  if (shipped.includes(name)) return fileURLToPath(new URL(name + SUFFIX, SHIPPED));
  const known = shipped.toSorted().join(", ");
  throw invalid(
    `the network ${JSON.stringify(name)} is not shipped: choose one of ${known}, or name the file of a definition that ends in ${SUFFIX}`,
  );
}

function readDefinition(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw invalid(`cannot read the definition: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function invalid(reason: string): SettingError {
  return new SettingError("NETWORK_DEFINITION_INVALID", "network", reason);
}
