// One space: its tree, its skills, a search as agents do it, and what waits for a person.

import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useUserNames } from "../../api/projects";
import { useConfirmations, useSkills } from "../../api/skills";
import { type Node, useExportSpace, useSpace, useTree } from "../../api/spaces";
import { Button, Id, PageHead, Time } from "../../components/basics";
import { SearchField, Switch } from "../../components/fields";
import { save } from "../../components/save";
import { Empty, ErrorState, Loaded, Loading } from "../../components/states";
import { toast } from "../../components/toasts";
import { shortId } from "../../components/words";
import { UserText } from "../../content/legible";
import { BlockTree, NewBlock } from "./blocks";
import { BlockCard, SkillCard } from "./cards";
import { Confirmations } from "./confirmations";
import { Found } from "./search";

const route = getRouteApi("/skills/$spaceId");

export function SpacePage() {
  const { spaceId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const space = useSpace(spaceId);
  const waiting = useConfirmations(spaceId);
  const userName = useUserNames();
  if (space.error)
    return <ErrorState error={space.error} retry={() => void space.refetch()} isPage />;
  if (!space.data) return <Loading />;
  const waits = waiting.data?.length ?? 0;
  return (
    <>
      <PageHead
        title={`Space ${shortId(spaceId)}`}
        above={<Link to="/skills">Skills</Link>}
        about={
          <>
            <Id value={spaceId} />
            {space.data.userId && (
              <span>
                of <UserText>{userName(space.data.userId) ?? shortId(space.data.userId)}</UserText>
              </span>
            )}
            <span>
              made <Time value={space.data.createdAt} />
            </span>
            <Link to="/sessions" search={{ space: spaceId }}>
              its sessions
            </Link>
            <Link to="/runs" search={{ of: "learning", space: spaceId }}>
              its learning
            </Link>
          </>
        }
      >
        <Export spaceId={spaceId} />
        <NewBlock spaceId={spaceId} />
      </PageHead>
      <div className="toolbar">
        <SearchField
          label="Search skills"
          placeholder="Search as an agent does: what is to be done?"
          value={search.query ?? ""}
          onSearch={(query) =>
            void navigate({
              search: (before) => ({ ...before, query: query || undefined, view: undefined }),
            })
          }
        />
        <Switch
          label="Archived too"
          value={search.archived ?? false}
          onChange={(archived) =>
            void navigate({ search: (before) => ({ ...before, archived: archived || undefined }) })
          }
        />
      </div>
      <nav className="tabs" aria-label="What of the space">
        <Tab spaceId={spaceId} isCurrent={search.view === undefined}>
          {search.query ? "Search" : "Skills"}
        </Tab>
        <Tab spaceId={spaceId} isCurrent={search.view === "waiting"} view="waiting">
          {`Waiting for a person${waits > 0 ? ` (${waits})` : ""}`}
        </Tab>
      </nav>
      {search.view === "waiting" ? (
        <Confirmations spaceId={spaceId} />
      ) : search.query ? (
        <Found spaceId={spaceId} query={search.query} />
      ) : (
        <Browse spaceId={spaceId} />
      )}
    </>
  );
}

function Tab({
  spaceId,
  isCurrent,
  view,
  children,
}: {
  spaceId: string;
  isCurrent: boolean;
  view?: "waiting";
  children: string;
}) {
  return (
    <Link
      to="/skills/$spaceId"
      params={{ spaceId }}
      search={(before) => ({ ...before, view })}
      className="tab"
      aria-current={isCurrent ? "page" : undefined}
      activeProps={{ "aria-current": isCurrent ? "page" : undefined }}
    >
      {children}
    </Link>
  );
}

function Browse({ spaceId }: { spaceId: string }) {
  const { block: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  const tree = useTree(spaceId);
  const node = useMemo(() => find(tree.data ?? [], chosen), [tree.data, chosen]);
  return (
    <div className="split">
      <Loaded query={tree} lines={5}>
        {(nodes) =>
          nodes.length > 0 ? (
            <BlockTree
              spaceId={spaceId}
              nodes={nodes}
              chosen={chosen}
              onChoose={(block) =>
                void navigate({ search: (before) => ({ ...before, block }), replace: true })
              }
            />
          ) : (
            <Empty title="An empty tree">
              Skills that are learned find their page by themselves.
            </Empty>
          )
        }
      </Loaded>
      {node ? <Below spaceId={spaceId} node={node} /> : <AllSkills spaceId={spaceId} />}
    </div>
  );
}

function find(nodes: readonly Node[], id: string | undefined): Node | undefined {
  if (id === undefined) return undefined;
  for (const node of nodes) {
    const found = node.block.id === id ? node : find(node.children, id);
    if (found) return found;
  }
  return undefined;
}

function Below({ spaceId, node }: { spaceId: string; node: Node }) {
  const { archived } = route.useSearch();
  const blocks = [node, ...flat(node.children)]
    .map(({ block }) => block)
    .filter((block) => block.type === "sop" || block.type === "text")
    .filter((block) => archived || !block.isArchived);
  if (blocks.length === 0) {
    return (
      <Empty title={`Nothing in “${node.block.title}”`}>
        Skills are learned into pages; you can also write one with “New block”.
      </Empty>
    );
  }
  return (
    <div className="cards">
      {blocks.map((block) => (
        <BlockCard key={block.id} spaceId={spaceId} block={block} />
      ))}
    </div>
  );
}

function flat(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)]);
}

function AllSkills({ spaceId }: { spaceId: string }) {
  const { archived } = route.useSearch();
  const skills = useSkills(spaceId, archived);
  return (
    <Loaded query={skills}>
      {({ items, hasMore }) =>
        items.length > 0 ? (
          <div className="cards">
            {items.map((skill) => (
              <SkillCard key={skill.id} skill={skill} />
            ))}
            {hasMore && (
              <p className="faint">The newest 200; open a page in the tree for others.</p>
            )}
          </div>
        ) : (
          <Empty title="No skills yet">
            Connect a session to this space. When one of its tasks succeeds and was hard enough,
            what worked is learned here.
          </Empty>
        )
      }
    </Loaded>
  );
}

function Export({ spaceId }: { spaceId: string }) {
  const read = useExportSpace(spaceId);
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const files = await read();
      const text = files.map((file) => `<!-- ${file.path} -->\n${file.text}`).join("\n\n");
      save(new Blob([text], { type: "application/octet-stream" }), `space-${spaceId}.md`);
      toast(`${files.length} skills written`);
    } catch (error) {
      toast(String(error), true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="download" isDisabled={isBusy} onPress={() => void run()}>
      Export
    </Button>
  );
}
