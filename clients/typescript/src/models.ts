// What the methods of AcontextClient answer: the models of the REST dialect.

import type { Page } from "./paging.js";

/** JSON that belongs to the caller. */
export type FreeJson = Record<string, unknown>;

/** The form of a message: a provider's, or Acontext's own parts. */
export type Format = "acontext" | "openai" | "anthropic" | "gemini";

export interface Session {
  id: string;
  project_id: string;
  user_id?: string | null;
  /** Where its completed tasks are learned; null: nothing is learned from it. */
  space_id: string | null;
  disable_task_tracking: boolean;
  configs: FreeJson;
  created_at: string;
  updated_at: string;
}

export interface Message {
  id: string;
  session_id: string;
  /** The message before it in the session. */
  parent_id: string | null;
  role: string;
  meta: FreeJson;
  parts: Part[];
  /** The task it was linked to, once observed. */
  task_id: string | null;
  /** `pending`, `running`, `success` or `failed`. */
  session_task_process_status: string;
  created_at: string;
  updated_at: string;
  /** Position in the session's log, from 1, without gaps. */
  sequence: number;
  /** Why observing it failed; only in state `failed`. */
  failure?: string | null;
}

export interface Part {
  /** `text`, `image`, `audio`, `video`, `file`, `tool-call`, `tool-result`, `data`, `thinking`, … */
  type: string;
  text?: string | null;
  asset?: Asset | null;
  filename?: string | null;
  meta?: FreeJson | null;
}

export interface Asset {
  bucket: string;
  s3_key: string;
  etag: string;
  /** Lower-case hex. */
  sha256: string;
  mime: string;
  size_b: number;
}

export interface PublicURL {
  url: string;
  expire_at: string;
}

/** Messages, always oldest to newest. */
export interface GetMessagesOutput<Item = unknown> {
  /** In the form that was asked for; go straight back into a model's API. */
  items: Item[];
  /** `ids[i]` is the stored message behind `items[i]`. */
  ids: string[];
  next_cursor?: string | null;
  has_more: boolean;
  /** Tokens of the page after editing. */
  this_time_tokens: number;
  edit_at_message_id?: string | null;
  /** By sha256; only in form `acontext`. */
  public_urls?: Record<string, PublicURL> | null;
}

/** What the next model call needs, within its budget. */
export interface SessionContext<Item = unknown> {
  /** Preferences and condensed tasks, as one text for a system message; may be empty. */
  summary: string;
  items: Item[];
  ids: string[];
  /** Of summary and items. */
  tokens: number;
}

export interface TokenCounts {
  total_tokens: number;
}

/** Counts successful tasks; both are 0 without a space. */
export interface LearningStatus {
  space_digested_count: number;
  not_space_digested_count: number;
  /** Why learning waits for more than its turn. */
  paused?: string | null;
  /** Those of the not digested ones that the space tried to learn, and could not; absent at 0. */
  failed_count?: number;
}

/** Counts messages by how far they are observed. */
export interface MessageObservingStatus {
  observed: number;
  in_process: number;
  pending: number;
  failed: number;
  updated_at: string;
  /** Why what is pending waits for more than its turn. */
  paused?: string | null;
}

/** How long a session is, and how far it is observed. */
export interface SessionState {
  session_id: string;
  messages: number;
  observed: number;
  failed: number;
  tokens: number;
  /** Absent for an empty session. */
  last_stored_at?: string | null;
}

/** A session, and how it is doing. */
export interface SessionWithState {
  session: Session;
  state: SessionState;
}

export interface SessionStatistics {
  users: number;
  sessions: number;
  messages: number;
  tokens: number;
  message_bytes: number;
}

/** How a flush went: 200 done, 429 models pause, 500 some messages failed, 504 not done in time. */
export interface FlushResult {
  status: number;
  /** Empty if done, else why and how much is left. */
  errmsg: string;
  remaining?: number | null;
}

