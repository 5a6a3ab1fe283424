// Typed clients of every service, for browsers and Node.

import { createClient, type Client, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { DiskService } from "./gen/acontext/disk/v1/disk_service_pb.js";
import { TaskService } from "./gen/acontext/observer/v1/task_service_pb.js";
import { ProjectService } from "./gen/acontext/session/v1/project_service_pb.js";
import { SessionService } from "./gen/acontext/session/v1/session_service_pb.js";
import { SkillService } from "./gen/acontext/space/v1/skill_service_pb.js";
import { SpaceService } from "./gen/acontext/space/v1/space_service_pb.js";

export { reasonOf } from "./errors.js";

/** Where Acontext is, and the key that opens a project there. */
export interface Options {
  /** Address of the gateway without a path, such as `http://localhost:8029`. */
  baseUrl: string;
  /** A project's key, `sk-ac-…`. */
  apiKey: string;
}

/** One client per service, all on one transport. */
export interface Acontext {
  projects: Client<typeof ProjectService>;
  sessions: Client<typeof SessionService>;
  disks: Client<typeof DiskService>;
  tasks: Client<typeof TaskService>;
  spaces: Client<typeof SpaceService>;
  skills: Client<typeof SkillService>;
}

/** Make clients that speak gRPC-Web and send the key with every call. Nothing is sent yet. */
export function createAcontext({ baseUrl, apiKey }: Options): Acontext {
  const transport = createGrpcWebTransport({ baseUrl, interceptors: [withKey(apiKey)] });
  return {
    projects: createClient(ProjectService, transport),
    sessions: createClient(SessionService, transport),
    disks: createClient(DiskService, transport),
    tasks: createClient(TaskService, transport),
    spaces: createClient(SpaceService, transport),
    skills: createClient(SkillService, transport),
  };
}

function withKey(apiKey: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${apiKey}`);
    return next(request);
  };
}
