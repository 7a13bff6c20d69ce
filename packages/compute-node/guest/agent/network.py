"""Addresses of the machine."""

import os
import subprocess

#: What the machine has from its start, on a network of QEMU's own.
START_ADDRESS = "10.0.2.15"


def interface_name():
    names = sorted(name for name in os.listdir("/sys/class/net") if name not in ("lo", "sit0"))
    return names[0] if names else None


def set_network(network) -> None:
    """{"ip", "prefix", "gateway", "dns", "ipv6", "ipv6Gateway"}: replaces what the machine started with."""
    name = interface_name()
    if name is None or network is None:
        return
    servers = network.get("dns") or []
    if servers:
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.writelines(f"nameserver {server}\n" for server in servers)
    commands = address_commands(name, network)
    if commands:
        batch = "\n".join(commands) + "\n"
        subprocess.run(["ip", "-batch", "-"], input=batch.encode(), check=True)


def address_commands(name: str, network):
    commands = []
    ip = network.get("ip")
    if ip and ip != START_ADDRESS:
        prefix = "" if "/" in ip else f"/{network.get('prefix') or 24}"
        commands += [f"addr flush dev {name}", f"link set {name} up", f"addr add {ip}{prefix} dev {name}"]
        if network.get("gateway"):
            commands.append(f"route replace default via {network['gateway']} dev {name}")
    if network.get("ipv6"):
        ipv6 = network["ipv6"]
        # Nobody else has this address: no time is lost on asking for it.
        commands.append(f"addr add {ipv6 if '/' in ipv6 else ipv6 + '/124'} dev {name} nodad")
        if network.get("ipv6Gateway"):
            commands.append(f"route replace ::/0 via {network['ipv6Gateway']} dev {name}")
    return commands
