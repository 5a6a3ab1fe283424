// Skills: what they say, where they come from, what they were worth.

import { skipToken, useMutation, useQuery } from "@connectrpc/connect-query";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";
import { keepPreviousData, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { useInvalidate } from "./queries";

const { method } = SkillService;

export function useSkills(spaceId: string, withArchived = false) {
  return useQuery(method.listSkills, { spaceId, withArchived, limit: 200, timeDesc: true });
}

export function useSkill(skillId: string) {
  return useQuery(method.getSkill, { skillId });
}

export function useSearchSkills(spaceId: string, query: string | undefined, toolName?: string) {
  return useQuery(
    method.searchSkills,
    query
      ? { spaceId, query, limit: 20, semanticThreshold: 2, ...(toolName ? { toolName } : {}) }
      : skipToken,
    { placeholderData: keepPreviousData, retry: false },
  );
}

/** Search as an agent does: only what is relevant is answered. */
export function useRelevantSkills(spaceId: string, query: string | undefined, toolName?: string) {
  return useQuery(
    method.searchSkills,
    query ? { spaceId, query, limit: 20, ...(toolName ? { toolName } : {}) } : skipToken,
    { placeholderData: keepPreviousData, retry: false },
  );
}

function useInvalidateSkills(): () => Promise<void> {
  const queries = useQueryClient();
  const skills = useInvalidate(SkillService);
  return useCallback(async () => {
    await Promise.all([skills(), queries.invalidateQueries({ queryKey: ["tree"] })]);
  }, [queries, skills]);
}

export function useUpdateSkill() {
  return useMutation(method.updateSkill, { onSuccess: useInvalidateSkills() });
}

export function useRollbackSkill() {
  return useMutation(method.rollbackSkill, { onSuccess: useInvalidateSkills() });
}

export function useArchiveSkill() {
  return useMutation(method.archiveSkill, { onSuccess: useInvalidateSkills() });
}

export function useConfirmations(spaceId: string) {
  return useQuery(
    method.listConfirmations,
    { spaceId, limit: 100 },
    { refetchInterval: 5_000, select: ({ items }) => items },
  );
}

export function useResolveConfirmation() {
  return useMutation(method.resolveConfirmation, { onSettled: useInvalidateSkills() });
}

export function useToolNames() {
  return useQuery(method.listToolNames, {}, { select: ({ items }) => items });
}

export function useRenameTools() {
  return useMutation(method.renameTools, { onSuccess: useInvalidateSkills() });
}
