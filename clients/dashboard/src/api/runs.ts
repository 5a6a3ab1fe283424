// What agents of ours did, and what it cost.

import { skipToken, useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { RunService } from "@gen/acontext/observer/v1/run_service_pb";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";

const PAGE = 50;

export function useObservingRuns(
  which: { session?: string | undefined; outcome?: string | undefined },
  enabled: boolean,
) {
  return useInfiniteQuery(
    RunService.method.listRuns,
    enabled
      ? {
          cursor: "",
          limit: PAGE,
          timeDesc: true,
          ...(which.session ? { sessionId: which.session } : {}),
          ...(which.outcome ? { outcome: which.outcome } : {}),
        }
      : skipToken,
    { pageParamKey: "cursor", getNextPageParam: ({ nextCursor }) => nextCursor || undefined },
  );
}

export function useLearningRuns(which: { space?: string | undefined }, enabled: boolean) {
  return useInfiniteQuery(
    SkillService.method.listLearningRuns,
    enabled
      ? {
          cursor: "",
          limit: PAGE,
          timeDesc: true,
          ...(which.space ? { spaceId: which.space } : {}),
        }
      : skipToken,
    { pageParamKey: "cursor", getNextPageParam: ({ nextCursor }) => nextCursor || undefined },
  );
}

export function useRun(runId: string | undefined) {
  return useQuery(RunService.method.getRun, runId ? { runId } : skipToken, {
    select: ({ run }) => run,
  });
}

export function useTokenUse() {
  return useQuery(RunService.method.getTokenUse, {}, { select: ({ tokenUse }) => tokenUse });
}
