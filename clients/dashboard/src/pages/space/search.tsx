// What a search finds, how near it is, and why that is an answer or none.

import type { CitedBlock } from "@gen/acontext/space/v1/skill_pb";
import type { GetSearchThresholdResponse } from "@gen/acontext/space/v1/skill_service_pb";
import { Link } from "@tanstack/react-router";

import { useRelevantSkills, useSearchSkills, useSearchThreshold } from "../../api/skills";
import { Empty, ErrorState, Loading } from "../../components/states";
import { distance } from "../../components/words";
import { UserText } from "../../content/legible";

export function Found({ spaceId, query }: { spaceId: string; query: string }) {
  const relevant = useRelevantSkills(spaceId, query);
  const near = useSearchSkills(spaceId, query);
  const threshold = useSearchThreshold(spaceId);
  const error = relevant.error ?? near.error ?? threshold.error;
  if (error) return <ErrorState error={error} retry={() => void relevant.refetch()} />;
  if (!relevant.data || !near.data || !threshold.data)
    return <Loading lines={4} label="Searching" />;
  const answered = new Set(relevant.data.citedBlocks.map((block) => block.blockId));
  const others = near.data.citedBlocks.filter((block) => !answered.has(block.blockId));
  const limit = limitOf(threshold.data);
  return (
    <div className="stack">
      {answered.size > 0 ? (
        <section className="stack" aria-label="Answers">
          <p className="soft">{`Answered to an agent, best first: not beyond ${limit}.`}</p>
          {relevant.data.citedBlocks.map((block, index) => (
            <Hit
              key={block.blockId}
              spaceId={spaceId}
              block={block}
              query={query}
              rank={index + 1}
            />
          ))}
        </section>
      ) : (
        <Empty title="Nothing relevant">
          {others.length > 0
            ? `An agent gets no answer: the nearest skill, at ${distance(others[0]?.distance ?? 2)}, lies beyond ${limit}.`
            : "An agent gets no answer: there is nothing in this space."}
        </Empty>
      )}
      {others.length > 0 && (
        <section className="stack" aria-label="Too far">
          <h2>Near, but not near enough</h2>
          {others.map((block) => (
            <Hit key={block.blockId} spaceId={spaceId} block={block} query={query} />
          ))}
        </section>
      )}
    </div>
  );
}

const SET_BY: Record<string, string> = {
  space: "set in this space's configs",
  project: "set for the project",
  embedder: "calibrated for the embedder",
};

function limitOf({ threshold, crowding, setBy }: GetSearchThresholdResponse): string {
  const limit = `the distance ${distance(threshold)} that is ${SET_BY[setBy] ?? setBy}`;
  return crowding > 0 ? `${limit}, or less where a query is near to the whole space` : limit;
}

function Hit({
  spaceId,
  block,
  query,
  rank,
}: {
  spaceId: string;
  block: CitedBlock;
  query: string;
  rank?: number;
}) {
  const shared = sharedWords(query, `${block.title} ${JSON.stringify(block.props ?? {})}`);
  return (
    <article className="card stack">
      <header className="row">
        {rank && <span className="tag">{rank}.</span>}
        <h2 className="grow">
          {block.type === "sop" ? (
            <Link to="/skills/$spaceId/$skillId" params={{ spaceId, skillId: block.blockId }}>
              <UserText>{block.title}</UserText>
            </Link>
          ) : (
            <UserText>{block.title}</UserText>
          )}
        </h2>
        <Meter value={block.distance} />
      </header>
      <p className="faint small">
        {shared.length > 0
          ? `By meaning, and by the words ${shared.map((word) => `“${word}”`).join(", ")}`
          : "By meaning alone: no word of the query is in it"}
        {block.skillVersion > 0 && `; version ${block.skillVersion}`}
      </p>
    </article>
  );
}

function Meter({ value }: { value: number }) {
  return (
    <span className="row small">
      <span className="faint">distance</span>
      <span className="number">{distance(value)}</span>
    </span>
  );
}

const SHORTEST = 3;

function sharedWords(query: string, text: string): string[] {
  const words = (from: string) => from.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const there = new Set(words(text));
  return [...new Set(words(query))].filter((word) => word.length >= SHORTEST && there.has(word));
}
