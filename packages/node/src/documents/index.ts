export { madeDocuments } from "./made-documents.ts";
