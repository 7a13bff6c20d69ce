import type { Recalculation } from "../api/economy/economy-services.ts";
import { ApiError } from "../api/errors.ts";
import type {
  DownloadServices,
  GatewayServices,
  StateRoot,
  Submit,
  UploadServices,
} from "../api/services.ts";
import type { FileCustody } from "../peers/custody/custody.ts";

/** What a replica answers to whatever would change something. */
function refuse(): never {
  throw new ApiError(
    "API_READ_ONLY",
    "This is a replica that only reads: send this to the node that writes to the database",
    {},
    { "retry-after": "5" },
  );
}

export const refuseSubmissions: Submit = async () => refuse();

export const refuseUploads: UploadServices = {
  ipfsEnabled: true,
  inspectStore: async () => refuse(),
  checkFunds: async () => refuse(),
  stageFile: async () => refuse(),
  stageCar: async () => refuse(),
  reserveGrace: async () => refuse(),
  registerFile: async () => refuse(),
};

/** The trees follow the log by the writer's hand alone. */
export const refuseStateRoot = async (): Promise<StateRoot> => refuse();

/** Costs are computed anew by whoever writes them. */
export const noRecalculation: Recalculation = {
  job: null,
  start: () => refuse(),
  settled: async () => {},
  one: async () => refuse(),
};

/** A replica has the records of files and not their bytes: that they are not here does not mean that they are gone. */
export const refuseDownloads: DownloadServices = {
  isHeld: async () => refuseBytes(),
  isServed: async () => refuseBytes(),
  openFile: async () => refuseBytes(),
  openTar: async () => refuseBytes(),
};

export const refuseGateway: GatewayServices = { find: async () => refuseBytes() };

/** Whom files are with is known to the node that has peers. */
export const refuseCustody = async (): Promise<FileCustody | null> => refuseBytes();

function refuseBytes(): never {
  throw new ApiError(
    "API_READ_ONLY",
    "This is a replica without files: ask the node that writes to the database, or another one, for the bytes",
    {},
    { "retry-after": "5" },
  );
}