export interface Task {
  id: string;
  session_id: string;
  project_id: string;
  /** From 1, unique in the session, without gaps. */
  order: number;
  data: TaskData;
  /** `pending`, `running`, `success` or `failed`. */
  status: string;
  is_planning: boolean;
  /** Whether the session's space has dealt with it. */
  space_digested: boolean;
  created_at: string;
  updated_at: string;
  /** Counts every change of the task, from 1. */
  version: number;
  /** Who decided the status last: `observed`, or `set` by a caller. */
  outcome_by: string;
}

export interface TaskData {
  task_description: string;
  /** One line a milestone; absent if there are none. */
  progresses?: string[] | null;
  /** What the user expects; absent if nothing was said. */
  user_preferences?: string[] | null;
  sop_thinking?: string | null;
}

export interface TaskWithMessages {
  task: Task;
  /** The messages it came from, oldest first. */
  messages: TaskMessage[];
}

export interface TaskMessage {
  message_id: string;
  sequence: number;
}

/** One step of a task's life. */
export interface TaskChange {
  /** Where to resume a watch behind this change. */
  cursor: string;
  task: Task;
  /** True when the task was taken away. */
  removed: boolean;
  occurred_at: string;
}

export interface Reobservation {
  items: Task[];
  /** The generation before this one. */
  former: Task[];
  generation: number;
}

export interface Statistics {
  /** Oldest first, days without anything included. */
  days: DayStatistics[];
  observation_lag_seconds: number;
}

export interface DayStatistics {
  /** `2026-11-22`, in the asked time zone. */
  date: string;
  pending: number;
  running: number;
  success: number;
  failed: number;
  success_rate?: number | null;
  sessions: number;
  messages: number;
  messages_per_session: number;
  tasks_per_session: number;
}

/** One piece of work of Acontext's own agents, with what it cost and how it ended. */
export interface Run {
  id: string;
  project_id: string;
  role: string;
  engine: string;
  instruction_version: string;
  session_id?: string | null;
  task_id?: string | null;
  space_id?: string | null;
  rounds: number;
  tool_calls: number;
  input_tokens: number;
  output_tokens: number;
  cost?: number | null;
  duration_seconds: number;
  outcome: string;
  error?: string | null;
  created_at: string;
  summary: string;
}

/** What models took of the project's budget in a calendar month. */
export interface TokenUse {
  /** Such as `2026-11`. */
  month: string;
  tokens: number;
  budget?: number | null;
  /** Models wait for a larger budget or the next month. */
  paused: boolean;
  roles: RoleUse[];
}

export interface RoleUse {
  role: string;
  runs: number;
  input_tokens: number;
  output_tokens: number;
  cost?: number | null;
}

export interface DiskStatistics {
  disks: number;
  artifacts: number;
  bytes: number;
}

export interface Disk {
  id: string;
  project_id: string;
  user_id?: string | null;
  created_at: string;
  updated_at: string;
}

export interface Artifact {
  disk_id: string;
  /** The directory, with a leading and a trailing slash. */
  path: string;
  filename: string;
  /** `__artifact_info__` beside the caller's own keys. */
  meta: FreeJson;
  created_at: string;
  updated_at: string;
}

export interface FileContent {
  /** `json`, `csv`, `code` or `text`. */
  type: string;
  raw: string;
}

export interface GetArtifactResp {
  artifact: Artifact;
  /** Opens without a key until it expires. */
  public_url?: string | null;
  /** Absent if the file has no text of a known kind. */
  content?: FileContent | null;
}

export interface ListArtifactsResp {
  artifacts: Artifact[];
  directories: string[];
}

export interface UpdateArtifactResp {
  artifact: Artifact;
}

export interface Space {
  id: string;
  project_id: string;
  user_id?: string | null;
  configs: FreeJson;
  created_at: string;
  updated_at: string;
}

