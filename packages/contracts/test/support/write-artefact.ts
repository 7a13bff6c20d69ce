import { writeFileSync } from "node:fs";
import { ARTEFACTS, artefactSource } from "./compile-contracts.ts";

for (const file of Object.keys(ARTEFACTS)) {
  writeFileSync(new URL(`../../src/${file}`, import.meta.url), artefactSource(file));
}
