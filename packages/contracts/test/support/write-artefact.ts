import { writeFileSync } from "node:fs";
import { artefactSource, compileMessageSync } from "./compile-contracts.ts";

writeFileSync(
  new URL("../../src/message-sync-artefact.ts", import.meta.url),
  artefactSource(compileMessageSync()),
);
