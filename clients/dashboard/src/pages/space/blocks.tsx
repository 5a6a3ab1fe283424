// The tree of a space: folders, pages and what is in them; moved by mouse, by keyboard, by menu.

import type { Block } from "@gen/acontext/space/v1/block_pb";
import { useState } from "react";
import {
  Button as AriaButton,
  Collection,
  Tree,
  TreeItem,
  TreeItemContent,
  useDragAndDrop,
} from "react-aria-components";
import { explain } from "../../api/errors";
import {
  type Node,
  useCreateBlock,
  useDeleteBlock,
  useMoveBlock,
  useTree,
  useUpdateBlock,
} from "../../api/spaces";
import { Button } from "../../components/basics";
import { ActionItem, ActionMenu, FormSheet, Select, TextField } from "../../components/fields";
import { Icon, type IconName } from "../../components/icon";
import { toast } from "../../components/toasts";
import { plural } from "../../components/words";
import { UserText } from "../../content/legible";

const ROOT = "root";
const holds = (block: Block) => block.type === "folder" || block.type === "page";

interface Place {
  node: Node;
  parentId: string | undefined;
  siblings: readonly Node[];
}

function places(
  nodes: readonly Node[],
  parentId: string | undefined,
  into: Map<string, Place>,
): Map<string, Place> {
  for (const node of nodes) {
    into.set(node.block.id, { node, parentId, siblings: nodes });
    places(node.children, node.block.id, into);
  }
  return into;
}

export function BlockTree({
  spaceId,
  nodes,
  chosen,
  onChoose,
}: {
  spaceId: string;
  nodes: readonly Node[];
  chosen: string | undefined;
  onChoose: (blockId: string | undefined) => void;
}) {
  const known = places(nodes, undefined, new Map());
  const move = useMove(spaceId);
  const [open, setOpen] = useState<Set<string | number>>(
    () => new Set(nodes.map((node) => node.block.id)),
  );
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) => [...keys].map((key) => ({ "text/plain": String(key) })),
    onMove: ({ keys, target }) => {
      const [id] = [...keys].map(String);
      const there = known.get(String(target.key));
      if (!id || !there) return;
      if (target.dropPosition === "on") return move(id, there.node.block.id, undefined);
      // Siblings of all types share one order, so places are told by the neighbour's.
      const own = there.siblings.find((one) => one.block.id === id)?.block.sort;
      const { sort } = there.node.block;
      const after = target.dropPosition === "after" ? sort + 1 : sort;
      // Where it stood before is free when it moves among its siblings.
      move(id, there.parentId, own !== undefined && own < after ? after - 1 : after);
    },
  });
  return (
    <Tree
      aria-label="Folders, pages and skills"
      className="tree card"
      items={nodes}
      selectionMode="single"
      selectionBehavior="replace"
      selectedKeys={chosen ? [chosen] : []}
      onSelectionChange={(keys) => {
        const [key] = keys === "all" ? [] : [...keys];
        onChoose(key === undefined ? undefined : String(key));
      }}
      expandedKeys={open}
      onExpandedChange={setOpen}
      dragAndDropHooks={dragAndDropHooks}
    >
      {(node) => <Item key={node.block.id} node={node} spaceId={spaceId} known={known} />}
    </Tree>
  );
}

const ICONS: Record<string, IconName> = {
  folder: "folder",
  page: "page",
  sop: "sop",
  text: "text",
};

function Item({
  node,
  spaceId,
  known,
}: {
  node: Node;
  spaceId: string;
  known: ReadonlyMap<string, Place>;
}) {
  const { block, children } = node;
  const title = block.title || `untitled ${block.type}`;
  return (
    <TreeItem className="tree-item" id={block.id} textValue={title}>
      <TreeItemContent>
        {({ hasChildItems }) => (
          <div className="tree-row">
            <AriaButton slot="drag" className="tree-drag" aria-label={`Move ${title}`}>
              <Icon name="drag" />
            </AriaButton>
            {hasChildItems ? (
              <AriaButton slot="chevron" className="tree-chevron">
                <Icon name="right" />
              </AriaButton>
            ) : (
              <span className="tree-chevron" />
            )}
            <Icon name={ICONS[block.type] ?? "page"} />
            <UserText>{title}</UserText>
            {block.isArchived && <span className="tag">archived</span>}
            <span className="grow" />
            <BlockActions place={known.get(block.id)} spaceId={spaceId} title={title} />
          </div>
        )}
      </TreeItemContent>
      <Collection items={children}>
        {(child) => <Item key={child.block.id} node={child} spaceId={spaceId} known={known} />}
      </Collection>
    </TreeItem>
  );
}

