import { describeBlobStore } from "./engines/blob-suite.ts";
import { describeContents } from "./engines/content-suite.ts";
import { filesOnDisk } from "./engines/files.ts";

describeBlobStore(filesOnDisk);
describeContents(filesOnDisk);
