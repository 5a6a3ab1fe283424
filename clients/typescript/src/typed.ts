// Typed clients of every service on one transport, which authenticates, retries and tells errors.

import { create, type DescMessage } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  createClient,
  type Interceptor,
  type Transport,
  type UnaryRequest,
} from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { errorFrom } from "./errors.js";
import { DiskService } from "./gen/acontext/disk/v1/disk_service_pb.js";
import { HealthService } from "./gen/acontext/health/v1/health_service_pb.js";
import { RunService } from "./gen/acontext/observer/v1/run_service_pb.js";
import { TaskService } from "./gen/acontext/observer/v1/task_service_pb.js";
import { ProjectService } from "./gen/acontext/session/v1/project_service_pb.js";
import { SessionService } from "./gen/acontext/session/v1/session_service_pb.js";
import { SkillService } from "./gen/acontext/space/v1/skill_service_pb.js";
import { SpaceService } from "./gen/acontext/space/v1/space_service_pb.js";
import { newRequestId } from "./ids.js";
import { retrying } from "./retrying.js";
import { gatewayOf, type Options, settingsOf } from "./settings.js";

/** One client per service, all on one transport. */
export interface Acontext {
  projects: Client<typeof ProjectService>;
  sessions: Client<typeof SessionService>;
  disks: Client<typeof DiskService>;
  tasks: Client<typeof TaskService>;
  runs: Client<typeof RunService>;
  spaces: Client<typeof SpaceService>;
  skills: Client<typeof SkillService>;
  health: Client<typeof HealthService>;
}

/**
 * Make clients that speak gRPC-Web, for Node and browsers. Nothing is sent yet.
 *
 * Calls that the contracts mark as repeatable are retried, and so are writes that carry a request
 * id; one that has none is given one, so a retry never stores twice. Errors are APIError, or
 * TransportError where nobody answered.
 */
export function createAcontext(options: Options): Acontext {
  return typedClients(createTransport(settingsOf(options)));
}

/** Make the clients of every service on a transport. */
export function typedClients(transport: Transport): Acontext {
  return {
    projects: createClient(ProjectService, transport),
    sessions: createClient(SessionService, transport),
    disks: createClient(DiskService, transport),
    tasks: createClient(TaskService, transport),
    runs: createClient(RunService, transport),
    spaces: createClient(SpaceService, transport),
    skills: createClient(SkillService, transport),
    health: createClient(HealthService, transport),
  };
}

function createTransport(settings: Required<Options>): Transport {
  return telling(
    createGrpcWebTransport({
      baseUrl: gatewayOf(settings.baseUrl),
      defaultTimeoutMs: settings.timeout,
      interceptors: interceptors(settings),
    }),
  );
}

/** What happens around every call, the outermost first. */
export function interceptors(settings: Required<Options>): Interceptor[] {
  return [withKey(settings), withRequestId, withRetries(settings.retries)];
}

function withKey({ apiKey, userAgent }: Required<Options>): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${apiKey}`);
    // Browsers keep `user-agent` to themselves; this one is gRPC-Web's own.
    request.header.set("x-user-agent", userAgent);
    return next(request);
  };
}

const withRequestId: Interceptor = (next) => (request) =>
  next(request.stream ? request : { ...request, message: identified(request) });

function withRetries(retries: number): Interceptor {
  return (next) => (request) =>
    mayRepeat(request.method.idempotency) || (!request.stream && requestIdOf(request))
      ? retrying(() => next(request), { retries, signal: request.signal })
      : next(request);
}

function mayRepeat(level: Level | undefined): boolean {
  return level === Level.NO_SIDE_EFFECTS || level === Level.IDEMPOTENT;
}

function identified(request: UnaryRequest): UnaryRequest["message"] {
  if (requestIdOf(request) !== undefined || !takesRequestId(request.method.input)) {
    return request.message;
  }
  const { $typeName: _, ...fields } = request.message;
  return create(request.method.input, { ...fields, requestId: newRequestId() });
}

function takesRequestId(input: DescMessage): boolean {
  return input.fields.some((field) => field.localName === "requestId");
}

function requestIdOf(request: UnaryRequest): unknown {
  return "requestId" in request.message ? request.message.requestId : undefined;
}

/** Throw this client's errors instead of Connect's. */
export function telling(transport: Transport): Transport {
  return {
    unary: (...call) => transport.unary(...call).catch(fail),
    stream: async (...call) => {
      const answer = await transport.stream(...call).catch(fail);
      return { ...answer, message: tellingEach(answer.message) };
    },
  };
}

async function* tellingEach<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  throw errorFrom(error);
}