function useMove(spaceId: string) {
  const move = useMoveBlock(spaceId);
  return (blockId: string, parentId: string | undefined, sort: number | undefined) =>
    move.mutate(
      {
        spaceId,
        blockId,
        ...(parentId ? { parentId } : {}),
        ...(sort === undefined ? {} : { sort: Math.max(sort, 0) }),
      },
      { onError: (error) => toast(explain(error).sentence, true) },
    );
}

function BlockActions({
  place,
  spaceId,
  title,
}: {
  place: Place | undefined;
  spaceId: string;
  title: string;
}) {
  const move = useMove(spaceId);
  const [sheet, setSheet] = useState<"rename" | "move" | "delete">();
  if (!place) return null;
  const { block } = place.node;
  const index = place.siblings.findIndex((one) => one.block.id === block.id);
  const close = () => setSheet(undefined);
  return (
    <>
      <ActionMenu label={`Actions of ${title}`}>
        <ActionItem
          isDisabled={index === 0}
          onAction={() => move(block.id, place.parentId, place.siblings[index - 1]?.block.sort)}
        >
          Move up
        </ActionItem>
        <ActionItem
          isDisabled={index === place.siblings.length - 1}
          onAction={() => move(block.id, place.parentId, place.siblings[index + 1]?.block.sort)}
        >
          Move down
        </ActionItem>
        <ActionItem onAction={() => setSheet("move")}>Move elsewhere</ActionItem>
        {block.type !== "sop" && (
          <ActionItem onAction={() => setSheet("rename")}>
            {block.type === "text" ? "Edit" : "Rename"}
          </ActionItem>
        )}
        <ActionItem isDanger onAction={() => setSheet("delete")}>
          Delete
        </ActionItem>
      </ActionMenu>
      {sheet === "rename" && <Rename spaceId={spaceId} block={block} onClose={close} />}
      {sheet === "move" && <MoveElsewhere spaceId={spaceId} place={place} onClose={close} />}
      {sheet === "delete" && <Delete spaceId={spaceId} node={place.node} onClose={close} />}
    </>
  );
}

function Rename({
  spaceId,
  block,
  onClose,
}: {
  spaceId: string;
  block: Block;
  onClose: () => void;
}) {
  const update = useUpdateBlock(spaceId);
  const [title, setTitle] = useState(block.title);
  return (
    <FormSheet
      title={block.type === "text" ? "Edit the text" : "Rename"}
      isOpen
      onClose={onClose}
      submit={() => update.mutateAsync({ spaceId, blockId: block.id, title })}
      submitLabel="Save"
      isReady={title.trim() !== ""}
    >
      <TextField
        label={block.type === "text" ? "Text" : "Name"}
        value={title}
        onChange={setTitle}
        autoFocus
        {...(block.type === "text" ? { lines: 6 } : {})}
      />
    </FormSheet>
  );
}

/** Give where a block of a type may stand, by what the server lets it. */
function parentsFor(
  nodes: readonly Node[],
  type: string,
  without: string,
  depth = 0,
): (readonly [string, string])[] {
  return nodes.flatMap(({ block, children }) => {
    if (block.id === without || !holds(block)) return [];
    const fits =
      type === "folder" || type === "page" ? block.type === "folder" : block.type === "page";
    const own = fits ? [[block.id, `${"– ".repeat(depth)}${block.title}`] as const] : [];
    return [...own, ...parentsFor(children, type, without, depth + 1)];
  });
}

