import { loadNetwork } from "../network.ts";
import { renderConfigurationDocument } from "./configuration-document.ts";
import { renderLimitsDocument } from "./limits-document.ts";
import { renderSwitchesDocument, switchesSchema } from "./switches-document.ts";

const SCHEMA = "networks/networks.schema.json";

/** Every document of the repository that is made from code, by its path, with the text that it must have. */
export function madeDocuments(read: (path: string) => string): Readonly<Record<string, string>> {
  const networks = {
    mainnet: loadNetwork("mainnet").switches,
    local: loadNetwork("local").switches,
  };
  return {
    "docs/configuration.md": renderConfigurationDocument(),
    "docs/limits.md": renderLimitsDocument(),
    "docs/protocol-switches.md": renderSwitchesDocument(networks),
    [SCHEMA]: withSwitches(read(SCHEMA)),
  };
}

/** The schema of network definitions is written by hand but for its switches. */
function withSwitches(schemaText: string): string {
  const schema = JSON.parse(schemaText) as { properties: { switches: object } };
  const properties = switchesSchema();
  Object.assign(schema.properties.switches, { properties, required: Object.keys(properties) });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
