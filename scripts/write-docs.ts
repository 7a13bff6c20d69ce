// Writes the documents that are made from code. A test fails when they are not up to date.
import { writeFileSync } from "node:fs";
import { renderConfigurationDocument } from "@twentysix/node/config";

writeFileSync(new URL("../docs/configuration.md", import.meta.url), renderConfigurationDocument());
