import { after } from "node:test";
import { describeBlobStore } from "./engines/blob-suite.ts";
import { describeContents } from "./engines/content-suite.ts";
import { s3 } from "./engines/s3.ts";
import { describeServer } from "./engines/server-suite.ts";

after(() => s3[Symbol.asyncDispose]());

describeBlobStore(s3);
describeContents(s3);
describeServer(s3);
