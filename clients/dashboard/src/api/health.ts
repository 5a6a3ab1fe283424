// How the installation is, for its operator.

import { createClient } from "@connectrpc/connect";
import type { Health } from "@gen/acontext/health/v1/health_pb";
import { HealthService } from "@gen/acontext/health/v1/health_service_pb";

import { createTransport } from "../transport";

/** Ask every service and engine how it is; the key is the operator's. */
export async function readHealth(operatorKey: string): Promise<Health | undefined> {
  const { health } = await createClient(HealthService, createTransport(operatorKey)).getHealth({});
  return health;
}
