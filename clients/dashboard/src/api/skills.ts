// Skills: what they say, where they come from, what they were worth.

import { skipToken, useMutation, useQuery } from "@connectrpc/connect-query";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";
import { keepPreviousData, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { boundsOf, type Day } from "../components/days";
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

/** Say up to which distance a search in a space answers, and who set it. */
export function useSearchThreshold(spaceId: string) {
  return useQuery(method.getSearchThreshold, { spaceId });
}

const USES_ON_A_PAGE = 50;

/** Read when skills of all spaces were learned, improved and served. */
export function useSkillUses(
  which: Day & { kind?: string | undefined; cursor?: string | undefined },
) {
  const bounds = boundsOf(which);
  return useQuery(method.listSkillUses, {
    ...(which.kind ? { kind: which.kind } : {}),
    ...(bounds ? { usedAfter: bounds.from, usedBefore: bounds.to } : {}),
    ...(which.cursor ? { cursor: which.cursor } : {}),
    timeDesc: true,
    limit: USES_ON_A_PAGE,
  });
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
