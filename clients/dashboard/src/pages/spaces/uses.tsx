// When skills of all spaces were learned, improved and served.

import type { SkillUse } from "@gen/acontext/space/v1/skill_service_pb";
import { getRouteApi, Link } from "@tanstack/react-router";

import { useSkillUses } from "../../api/skills";
import { Time } from "../../components/basics";
import type { Day } from "../../components/days";
import { Pager } from "../../components/pager";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { shortId } from "../../components/words";
import { UserText } from "../../content/legible";

const route = getRouteApi("/skills");

export function Uses({ which }: { which: Day & { kind?: string | undefined } }) {
  const { cursor } = route.useSearch();
  const navigate = route.useNavigate();
  const uses = useSkillUses({ ...which, cursor });
  return (
    <Loaded query={uses}>
      {(page) =>
        page.items.length === 0 ? (
          <Empty title="Nothing was learned or served that day" />
        ) : (
          <>
            <Table
              label="Uses of skills"
              columns={COLUMNS}
              rows={page.items}
              idOf={(use) => `${use.kind} ${use.skillId} ${use.version} ${use.usedAt?.seconds}`}
            />
            <Pager
              cursor={cursor}
              next={page.hasMore ? page.nextCursor : undefined}
              onMove={(next) =>
                void navigate({ search: (before) => ({ ...before, cursor: next }) })
              }
            />
          </>
        )
      }
    </Loaded>
  );
}

const COLUMNS = [
  column<SkillUse>("skill", "Skill", (use) => (
    <div className="wide clip">
      <Link to="/skills/$spaceId/$skillId" params={{ spaceId: use.spaceId, skillId: use.skillId }}>
        <UserText>{use.title}</UserText>
      </Link>
    </div>
  )),
  column<SkillUse>("kind", "Was", (use) => use.kind),
  column<SkillUse>("version", "Version", (use) => <span className="number">{use.version}</span>),
  column<SkillUse>("session", "To session", (use) =>
    use.sessionId ? (
      <Link to="/sessions/$sessionId" params={{ sessionId: use.sessionId }}>
        <code>{shortId(use.sessionId)}</code>
      </Link>
    ) : null,
  ),
  column<SkillUse>("when", "When", (use) => <Time value={use.usedAt} />),
];
