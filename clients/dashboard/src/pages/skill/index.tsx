// One skill: what it says, who wrote it and why, and what it was worth.

import type { Exposure, Skill, SkillSource, SkillVersion } from "@gen/acontext/space/v1/skill_pb";
import { getRouteApi, Link } from "@tanstack/react-router";
import { diffWordsWithSpace } from "diff";
import { useState } from "react";

import { explain } from "../../api/errors";
import { useArchiveSkill, useRollbackSkill, useSkill, useUpdateSkill } from "../../api/skills";
import { useTask } from "../../api/tasks";
import { Button, Card, Id, PageHead, Status, Time } from "../../components/basics";
import { FormSheet } from "../../components/fields";
import { Empty, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { toast } from "../../components/toasts";
import { distance, plural, shortId } from "../../components/words";
import { legible, UserText } from "../../content/legible";
import { SopBody } from "../space/cards";
import { SopForm, type SopText, sopOf } from "./form";

const route = getRouteApi("/skills/$spaceId/$skillId");

export function SkillPage() {
  const { skillId, spaceId } = route.useParams();
  const history = useSkill(skillId);
  return (
    <Loaded query={history} isPage>
      {({ skill, versions, exposures }) =>
        skill ? (
          <>
            <Head skill={skill} spaceId={spaceId} />
            <div className="session">
              <div className="stack">
                <Card title="What it says" className="skill">
                  {skill.sop && <SopBody sop={skill.sop} />}
                </Card>
                <Worth exposures={exposures} />
              </div>
              <Versions skill={skill} versions={versions} />
            </div>
          </>
        ) : null
      }
    </Loaded>
  );
}

function Head({ skill, spaceId }: { skill: Skill; spaceId: string }) {
  const archive = useArchiveSkill();
  const [edits, setEdits] = useState(false);
  const change = () =>
    archive.mutate(
      { skillId: skill.id, archived: !skill.archived },
      {
        onSuccess: () =>
          toast(skill.archived ? "It is found again" : "No search finds it any more"),
        onError: (error) => toast(explain(error).sentence, true),
      },
    );
  return (
    <PageHead
      title={<UserText>{skill.sop?.useWhen ?? ""}</UserText>}
      above={
        <>
          <Link to="/skills">Skills</Link> /{" "}
          <Link to="/skills/$spaceId" params={{ spaceId }}>
            {shortId(spaceId)}
          </Link>{" "}
          / <UserText>{skill.pageTitle}</UserText>
        </>
      }
      about={
        <>
          <Id value={skill.id} />
          <span>{`version ${skill.version}`}</span>
          {skill.archived && <span className="tag">archived</span>}
          <span>
            changed <Time value={skill.updatedAt} />
          </span>
        </>
      }
    >
      <Button onPress={change} isDisabled={archive.isPending}>
        {skill.archived ? "Put back" : "Archive"}
      </Button>
      <Button look="primary" onPress={() => setEdits(true)}>
        Edit
      </Button>
      {edits && <Edit skill={skill} onClose={() => setEdits(false)} />}
    </PageHead>
  );
}

function Edit({ skill, onClose }: { skill: Skill; onClose: () => void }) {
  const update = useUpdateSkill();
  const [text, setText] = useState<SopText>(() => ({
    useWhen: skill.sop?.useWhen ?? "",
    preferences: skill.sop?.preferences ?? "",
    toolSops: skill.sop?.toolSops ?? [],
  }));
  const submit = async () => {
    const { skill: after } = await update.mutateAsync({
      skillId: skill.id,
      sop: sopOf(text),
      updateMask: { paths: ["use_when", "preferences", "tool_sops"] },
    });
    toast(`Version ${after?.version ?? ""} is in force`);
  };
  return (
    <FormSheet
      title="Edit the skill"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Save as a new version"
      isReady={text.useWhen.trim() !== ""}
    >
      <p className="soft">After a person's edit, learning only proposes changes.</p>
      <SopForm value={text} onChange={setText} />
    </FormSheet>
  );
}

const CHANGES: Record<string, string> = {
  created: "learned",
  improved: "improved",
  superseded: "superseded",
  edited: "edited",
  rolled_back: "rolled back",
};

function Versions({ skill, versions }: { skill: Skill; versions: readonly SkillVersion[] }) {
  const { version: shown } = route.useSearch();
  const navigate = route.useNavigate();
  const rollback = useRollbackSkill();
  return (
    <Card title="Where it comes from">
      {versions.map((version, index) => {
        const before = versions[index + 1];
        const isShown = shown === version.version;
        return (
          <article className="version" key={version.version}>
            <div className="version-line" />
            <div className="version-text">
              <div className="row">
                <strong>{`Version ${version.version}`}</strong>
                <span className="tag">{CHANGES[version.change] ?? version.change}</span>
                {version.version === skill.version && <Status value="success">in force</Status>}
              </div>
              <span className="faint small">
                by <UserText>{version.writtenBy}</UserText>, <Time value={version.createdAt} />
              </span>
              <Why version={version} />
              {version.sources.map((source) => (
                <Source key={source.taskId} source={source} />
              ))}
              <div className="row">
                {before && (
                  <Button
                    look="quiet"
                    aria-expanded={isShown}
                    onPress={() =>
                      void navigate({
                        search: { version: isShown ? undefined : version.version },
                        replace: true,
                      })
                    }
                  >
                    {isShown ? "Hide what changed" : "What changed"}
                  </Button>
                )}
                {version.version !== skill.version && (
                  <Button
                    look="quiet"
                    isDisabled={rollback.isPending}
                    onPress={() =>
                      rollback.mutate(
                        { skillId: skill.id, version: version.version },
                        {
                          onSuccess: () => toast(`Version ${version.version} is in force again`),
                          onError: (error) => toast(explain(error).sentence, true),
                        },
                      )
                    }
                  >
                    Put in force again
                  </Button>
                )}
              </div>
              {isShown && before && <Difference before={before} after={version} />}
            </div>
          </article>
        );
      })}
    </Card>
  );
}

function Why({ version }: { version: SkillVersion }) {
  const { difficulty } = version;
  if (!difficulty || difficulty.reasons.length === 0) return null;
  return (
    <div className="small">
      <span className="soft">{`Hard enough with ${plural(difficulty.score, "point")}:`}</span>
      <ul className="reasons">
        {difficulty.reasons.map((reason) => (
          <li key={`${reason.kind} ${reason.evidence}`}>
            {`${reason.kind.replaceAll("_", " ")} +${reason.points}`}
            {reason.evidence && (
              <span className="faint">
                {" "}
                <UserText>{reason.evidence.replace(IDS, shortId)}</UserText>
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Source({ source }: { source: SkillSource }) {
  const { data, error } = useTask(source.taskId);
  const task = data?.task;
  return (
    <div className="source small">
      {task ? (
        <>
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: source.sessionId }}
            search={{ task: source.taskId }}
          >
            {`Task ${task.order}: `}
            <UserText>{task.data?.taskDescription ?? ""}</UserText>
          </Link>{" "}
          <Status value={task.status} />
        </>
      ) : error ? (
        <span className="faint">The task is gone</span>
      ) : (
        <Link
          to="/sessions/$sessionId"
          params={{ sessionId: source.sessionId }}
          search={{ task: source.taskId }}
        >
          a task
        </Link>
      )}
      <div className="row faint">
        <span>{plural(source.messageIds.length, "message")}:</span>
        {source.messageIds.slice(0, SHOWN_MESSAGES).map((message, index) => (
          <Link
            key={message}
            to="/sessions/$sessionId"
            params={{ sessionId: source.sessionId }}
            search={{ task: source.taskId, message }}
            aria-label={`Message ${index + 1} that it came from`}
          >
            {index + 1}
          </Link>
        ))}
        {source.messageIds.length > SHOWN_MESSAGES && <span>…</span>}
      </div>
      {source.runId && (
        <Link to="/runs" search={{ of: "learning", run: source.runId }} className="faint">
          the run that wrote it
        </Link>
      )}
    </div>
  );
}

const SHOWN_MESSAGES = 12;
const IDS = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function Difference({ before, after }: { before: SkillVersion; after: SkillVersion }) {
  return (
    <div className="difference small">
      {diffWordsWithSpace(textOf(before), textOf(after)).map((part, index) => {
        const key = `${index} ${part.value.length}`;
        if (part.added) return <ins key={key}>{legible(part.value)}</ins>;
        if (part.removed) return <del key={key}>{legible(part.value)}</del>;
        return <span key={key}>{legible(part.value)}</span>;
      })}
    </div>
  );
}

function textOf({ sop }: SkillVersion): string {
  const steps = (sop?.toolSops ?? []).map(
    (step, index) => `${index + 1}. ${step.toolName}: ${step.action}`,
  );
  return [
    `Use when: ${sop?.useWhen ?? ""}`,
    `Preferences: ${sop?.preferences ?? ""}`,
    ...steps,
  ].join("\n");
}

function Worth({ exposures }: { exposures: readonly Exposure[] }) {
  const succeeded = exposures.reduce((sum, one) => sum + one.succeeded, 0);
  const failed = exposures.reduce((sum, one) => sum + one.failed, 0);
  return (
    <Card
      title="What it was worth"
      actions={
        exposures.length > 0 && (
          <span className="soft">
            {`served ${plural(exposures.length, "time")}, then ${succeeded} succeeded and ${failed} failed`}
          </span>
        )
      }
    >
      {exposures.length > 0 ? (
        <Table
          label="Where it was served"
          rows={exposures}
          idOf={(one) => `${one.sessionId} ${one.servedAt?.seconds} ${one.servedAt?.nanos}`}
          columns={[
            column<Exposure>("session", "Session", (one) => (
              <Link to="/sessions/$sessionId" params={{ sessionId: one.sessionId }}>
                <code>{shortId(one.sessionId)}</code>
              </Link>
            )),
            column<Exposure>("when", "Served", (one) => <Time value={one.servedAt} />),
            column<Exposure>("rank", "Rank", (one) => one.rank),
            column<Exposure>("distance", "Distance", (one) => distance(one.distance)),
            column<Exposure>("version", "Version", (one) => one.skillVersion),
            column<Exposure>("succeeded", "Succeeded since", (one) => one.succeeded),
            column<Exposure>("failed", "Failed since", (one) => one.failed),
          ]}
        />
      ) : (
        <Empty title="Not served yet">
          A search that names its session is noted here, with how the session's later tasks ended.
        </Empty>
      )}
    </Card>
  );
}
