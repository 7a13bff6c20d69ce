/** A process of its own for `user-internet-probe.test.ts`: tells as JSON what a helper with rights finds on its host. */
import { machineUsers } from "../../src/helper/machine-user.ts";
import { userInternetProblem } from "../../src/helper/user-internet/user-internet-probe.ts";

const problem = await userInternetProblem(machineUsers(0), AbortSignal.timeout(30_000));
process.stdout.write(JSON.stringify(problem));
