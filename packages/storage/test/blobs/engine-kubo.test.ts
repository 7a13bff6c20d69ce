import { after } from "node:test";
import { describeBlobStore } from "./engines/blob-suite.ts";
import { describeContents } from "./engines/content-suite.ts";
import { kuboDaemon } from "./engines/kubo.ts";
import { describeServer } from "./engines/server-suite.ts";

after(() => kuboDaemon[Symbol.asyncDispose]());

describeBlobStore(kuboDaemon);
describeContents(kuboDaemon);
describeServer(kuboDaemon);
