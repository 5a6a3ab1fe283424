// Services that a test scripts, behind the client's own transport.

import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createRouterTransport,
  type ServiceImpl,
} from "@connectrpc/connect";

import { SessionService } from "../src/gen/acontext/session/v1/session_service_pb.js";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { settingsOf } from "../src/settings.js";
import { type Acontext, interceptors, telling, typedClients } from "../src/typed.js";

/** Make clients of services that say what the test wants. */
export function serving(routes: (router: ConnectRouter) => void, retries = 2): Acontext {
  const settings = settingsOf({ baseUrl: "http://nowhere", apiKey: "sk-ac-test", retries });
  const transport = { interceptors: interceptors(settings) };
  return typedClients(telling(createRouterTransport(routes, { transport })));
}

/** Make clients of a session service. */
export function sessionsOf(
  service: Partial<ServiceImpl<typeof SessionService>>,
  retries?: number,
): Acontext {
  return serving((router) => router.service(SessionService, service), retries);
}

/** What an engine that is away makes a service say. */
export function away(): ConnectError {
  return refusal(Code.Unavailable, "UNAVAILABLE");
}

/** A refusal as services word it. */
export function refusal(
  code: Code,
  reason: string,
  metadata: Record<string, string> = {},
): ConnectError {
  const info = create(ErrorInfoSchema, { domain: "acontext.session", reason, metadata });
  const details = [{ desc: ErrorInfoSchema, value: info }];
  return new ConnectError(reason.toLowerCase(), code, { "x-request-id": "req-1" }, details);
}
