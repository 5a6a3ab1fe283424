// Acontext for Node and browsers.

export * from "./agent/disk.js";
export { SearchSkillsTool, type SkillContext, SkillToolPool } from "./agent/skills.js";
export { Toolkit } from "./agent/toolkit.js";
export * from "./agent/tools.js";
export { AcontextClient, type AcontextClientOptions } from "./client.js";
export {
  AcontextError,
  APIError,
  type FieldViolation,
  type Reason,
  reasonOf,
  TransportError,
} from "./errors.js";
export {
  AcontextMessage,
  type AcontextMessageInput,
  buildAcontextMessage,
  MessagePart,
  type MessagePartInput,
} from "./messages.js";
export type * from "./models.js";
export type { CallOptions, Page, PageOptions } from "./paging.js";
export { BlocksAPI } from "./resources/blocks.js";
export { DiskArtifactsAPI, DisksAPI, type FileName } from "./resources/disks.js";
export { KeysAPI, type ProjectChoice, ProjectsAPI } from "./resources/projects.js";
export { RunsAPI } from "./resources/runs.js";
export {
  type Exchange,
  type MessageBlob,
  type ReadOptions,
  type SessionFilter,
  SessionsAPI,
  type StoreOptions,
} from "./resources/sessions.js";
export { SkillsAPI, type SkillUseFilter } from "./resources/skills.js";
export { type SearchOptions, SpacesAPI } from "./resources/spaces.js";
export { type TaskFilter, TasksAPI, type WatchTasksOptions } from "./resources/tasks.js";
export { ToolsAPI } from "./resources/tools.js";
export { UsersAPI } from "./resources/users.js";
export type { Options } from "./settings.js";
export { type Acontext, createAcontext } from "./typed.js";
export { type FileBytes, FileUpload, type Upload } from "./uploads.js";
