/** Whether the node takes new work, and why not. */
export interface NodeHealth {
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

export interface HealthCheck {
  readonly ok: boolean;
  readonly message: string;
}

export interface HealthParts {
  readonly isHelperConnected: () => boolean;
  /** Since a core node answered; null: none has. */
  readonly coreNodeAgeMs: () => number | null;
  readonly contactMaxAgeMs: number;
  /** Why no function can be booted; null: one can. */
  readonly imagesProblem: () => string | null;
}

/** Ready for new machines: the helper starts them, core nodes say what they are, and functions have what they boot with. */
export function createHealth(parts: HealthParts): () => NodeHealth {
  return () => {
    const helper = parts.isHelperConnected();
    const images = parts.imagesProblem();
    const checks = {
      helper: { ok: helper, message: helper ? "connected" : "the host helper cannot be reached" },
      coreNodes: contactCheck(parts.coreNodeAgeMs(), parts.contactMaxAgeMs),
      images: { ok: images === null, message: images ?? "functions can be booted" },
    };
    return { isReady: Object.values(checks).every(({ ok }) => ok), checks };
  };
}

function contactCheck(ageMs: number | null, maxAgeMs: number): HealthCheck {
  if (ageMs === null) return { ok: false, message: "no core node has answered since the start" };
  return { ok: ageMs <= maxAgeMs, message: `a core node answered ${Math.round(ageMs / 1_000)} s ago` };
}