export interface Block {
  id: string;
  space_id: string;
  /** `folder`, `page`, `sop` or `text`. */
  type: string;
  parent_id?: string | null;
  title: string;
  props: FreeJson;
  sort: number;
  is_archived: boolean;
  created_at: string;
  updated_at: string;
}

export interface InsertBlockResponse {
  id: string;
}

export interface SearchResultBlockItem {
  block_id: string;
  title: string;
  type: string;
  /** Of a sop `use_when`, `preferences` and `tool_sops`; of a text `use_when` and `notes`. */
  props: FreeJson;
  /** Cosine distance to the query, 0 to 2. */
  distance: number;
  /** The version that was served; 0 for a text. */
  skill_version: number;
}

export interface SpaceSearchResult {
  /** Best first; empty when nothing is relevant. */
  cited_blocks: SearchResultBlockItem[];
  final_answer?: string | null;
}

/** How near to its query a skill must be for a fast search to answer it. */
export interface SearchThreshold {
  /** Cosine distance, 0 to 2, beyond which nothing is answered. */
  threshold: number;
  /**
   * How much nearer a skill must be, per likeness of the query to the rest of the space; 0 where
   * the threshold alone counts.
   */
  crowding: number;
  /** `space`, `project` or `embedder`, which is calibrated. */
  set_by: string;
}

export interface ExperienceConfirmation {
  id: string;
  space_id: string;
  task_id?: string | null;
  experience_data: FreeJson;
  created_at: string;
  updated_at: string;
}

/** One `SKILL.md` of a space. */
export interface SkillFile {
  path: string;
  text: string;
}

/** When to use a skill, what is preferred, which steps work. */
export interface Sop {
  use_when: string;
  preferences: string;
  tool_sops: ToolSop[];
}

export interface ToolSop {
  tool_name: string;
  action: string;
}

export interface Skill {
  id: string;
  space_id: string;
  page_title: string;
  sop: Sop;
  /** The version in force, from 1. */
  version: number;
  archived: boolean;
  created_at: string;
  updated_at: string;
}

export interface SkillWithHistory {
  skill: Skill;
  /** Newest first. */
  versions: SkillVersion[];
  /** The newest 100. */
  exposures: Exposure[];
}

export interface SkillVersion {
  version: number;
  sop: Sop;
  /** `rules`, a model's name, or `person`. */
  written_by: string;
  change: string;
  difficulty?: Difficulty | null;
  sources: SkillSource[];
  created_at: string;
}

export interface SkillSource {
  task_id: string;
  session_id: string;
  message_ids: string[];
  run_id?: string | null;
}

export interface Difficulty {
  score: number;
  reasons: DifficultyReason[];
}

export interface DifficultyReason {
  kind: string;
  points: number;
  evidence: string;
}

export interface SkillStatistics {
  /** Oldest first, days without anything included. */
  days: SkillDay[];
  spaces: number;
  skills: number;
  archived: number;
  confirmations: number;
}

export interface SkillDay {
  date: string;
  learned: number;
  improved: number;
  served: number;
}

/** One time that a version of a skill was written or served. */
export interface SkillUse {
  /** `learned`, its first version; `improved`, a later one; or `served`. */
  kind: string;
  skill_id: string;
  space_id: string;
  title: string;
  version: number;
  /** The session that was served; absent where the version was written. */
  session_id?: string | null;
  used_at: string;
}

/** One time a skill was served to a session. */
export interface Exposure {
  session_id: string;
  skill_version: number;
  rank: number;
  distance: number;
  served_at: string;
  succeeded: number;
  failed: number;
}

export interface ToolReferenceData {
  name: string;
  /** Steps that use it. */
  sop_count: number;
}

export interface ToolRenameItem {
  oldName: string;
  newName: string;
}

export interface FlagResponse {
  status: number;
  errmsg: string;
}

