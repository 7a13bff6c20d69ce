import { connect, type Namespace, namespace, Processes } from "./namespace.ts";

/** A host with a way to the outside, and a private network beside it. */
export interface HostSurroundings extends AsyncDisposable {
  readonly host: Namespace;
  /** 203.0.113.9, 2001:db8:1::9: behind 198.51.100.1 and 2001:db8:1::1 of the host. */
  readonly outside: Namespace;
  /** 192.168.77.5, behind 192.168.77.1 of the host. */
  readonly lan: Namespace;
  readonly processes: Processes;
}

export async function hostSurroundings(): Promise<HostSurroundings> {
  const processes = new Processes();
  const host = await namespace(processes, null);
  const outside = await namespace(processes, "outside");
  const lan = await namespace(processes, "lan");
  await connect(host, outside, {
    devices: ["out0", "eth0"],
    addresses: [
      ["198.51.100.1/24", "2001:db8:1::1/64"],
      ["198.51.100.9/24", "203.0.113.9/32", "2001:db8:1::9/64"],
    ],
  });
  await connect(host, lan, {
    devices: ["lan0", "eth0"],
    addresses: [["192.168.77.1/24"], ["192.168.77.5/24"]],
  });
  await host.run("ip", "route", "add", "default", "via", "198.51.100.9");
  await host.run("ip", "-6", "route", "add", "default", "via", "2001:db8:1::9");
  await outside.run("ip", "-6", "route", "add", "2001:db8:1:2::/64", "via", "2001:db8:1::1");
  // The way back that a real network does not have: spoofed packets would arrive, and their answers too.
  await outside.run("ip", "route", "add", "default", "via", "198.51.100.1");
  await lan.run("ip", "route", "add", "default", "via", "192.168.77.1");
  return {
    host,
    outside,
    lan,
    processes,
    async [Symbol.asyncDispose]() {
      await processes[Symbol.asyncDispose]();
      for (const device of ["out0", "lan0"]) await host.run("ip", "link", "delete", "dev", device);
      for (const { name } of [outside, lan]) await host.run("ip", "netns", "delete", name);
      const guests = (await host.run("ip", "netns", "list")).match(/^guest\d+/gm) ?? [];
      for (const name of guests) await host.run("ip", "netns", "delete", name);
    },
  };
}
