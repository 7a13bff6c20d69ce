import {
  accountAddress,
  cidrRange,
  evmAddresses,
  ipAddresses,
  itemHash,
  url,
  urls,
} from "./compute-kinds.ts";
import { integer, port } from "./number-kind.ts";
import { define } from "./option-definition.ts";
import { orWord } from "./option-kind.ts";
import { size } from "./size-kind.ts";
import { choice, host, path, program } from "./text-kinds.ts";

const MIB_512 = 512 * 2 ** 20;

/** Settings of a compute node (role `crn`). Source of what they mean: aleph-vm `src/aleph/vm/conf.py`. */
export const COMPUTE_OPTIONS = {
  computeHost: define({
    name: "compute-host",
    kind: host(),
    defaultText: "127.0.0.1",
    help: "Address that the compute node's HTTP API listens on; 0.0.0.0 or :: opens it to other machines.",
  }),
  computePort: define({
    name: "compute-port",
    kind: port(),
    defaultText: "4020",
    help: "Port of the compute node's HTTP API; 0 takes any free one.",
  }),
  computeDomain: define({
    name: "compute-domain",
    kind: orWord(host(), "listened"),
    defaultText: "listened",
    help: "Public host name of the compute node, without a port: what owners sign for, and below which functions have names of their own. As listened means the address that its API listens on.",
  }),
  coreNodes: define({
    name: "core-nodes",
    kind: urls(),
    defaultText: "",
    help: "APIs of core nodes that a compute node or scheduler reads messages from; empty means this process, which has the role ccn then. Several are asked before a machine is stopped.",
  }),
  computeNodeHash: define({
    name: "compute-node-hash",
    kind: orWord(itemHash(), "registry"),
    defaultText: "registry",
    help: "Hash of the post that registered the compute node; registry looks for the one of its owner that names its address.",
  }),
  computeOwner: define({
    name: "compute-owner",
    kind: orWord(accountAddress(), "none"),
    defaultText: "none",
    help: "Address that the compute node is registered by.",
  }),
  paymentReceiver: define({
    name: "payment-receiver",
    kind: orWord(accountAddress(), "owner"),
    defaultText: "owner",
    help: "Address that streams of payment for machines of this node go to.",
  }),
  allocationSigners: define({
    name: "allocation-signers",
    kind: evmAddresses(),
    defaultText: "",
    help: "Addresses of schedulers that may place machines here; empty means those of the network.",
  }),
  checkProgram: define({
    name: "check-program",
    kind: orWord(itemHash(), "none"),
    defaultText: "none",
    help: "Hash of the diagnostic program that `/status/check/fastapi` and `/status/check/ipv6` run here.",
  }),
  checkLegacyProgram: define({
    name: "check-legacy-program",
    kind: orWord(itemHash(), "none"),
    defaultText: "none",
    help: "The same for `/status/check/fastapi/legacy`.",
  }),
  vmNetwork: define({
    name: "vm-network",
    kind: choice(["auto", "tap", "user"]),
    defaultText: "auto",
    help: "How machines reach the network: tap gives each a device of its own and needs root, user goes through QEMU and is reached by forwarded ports alone; auto takes tap where it may.",
  }),
  vmBandwidth: define({
    name: "vm-bandwidth",
    kind: orWord(integer({ min: 1, max: 999_999, placeholder: "MBIT" }), "unlimited"),
    defaultText: "unlimited",
    help: "What each machine may send, and receive, in megabits a second on average; needs devices of their own.",
  }),
  vmDiskBandwidth: define({
    name: "vm-disk-bandwidth",
    kind: orWord(integer({ min: 1, max: 9_999, placeholder: "MIB" }), "unlimited"),
    defaultText: "unlimited",
    help: "What each machine may read from and write to its disks together, in MiB a second for each of its processors.",
  }),
  vmVsockDevice: define({
    name: "vm-vsock-device",
    kind: program(),
    defaultText: "vhost-device-vsock",
    help: "Program of rust-vmm that gives a machine a vsock device, by name or by path; runtimes that bring an init of their own need it.",
  }),
  runtimeInit: define({
    name: "runtime-init",
    kind: choice(["agent", "own"]),
    defaultText: "agent",
    help: "What runs first in the machine of a function: agent is ours, with starts from snapshots, streams and WebSockets, and the runtime's own init only where it cannot run; own is the runtime's init wherever it has one and this machine has vsock.",
  }),
  vmIpv4Pool: define({
    name: "vm-ipv4-pool",
    kind: cidrRange(4),
    defaultText: "172.16.0.0/12",
    help: "Private IPv4 addresses of machines: each takes a /24.",
  }),
  vmIpv6Pool: define({
    name: "vm-ipv6-pool",
    kind: cidrRange(6),
    defaultText: "fc00:1:2:3::/64",
    help: "IPv6 addresses of machines, a /64 or /56; a public one makes them reachable from everywhere.",
  }),
  vmIpv6Policy: define({
    name: "vm-ipv6-policy",
    kind: choice(["static", "dynamic"]),
    defaultText: "static",
    help: "Whether the IPv6 address of a machine follows from its hash, or is the next free one.",
  }),
  vmDns: define({
    name: "vm-dns",
    kind: orWord(ipAddresses(), "host"),
    defaultText: "host",
    help: "Resolvers that machines are told of; host means those of this machine.",
  }),
  vmFirstPort: define({
    name: "vm-first-port",
    kind: integer({ min: 1_024, max: 65_000, placeholder: "PORT" }),
    defaultText: "24000",
    help: "First port of this machine that is forwarded to ports of guests; nodes that share a machine need ranges of their own.",
  }),
  vmHttpPort: define({
    name: "vm-http-port",
    kind: orWord(port(), "none"),
    defaultText: "none",
    help: "Port on which HTTP for custom domains of instances goes to port 80 of their machines, by the host that is asked for; everything else goes to the compute node. Usually 80.",
  }),
  vmTlsPort: define({
    name: "vm-tls-port",
    kind: orWord(port(), "none"),
    defaultText: "none",
    help: "Port on which TLS for custom domains of instances goes unopened to port 443 of their machines, by the server that is named. Usually 443.",
  }),
  vmImagesDir: define({
    name: "vm-images-dir",
    kind: orWord(path("DIR"), "cache"),
    defaultText: "cache",
    help: "Folder of kernel and initial file system of functions; cache means where `twentysix image build` leaves them, in the cache of this user.",
  }),
  vmImageBuild: define({
    name: "vm-image-build",
    kind: choice(["auto", "off"]),
    defaultText: "auto",
    help: "Whether the node builds kernel and initial file system of functions in the background when they are missing, or older than it is; off leaves that to `twentysix image build`.",
  }),
  vmImageMirror: define({
    name: "vm-image-mirror",
    kind: orWord(url(), "debian"),
    defaultText: "debian",
    help: "Mirror of Debian that the node gets packages for them from.",
  }),
  vmCacheBytes: define({
    name: "vm-cache",
    kind: size(MIB_512),
    defaultText: "50GiB",
    unit: "bytes",
    help: "Most disk space for files that machines are made of, beside those of machines that are here.",
  }),
} as const;
