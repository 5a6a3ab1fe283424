// The figures of the overview; each service counts its own.

import { useQuery } from "@connectrpc/connect-query";
import { DiskService } from "@gen/acontext/disk/v1/disk_service_pb";
import { TaskService } from "@gen/acontext/observer/v1/task_service_pb";
import { SessionService } from "@gen/acontext/session/v1/session_service_pb";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";
import { keepPreviousData } from "@tanstack/react-query";

const often = { refetchInterval: 10_000, placeholderData: keepPreviousData };

export function useTaskStatistics(days: number, timeZone: string) {
  return useQuery(TaskService.method.getStatistics, { days, timeZone }, often);
}

export function useSkillStatistics(days: number, timeZone: string) {
  return useQuery(SkillService.method.getSkillStatistics, { days, timeZone }, often);
}

export function useSessionStatistics() {
  return useQuery(SessionService.method.getSessionStatistics, {}, often);
}

export function useDiskStatistics() {
  return useQuery(DiskService.method.getDiskStatistics, {}, often);
}
