import { type ApiSettings, DEFAULT_API_SETTINGS } from "@twentysix/core-node/settings";
import type { NodeConfig } from "./config/index.ts";

/** The limits of the API that the operator may set; the others have their defaults. */
export function apiSettingsOf(config: NodeConfig, gracePeriodMs: number): ApiSettings {
  const { uploads, rate, websocket, ...others } = DEFAULT_API_SETTINGS;
  return {
    ...others,
    maxJsonBodyBytes: config.maxBodySizeBytes,
    trustedProxies: config.trustedProxies,
    gracePeriodMs,
    uploads: {
      ...uploads,
      maxJsonBytes: config.maxJsonUploadBytes,
      maxStorageFileBytes: config.maxStorageUploadBytes,
      maxUnauthenticatedFileBytes: config.maxUnsignedUploadBytes,
      maxIpfsFileBytes: config.maxIpfsUploadBytes,
      maxCarBytes: config.maxCarUploadBytes,
      maxMetadataBytes: config.maxBodySizeBytes,
      maxConcurrent: config.maxConcurrentUploads,
      maxGracePeriodBytes: config.maxGracePeriodBytes ?? Number.POSITIVE_INFINITY,
    },
    rate: { ...rate, perSecond: config.rateLimitPerSecond, burst: config.rateLimitBurst },
    websocket: {
      ...websocket,
      maxMessageConnections: config.maxWebsockets,
      maxStatusConnections: config.maxStatusWebsockets,
    },
  };
}
