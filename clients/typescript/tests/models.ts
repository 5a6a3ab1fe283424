// Holds the models to the contracts: one that lacks a field, or has one too many, does not type-check.

import type * as artifact from "../src/gen/acontext/disk/v1/artifact_pb.js";
import type * as disk from "../src/gen/acontext/disk/v1/disk_pb.js";
import type * as diskService from "../src/gen/acontext/disk/v1/disk_service_pb.js";
import type * as health from "../src/gen/acontext/health/v1/health_pb.js";
import type * as run from "../src/gen/acontext/observer/v1/run_pb.js";
import type * as statistics from "../src/gen/acontext/observer/v1/statistics_pb.js";
import type * as task from "../src/gen/acontext/observer/v1/task_pb.js";
import type * as taskService from "../src/gen/acontext/observer/v1/task_service_pb.js";
import type * as message from "../src/gen/acontext/session/v1/message_pb.js";
import type * as project from "../src/gen/acontext/session/v1/project_pb.js";
import type * as projectService from "../src/gen/acontext/session/v1/project_service_pb.js";
import type * as messages from "../src/gen/acontext/session/v1/session_messages_pb.js";
import type * as session from "../src/gen/acontext/session/v1/session_pb.js";
import type * as sessionService from "../src/gen/acontext/session/v1/session_service_pb.js";
import type * as block from "../src/gen/acontext/space/v1/block_pb.js";
import type * as skill from "../src/gen/acontext/space/v1/skill_pb.js";
import type * as skillService from "../src/gen/acontext/space/v1/skill_service_pb.js";
import type * as space from "../src/gen/acontext/space/v1/space_pb.js";
import type * as spaceService from "../src/gen/acontext/space/v1/space_service_pb.js";
import type * as model from "../src/models.js";

type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? Rest extends Uncapitalize<Rest>
    ? `${Lowercase<First>}${Snake<Rest>}`
    : `${Lowercase<First>}_${Snake<Rest>}`
  : Name;

type FieldsOf<Message> = Snake<Exclude<keyof Message & string, "$typeName" | "$unknown">>;

type Same<Message, Model> = [FieldsOf<Message>] extends [keyof Model]
  ? [keyof Model] extends [FieldsOf<Message>]
    ? true
    : { tooMany: Exclude<keyof Model, FieldsOf<Message>> }
  : { lacking: Exclude<FieldsOf<Message>, keyof Model> };

type AllTrue<Checks extends true[]> = Checks;

export type Checks = AllTrue<
  [
    Same<session.Session, model.Session>,
    Same<message.Message, model.Message>,
    Same<message.Part, model.Part>,
    Same<message.Asset, model.Asset>,
    Same<messages.PublicUrl, model.PublicURL>,
    Same<Omit<messages.ListMessagesResponse, "itemsJson">, model.GetMessagesOutput>,
    Same<Omit<messages.GetSessionContextResponse, "itemsJson">, model.SessionContext>,
    Same<messages.GetTokenCountsResponse, model.TokenCounts>,
    Same<taskService.GetLearningStatusResponse, model.LearningStatus>,
    Same<taskService.GetObservingStatusResponse, model.MessageObservingStatus>,
    Same<taskService.FlushSessionResponse, model.FlushResult>,
    Same<task.Task, model.Task>,
    Same<task.TaskData, model.TaskData>,
    Same<task.TaskMessage, model.TaskMessage>,
    Same<task.TaskChange, model.TaskChange>,
    Same<taskService.GetTaskResponse, model.TaskWithMessages>,
    Same<taskService.ReobserveSessionResponse, model.Reobservation>,
    Same<taskService.GetStatisticsResponse, model.Statistics>,
    Same<statistics.DayStatistics, model.DayStatistics>,
    Same<run.Run, model.Run>,
    Same<disk.Disk, model.Disk>,
    Same<artifact.Artifact, model.Artifact>,
    Same<artifact.FileContent, model.FileContent>,
    Same<diskService.GetArtifactResponse, model.GetArtifactResp>,
    Same<diskService.ListArtifactsResponse, model.ListArtifactsResp>,
    Same<diskService.UpdateArtifactResponse, model.UpdateArtifactResp>,
    Same<space.Space, model.Space>,
    Same<block.Block, model.Block>,
    Same<spaceService.CreateBlockResponse, model.InsertBlockResponse>,
    Same<spaceService.ExportSpaceResponse, model.SkillFile>,
    Same<skill.CitedBlock, model.SearchResultBlockItem>,
    Same<skillService.SearchSkillsResponse, model.SpaceSearchResult>,
    Same<skill.Confirmation, model.ExperienceConfirmation>,
    Same<skill.Sop, model.Sop>,
    Same<skill.ToolSop, model.ToolSop>,
    Same<skill.Skill, model.Skill>,
    Same<skillService.GetSkillResponse, model.SkillWithHistory>,
    Same<skill.SkillVersion, model.SkillVersion>,
    Same<skill.SkillSource, model.SkillSource>,
    Same<skill.Difficulty, model.Difficulty>,
    Same<skill.DifficultyReason, model.DifficultyReason>,
    Same<skill.Exposure, model.Exposure>,
    Same<skill.ToolName, model.ToolReferenceData>,
    Same<skillService.RenameToolsResponse, model.FlagResponse>,
    Same<project.User, model.User>,
    Same<projectService.GetUserResourcesResponse, model.UserResources>,
    Same<projectService.UserResourceCounts, model.UserResourceCounts>,
    Same<project.Project, model.Project>,
    Same<projectService.CreateProjectResponse, model.CreatedProject>,
    Same<project.ProjectSettings, model.ProjectSettings>,
    Same<project.DifficultyRule, model.DifficultyRule>,
    Same<project.Receipt, model.Receipt>,
    Same<project.ApiKey, model.ApiKey>,
    Same<projectService.CreateApiKeyResponse, model.CreatedApiKey>,
    Same<session.SessionState, model.SessionState>,
    Same<sessionService.GetSessionStatisticsResponse, model.SessionStatistics>,
    Same<diskService.GetDiskStatisticsResponse, model.DiskStatistics>,
    Same<skillService.GetSkillStatisticsResponse, model.SkillStatistics>,
    Same<skillService.SkillDay, model.SkillDay>,
    Same<skillService.SkillUse, model.SkillUse>,
    Same<skillService.GetSearchThresholdResponse, model.SearchThreshold>,
    Same<run.TokenUse, model.TokenUse>,
    Same<run.RoleUse, model.RoleUse>,
    Same<health.Health, model.Health>,
    Same<health.ServiceHealth, model.ServiceHealth>,
    Same<health.EngineHealth, model.EngineHealth>,
  ]
>;
