// Writes the documents that are made from code. A test fails when they are not up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { madeDocuments } from "@twentysix/node/documents";

const ROOT = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

for (const [path, text] of Object.entries(madeDocuments(read))) writeFileSync(new URL(path, ROOT), text);
