// A whole embedded Acontext for the journeys: its own folder and ports, data through its API.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { DiskService } from "@gen/acontext/disk/v1/disk_service_pb";
import { TaskService } from "@gen/acontext/observer/v1/task_service_pb";
import { ProjectService } from "@gen/acontext/session/v1/project_service_pb";
import { SessionService } from "@gen/acontext/session/v1/session_service_pb";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";
import { SpaceService } from "@gen/acontext/space/v1/space_service_pb";

export const KEY = "sk-ac-your-root-api-bearer-token";
const TOP = join(import.meta.dirname, "../../..");
const PYTHON = join(TOP, ".venv/bin/python");
const START_MS = 120_000;

/** Where a system is, as the environment tells the workers. */
export interface Place {
  folder: string;
  port: number;
  dashboardPort: number;
}

export function place(): Place {
  return JSON.parse(process.env["DASHBOARD_PLACE"] ?? "") as Place;
}

export const dashboard = (): string => `http://127.0.0.1:${place().dashboardPort}`;

export class System {
  private process: ChildProcess | undefined;

  constructor(readonly where: Place) {}

  static async inOwnFolder(): Promise<System> {
    const folder = mkdtempSync(join(tmpdir(), "acontext-dashboard-"));
    return new System({ folder, port: await freePort(), dashboardPort: await freePort() });
  }

  async start(): Promise<void> {
    if (!existsSync(join(TOP, "services/acontext_server/gateway/dashboard/index.html"))) {
      throw new Error("the dashboard is not built: run `make dashboard`");
    }
    const log = openSync(join(this.where.folder, "all.log"), "a");
    this.process = spawn(PYTHON, ["-m", "acontext_server.all"], {
      env: { ...process.env, ...this.environment() },
      stdio: ["ignore", log, log],
      detached: true,
    });
    const deadline = Date.now() + START_MS;
    while (!(await this.isHealthy())) {
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(this.log());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Say why no other system starts where a dashboard is. */
  static async refusedAt(dashboardPort: number): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "acontext-refused-"));
    const other = new System({ folder, port: await freePort(), dashboardPort });
    const told = spawnSync(PYTHON, ["-m", "acontext_server.all"], {
      env: { ...process.env, ...other.environment() },
      encoding: "utf8",
      timeout: START_MS,
    });
    rmSync(folder, { recursive: true, force: true });
    return told.stderr;
  }

  async stop(): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGINT");
    await ended;
    rmSync(this.where.folder, { recursive: true, force: true });
  }

  /** Tell the demo's story to it: two sessions, their tasks, two skills, a file. */
  tellTheStory(): void {
    const told = spawnSync(PYTHON, ["-m", "acontext_server.demo"], {
      env: { ...process.env, ...this.environment() },
      encoding: "utf8",
    });
    if (told.status !== 0) throw new Error(told.stdout + told.stderr);
  }

  private environment(): Record<string, string> {
    return {
      ACONTEXT_DATA_FOLDER: join(this.where.folder, "db"),
      ACONTEXT_PORT: String(this.where.port),
      ACONTEXT_DASHBOARD_PORT: String(this.where.dashboardPort),
    };
  }

  private async isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.where.dashboardPort}/health`)).ok;
    } catch {
      return false;
    }
  }

  private log(): string {
    return readFileSync(join(this.where.folder, "all.log"), "utf8");
  }
}

/** Read the key of the one who runs the system. */
export function operatorKey(): string {
  const kept = readFileSync(join(place().folder, "db/.env"), "utf8");
  return /ACONTEXT_ADMIN_KEY=(.*)/.exec(kept)?.[1] ?? "";
}

/** Kill the gateway; the supervisor starts it again. */
export function killGateway(): void {
  const found = spawnSync("pgrep", ["-f", join(place().folder, "db")], { encoding: "utf8" });
  for (const pid of found.stdout.trim().split("\n")) {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (command.includes("--config-path")) process.kill(Number(pid), "SIGKILL");
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export interface Api {
  projects: Client<typeof ProjectService>;
  sessions: Client<typeof SessionService>;
  tasks: Client<typeof TaskService>;
  spaces: Client<typeof SpaceService>;
  skills: Client<typeof SkillService>;
  disks: Client<typeof DiskService>;
}

export function api(key = KEY, where = place()): Api {
  const transport = createGrpcWebTransport({
    baseUrl: `http://127.0.0.1:${where.port}`,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${key}`);
        return next(request);
      },
    ],
  });
  return {
    projects: createClient(ProjectService, transport),
    sessions: createClient(SessionService, transport),
    tasks: createClient(TaskService, transport),
    spaces: createClient(SpaceService, transport),
    skills: createClient(SkillService, transport),
    disks: createClient(DiskService, transport),
  };
}

/** Store a message in OpenAI's form. */
export async function say(to: Api, sessionId: string, content: unknown, role = "user") {
  const blobJson = new TextEncoder().encode(JSON.stringify({ role, content }));
  return (await to.sessions.storeMessage({ sessionId, blobJson })).message;
}

export async function newSession(to: Api, more: { user?: string; spaceId?: string } = {}) {
  const { session } = await to.sessions.createSession(more);
  if (!session) throw new Error("no session was made");
  return session.id;
}

/** Put a text on a disk, as any program does. */
export async function putFile(
  diskId: string,
  folder: string,
  name: string,
  text: string,
  type: string,
) {
  const form = new FormData();
  form.append("file_path", folder);
  form.append("file", new Blob([text], { type }), name);
  const answer = await fetch(`http://127.0.0.1:${place().port}/api/v1/disk/${diskId}/artifact`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}` },
    body: form,
  });
  if (!answer.ok) throw new Error(await answer.text());
}