export interface User {
  id: string;
  project_id: string;
  identifier: string;
  created_at: string;
  updated_at: string;
}

export interface UserResources {
  counts: UserResourceCounts;
}

export interface UserResourceCounts {
  spaces_count: number;
  sessions_count: number;
  disks_count: number;
  skills_count: number;
}

export interface Project {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
}

export interface CreatedProject {
  project: Project;
  /** The first key, shown once; absent in the answer to a repeated request. */
  secret?: string | null;
}

/** How a project is observed and learned from; what is absent has its default. */
export interface ProjectSettings {
  buffer_turns?: number | null;
  buffer_idle_seconds?: number | null;
  task_tracking?: boolean | null;
  learning?: boolean | null;
  minimum_difficulty?: number | null;
  confirmation?: boolean | null;
  difficulty_rules: DifficultyRule[];
  success_criteria?: string | null;
  failure_criteria?: string | null;
  search_threshold?: number | null;
  /** The model of each role (observer, distiller, librarian, searcher). */
  models: Record<string, string>;
  monthly_token_budget?: number | null;
  /** Rounds in which a run of a model has to come to its end. */
  rounds?: number | null;
}

export interface DifficultyRule {
  text: string;
  /** `normal` or `critical`. */
  weight: string;
}

/** Who has forgotten what a deletion covers. */
export interface Receipt {
  confirmed_by: string[];
  waiting_for: string[];
}

export interface ApiKey {
  id: string;
  project_id: string;
  /** The first characters of the secret. */
  prefix: string;
  created_at: string;
  last_used_at?: string | null;
  expires_at?: string | null;
}

export interface CreatedApiKey {
  key: ApiKey;
  /** Shown only here. */
  secret: string;
}

/** How an installation is, as its services see it. */
export interface Health {
  healthy: boolean;
  /** What is wrong, a sentence each, with what to do about it. */
  problems: string[];
  services: ServiceHealth[];
  checked_at: string;
  /** What is no problem and may surprise, such as a used-up token budget. */
  notices: string[];
}

export interface ServiceHealth {
  name: string;
  reachable: boolean;
  ready: boolean;
  version: string;
  engines: EngineHealth[];
  migration_head?: string | null;
  migration?: string | null;
  outbox_age_seconds?: number | null;
  unobserved_age_seconds?: number | null;
  dead_letters?: number | null;
  problems: string[];
  notices: string[];
}

export interface EngineHealth {
  name: string;
  adapter: string;
  reachable: boolean;
  version?: string | null;
  latency_ms?: number | null;
  problem?: string | null;
  remedy?: string | null;
}

export type ListSessionsOutput = Page<Session>;
export type GetTasksOutput = Page<Task>;
export type ListDisksOutput = Page<Disk>;
export type ListSpacesOutput = Page<Space>;
export type ListExperienceConfirmationsOutput = Page<ExperienceConfirmation>;

export interface RemoveToolResultStrategy {
  type: "remove_tool_result";
  params: {
    /** Default 3. */
    keep_recent_n_tool_results?: number;
    tool_result_placeholder?: string;
    /** Tools whose results are neither changed nor counted. */
    keep_tools?: string[];
  };
}

export interface RemoveToolCallParamsStrategy {
  type: "remove_tool_call_params";
  params: {
    /** Default 3. */
    keep_recent_n_tool_calls?: number;
    keep_tools?: string[];
  };
}

/** Drops messages from the middle. */
export interface MiddleOutStrategy {
  type: "middle_out";
  params: { token_reduce_to: number };
}

/** Drops the oldest messages. */
export interface TokenLimitStrategy {
  type: "token_limit";
  params: { limit_tokens: number };
}

/** How messages are made shorter before they are handed out; what is stored stays as it is. */
export type EditStrategy =
  | RemoveToolResultStrategy
  | RemoveToolCallParamsStrategy
  | MiddleOutStrategy
  | TokenLimitStrategy;
