import { createApi } from "../../../src/api/create-api.ts";
import { type ApiSettings, DEFAULT_API_SETTINGS } from "../../../src/api/settings.ts";
import { createTestServices, type TestServices } from "./services.ts";

/** What a thing of a test lives with: the context of a test, or a suite that ends what it started. */
export interface Lifetime {
  after(end: () => Promise<void>): void;
}

export interface TestApi {
  readonly url: string;
  readonly wsUrl: string;
  readonly port: number;
  readonly services: TestServices;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: BodyInit, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
  json(path: string, init?: RequestInit): Promise<unknown>;
}

type Settings = Partial<Omit<ApiSettings, "uploads" | "rate" | "websocket" | "lists">> & {
  readonly lists?: Partial<ApiSettings["lists"]>;
  readonly uploads?: Partial<ApiSettings["uploads"]>;
  readonly rate?: Partial<ApiSettings["rate"]>;
  readonly websocket?: Partial<ApiSettings["websocket"]>;
};

/** An API on a free port for one test; everything ends with it. */
export async function startApi(
  context: Lifetime,
  {
    settings = {},
    services: parts = {},
  }: { settings?: Settings; services?: Parameters<typeof createTestServices>[0] } = {},
): Promise<TestApi> {
  const services = await createTestServices(parts);
  const api = await createApi(services, {
    ...DEFAULT_API_SETTINGS,
    gracePeriodMs: 86_400_000,
    ...settings,
    uploads: { ...DEFAULT_API_SETTINGS.uploads, ...settings.uploads },
    lists: { ...DEFAULT_API_SETTINGS.lists, ...settings.lists },
    rate: { ...DEFAULT_API_SETTINGS.rate, ...settings.rate },
    websocket: { ...DEFAULT_API_SETTINGS.websocket, ...settings.websocket },
  });
  const url = await api.listen({ host: "127.0.0.1", port: 0 });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await api.close();
    isOpen = false;
  };
  context.after(async () => {
    await close();
    await services.files.remove();
  });
  return {
    url,
    wsUrl: url.replace("http", "ws"),
    port: Number(new URL(url).port),
    services,
    close,
    get: (path, init) => fetch(url + path, init),
    post: (path, body, init) => fetch(url + path, { method: "POST", body, ...init }),
    json: async (path, init) => (await fetch(url + path, init)).json(),
  };
}
