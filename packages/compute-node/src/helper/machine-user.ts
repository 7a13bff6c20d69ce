/** Below are users of the host and of its containers. Nobody has a password, a home or files by these ids. */
const FIRST_USER_ID = 200_000;

/** As many as there are networks of machines: 4,096 networks of 256 addresses in 172.16.0.0/12. */
export const MAX_VM_NUMBER = 4_095;

/** Ids that one node of a host has: its machines, and the group that they share templates by. */
const RANGE_SIZE = 8_192;

/** Nodes of one host that are root. Above, up to 524,288, nobody has any; from there on systemd gives ids away. */
export const MAX_RANGES = 32;

/** Group of all machines of a host where only root may use its virtualisation otherwise. */
export const KVM_GROUP_ID = FIRST_USER_ID + MAX_VM_NUMBER + 2;

/** Group of the tools that read images of strangers where the node is root. */
export const IMAGE_TOOL_GROUP_ID = KVM_GROUP_ID + 1;

/** The rest of the first range, which no machine has. */
const IMAGE_TOOL_USERS = 4_000;

/** The users of these tools, in turn. */
export function imageToolUserOf(turn: number): number {
  return IMAGE_TOOL_GROUP_ID + 1 + (turn % IMAGE_TOOL_USERS);
}

/** Users of the machines of one node, which no other node of its host has. */
export interface MachineUsers {
  /** Group of all machines that share the memory of templates; no machine's own group. */
  readonly templateGroupId: number;
  /** The user, and group, that the process of a machine runs as where the helper is root: also the owner of its tap. */
  of(vmNumber: number): number;
  has(userId: number): boolean;
}

/** @param range which of the ranges of this host: see `claimMachineUsers` */
export function machineUsers(range: number): MachineUsers {
  if (!Number.isInteger(range) || range < 0 || range >= MAX_RANGES) {
    throw new RangeError(`range must be a whole number below ${MAX_RANGES}, got ${range}`);
  }
  const firstId = FIRST_USER_ID + range * RANGE_SIZE;
  return {
    templateGroupId: firstId + MAX_VM_NUMBER + 1,
    of(vmNumber) {
      if (!Number.isInteger(vmNumber) || vmNumber < 0 || vmNumber > MAX_VM_NUMBER) {
        throw new RangeError(`vmNumber must be a whole number up to ${MAX_VM_NUMBER}, got ${vmNumber}`);
      }
      return firstId + vmNumber;
    },
    has: (userId) => userId >= firstId && userId <= firstId + MAX_VM_NUMBER,
  };
}
