import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const AGENT = fileURLToPath(new URL("../../guest/agent", import.meta.url));
const isPossible = spawnSync("unshare", ["-n", "true"]).status === 0;
const skip = isPossible ? false : "needs a network namespace of its own, which only root may make here";

/** The agent sets the addresses of a device of the host's in a namespace that stands for the guest. */
test("a guest on a device of its own gets addresses and routes of both families", { skip }, () => {
  const network = {
    ip: "10.126.4.2",
    prefix: 24,
    gateway: "10.126.4.1",
    dns: [],
    ipv6: "fd26:26:26::11",
    ipv6Gateway: "fd26:26:26::10",
  };
  const program = [
    "import json, sys, network",
    "network.interface_name = lambda: 'guest0'",
    "network.set_network(json.loads(sys.argv[1]))",
  ].join("; ");
  const script = [
    "ip link add guest0 type veth peer name host0",
    "ip link set host0 up",
    `PYTHONPATH='${AGENT}' python3 -c "${program}" '${JSON.stringify(network)}'`,
    "ip -o addr show dev guest0",
    "ip route; ip -6 route",
  ].join(" && ");
  const { stdout, stderr, status } = spawnSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /inet 10\.126\.4\.2\/24/);
  assert.match(stdout, /inet6 fd26:26:26::11\/124/);
  assert.match(stdout, /default via 10\.126\.4\.1 dev guest0/);
  assert.match(stdout, /default via fd26:26:26::10 dev guest0/);
});
