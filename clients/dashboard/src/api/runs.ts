// What agents of ours did, and what it cost.

import { skipToken, useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import type { Run } from "@gen/acontext/observer/v1/run_pb";
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

/** Which of learning's runs a list shows. */
export interface LearningQuery {
  space?: string | undefined;
  session?: string | undefined;
  role?: string | undefined;
  outcome?: string | undefined;
}

export function useLearningRuns(which: LearningQuery, enabled: boolean) {
  return useInfiniteQuery(
    SkillService.method.listLearningRuns,
    enabled
      ? {
          cursor: "",
          limit: PAGE,
          timeDesc: true,
          ...(which.space ? { spaceId: which.space } : {}),
          ...(which.session ? { sessionId: which.session } : {}),
          ...(which.role ? { role: which.role } : {}),
          ...(which.outcome ? { outcome: which.outcome } : {}),
        }
      : skipToken,
    { pageParamKey: "cursor", getNextPageParam: ({ nextCursor }) => nextCursor || undefined },
  );
}

/** Read a run, of learning or of observing. */
export function useRun(runId: string | undefined, learns: boolean) {
  const select = ({ run }: { run?: Run | undefined }) => run;
  const which = (wanted: boolean) => (runId && wanted ? { runId } : skipToken);
  const observed = useQuery(RunService.method.getRun, which(!learns), { select });
  const learned = useQuery(SkillService.method.getLearningRun, which(learns), { select });
  return learns ? learned : observed;
}

export function useTokenUse() {
  return useQuery(RunService.method.getTokenUse, {}, { select: ({ tokenUse }) => tokenUse });
}
