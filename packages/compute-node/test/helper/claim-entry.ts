import { claimMachineUsers } from "../../src/helper/claim-machine-users.ts";

/** `node claim-entry.ts NODE-FOLDER USERS-FOLDER`: claims users as a helper does, and writes the first. */
const [, , dir = "", usersFolder = ""] = process.argv;
process.stdout.write(String(claimMachineUsers(dir, usersFolder).of(0)));
