import { createServer } from "node:net";

/** All that listens does so on this machine alone. */
export const HOST = "127.0.0.1";

export interface PortPlan {
  readonly core: readonly { readonly api: number; readonly p2p: number }[];
  readonly evm: number;
  readonly faucet: number;
  readonly compute: readonly number[];
  /** null where nothing is scheduled. */
  readonly scheduler: number | null;
}

/**
 * Two ports a core node from the base port on, then the chain, then the faucet of the first node; where there are
 * compute nodes, one for each and one for the scheduler.
 */
export function planPorts(basePort: number, coreNodes: number, computeNodes: number): PortPlan {
  const core = Array.from({ length: coreNodes }, (_, index) => ({
    api: basePort + 2 * index,
    p2p: basePort + 2 * index + 1,
  }));
  const next = basePort + 2 * coreNodes;
  const firstCompute = next + 2;
  return {
    core,
    evm: next,
    faucet: next + 1,
    compute: Array.from({ length: computeNodes }, (_, index) => firstCompute + index),
    scheduler: computeNodes === 0 ? null : firstCompute + computeNodes,
  };
}

/** Those on which nothing new can listen. */
export async function takenPorts(plan: PortPlan): Promise<readonly number[]> {
  const ports = [
    ...plan.core.flatMap(({ api, p2p }) => [api, p2p]),
    ...[plan.evm, plan.faucet, ...plan.compute],
    ...(plan.scheduler === null ? [] : [plan.scheduler]),
  ];
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  return taken;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