function MoveElsewhere({
  spaceId,
  place,
  onClose,
}: {
  spaceId: string;
  place: Place;
  onClose: () => void;
}) {
  const move = useMoveBlock(spaceId);
  const tree = useTree(spaceId);
  const { block } = place.node;
  const atRoot = holds(block) ? [[ROOT, "The top"] as const] : [];
  const options = [...atRoot, ...parentsFor(tree.data ?? [], block.type, block.id)];
  const [parent, setParent] = useState<string>(place.parentId ?? ROOT);
  return (
    <FormSheet
      title="Move elsewhere"
      isOpen
      onClose={onClose}
      submit={() =>
        move.mutateAsync({
          spaceId,
          blockId: block.id,
          ...(parent === ROOT ? {} : { parentId: parent }),
        })
      }
      submitLabel="Move"
    >
      <Select label="Into" showLabel value={parent} options={options} onChange={setParent} />
    </FormSheet>
  );
}

const size = (node: Node): number => node.children.reduce((sum, child) => sum + 1 + size(child), 0);

function Delete({ spaceId, node, onClose }: { spaceId: string; node: Node; onClose: () => void }) {
  const remove = useDeleteBlock(spaceId);
  const below = size(node);
  return (
    <FormSheet
      title={`Delete this ${node.block.type}?`}
      isOpen
      onClose={onClose}
      submit={() => remove.mutateAsync({ spaceId, blockId: node.block.id })}
      submitLabel="Delete it"
      isDanger
    >
      <p>
        <UserText>{node.block.title}</UserText>
      </p>
      <p>
        {below > 0 ? `With it goes what is in it: ${plural(below, "block")}. ` : ""}
        {node.block.type === "sop" ? "All its versions go too. " : ""}This cannot be undone.
      </p>
    </FormSheet>
  );
}

type Kind = "folder" | "page" | "sop" | "text";

export function NewBlock({ spaceId }: { spaceId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon="plus" look="primary" onPress={() => setOpen(true)}>
        New block
      </Button>
      {isOpen && <NewBlockSheet spaceId={spaceId} onClose={() => setOpen(false)} />}
    </>
  );
}

function NewBlockSheet({ spaceId, onClose }: { spaceId: string; onClose: () => void }) {
  const create = useCreateBlock(spaceId);
  const tree = useTree(spaceId);
  const [type, setType] = useState<Kind>("page");
  const [parent, setParent] = useState<string>();
  const [title, setTitle] = useState("");
  const [preferences, setPreferences] = useState("");
  const isNode = type === "folder" || type === "page";
  const atRoot = isNode ? [[ROOT, "The top"] as const] : [];
  const options = [...atRoot, ...parentsFor(tree.data ?? [], type, "")];
  const there = options.some(([id]) => id === parent) ? parent : options[0]?.[0];
  const submit = () =>
    create.mutateAsync({
      spaceId,
      type,
      title,
      ...(there && there !== ROOT ? { parentId: there } : {}),
      ...(type === "sop" ? { props: { preferences, tool_sops: [] } } : {}),
      requestId: crypto.randomUUID(),
    });
  return (
    <FormSheet
      title="New block"
      isOpen
      onClose={onClose}
      submit={submit}
      submitLabel="Add it"
      isReady={title.trim() !== "" && there !== undefined}
    >
      <Select
        label="Type"
        showLabel
        value={type}
        options={[
          ["page", "Page"],
          ["folder", "Folder"],
          ["sop", "Skill"],
          ["text", "Text"],
        ]}
        onChange={setType}
      />
      {there ? (
        <Select label="Into" showLabel value={there} options={options} onChange={setParent} />
      ) : (
        <p>Make a page first: skills and texts stand in pages.</p>
      )}
      <TextField
        label={type === "sop" ? "Use when" : type === "text" ? "Text" : "Name"}
        value={title}
        onChange={setTitle}
        {...(isNode ? {} : { lines: 3 })}
      />
      {type === "sop" && (
        <TextField
          label="Preferences"
          value={preferences}
          onChange={setPreferences}
          lines={3}
          help="Steps are added on its own page."
        />
      )}
    </FormSheet>
  );
}
