// Skills and texts as cards.

import type { Block } from "@gen/acontext/space/v1/block_pb";
import type { Skill, Sop } from "@gen/acontext/space/v1/skill_pb";
import { Link } from "@tanstack/react-router";

import { Icon } from "../../components/icon";
import { UserText } from "../../content/legible";
import { Markdown } from "../../content/markdown";

export type Said = Pick<Sop, "preferences"> & {
  toolSops: readonly { toolName: string; action: string }[];
};

export function SopBody({ sop }: { sop: Said }) {
  return (
    <dl>
      {sop.preferences !== "" && (
        <>
          <dt>Preferences</dt>
          <dd>
            <UserText>{sop.preferences}</UserText>
          </dd>
        </>
      )}
      {sop.toolSops.length > 0 && (
        <>
          <dt>Steps</dt>
          <dd>
            <ol className="steps">
              {sop.toolSops.map((step, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: steps are told apart by their place
                <li key={index}>
                  <span>
                    <span className="tag">
                      <Icon name="tool" /> <UserText>{step.toolName}</UserText>
                    </span>{" "}
                    <UserText>{step.action}</UserText>
                  </span>
                </li>
              ))}
            </ol>
          </dd>
        </>
      )}
    </dl>
  );
}

export function SkillCard({ skill }: { skill: Skill }) {
  return (
    <article className="card skill stack">
      <header className="row">
        <h2 className="grow">
          <Link
            to="/skills/$spaceId/$skillId"
            params={{ spaceId: skill.spaceId, skillId: skill.id }}
          >
            <UserText>{skill.sop?.useWhen ?? ""}</UserText>
          </Link>
        </h2>
        {skill.archived && <span className="tag">archived</span>}
        <span className="tag">{`version ${skill.version}`}</span>
        <span className="tag">
          <UserText>{skill.pageTitle}</UserText>
        </span>
      </header>
      {skill.sop && <SopBody sop={skill.sop} />}
    </article>
  );
}

/** Read what a sop block says out of its free properties. */
export function saidBy(block: Block): Said {
  const { preferences, tool_sops: steps } = block.props ?? {};
  return {
    preferences: typeof preferences === "string" ? preferences : "",
    toolSops: (Array.isArray(steps) ? steps : []).map((step) => {
      const { tool_name: toolName, action } = (step ?? {}) as Record<string, unknown>;
      return { toolName: String(toolName ?? ""), action: String(action ?? "") };
    }),
  };
}

export function BlockCard({ spaceId, block }: { spaceId: string; block: Block }) {
  if (block.type === "text") {
    return (
      <article className="card skill stack">
        <Markdown text={block.title} />
      </article>
    );
  }
  return (
    <article className="card skill stack">
      <header className="row">
        <h2 className="grow">
          <Link to="/skills/$spaceId/$skillId" params={{ spaceId, skillId: block.id }}>
            <UserText>{block.title}</UserText>
          </Link>
        </h2>
        {block.isArchived && <span className="tag">archived</span>}
      </header>
      <SopBody sop={saidBy(block)} />
    </article>
  );
}
