import type { FastifyInstance } from "fastify";
import type { ControlServices } from "../control-services.ts";
import { sendJson } from "../http/send.ts";

const MINUTE_MS = 60_000;

/** What is used and what is left; kB are 1000 bytes. What is ours: `head_room`, `accelerator`. */
export function addUsageRoutes(
  app: FastifyInstance,
  services: ControlServices,
  isActive: () => boolean,
): void {
  const { host, admission, clock, capabilities } = services;
  app.get("/about/usage/system", async (_request, reply) => {
    await admission.measure();
    const [memory, disk] = await Promise.all([host.memory(), host.disk()]);
    const [load1, load5, load15] = host.load();
    const { cpu } = host;
    const room = admission.headRoom();
    const nowMs = Number(clock.nowMicros() / 1_000n);
    return sendJson(reply, {
      cpu: {
        count: cpu.count,
        load_average: { load1, load5, load15 },
        core_frequencies: cpu.frequencyMhz,
      },
      mem: {
        total_kB: Math.ceil(memory.totalBytes / 1_000),
        available_kB: Math.floor(memory.availableBytes / 1_000),
      },
      disk: {
        total_kB: Math.floor(disk.totalBytes / 1_000),
        available_kB: Math.floor((room.diskMib * 1_048_576) / 1_000),
      },
      period: {
        start_timestamp: new Date(nowMs - (nowMs % MINUTE_MS)).toISOString().replace(".000Z", "Z"),
        duration_seconds: 60,
      },
      properties: { cpu: { architecture: cpu.architecture, vendor: cpu.vendor, features: cpu.features } },
      gpu: { devices: [], available_devices: [] },
      active: isActive(),
      head_room: {
        vcpus: room.vcpus,
        instance_memory_mib: room.instanceMemoryMib,
        program_memory_mib: room.programMemoryMib,
        disk_mib: room.diskMib,
      },
      accelerator: capabilities().accelerator,
    });
  });
  app.get("/about/capability", async (_request, reply) => {
    const { cpu } = host;
    const { totalBytes } = await host.memory();
    return sendJson(reply, {
      cpu: {
        architecture: cpu.architecture,
        vendor: cpu.vendor,
        features: cpu.features,
        model: cpu.model,
        frequency: Math.round(cpu.frequencyMhz.max * 1e6),
        count: cpu.count,
      },
      memory: { size: totalBytes, units: "bytes", type: null, clock: null, clock_units: null },
    });
  });
}
