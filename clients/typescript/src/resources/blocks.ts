// Blocks: the tree of folders, pages, skills and texts in a space.

import { BlockSchema } from "../gen/acontext/space/v1/block_pb.js";
import type { Block, FreeJson, InsertBlockResponse } from "../models.js";
import { type CallOptions, given } from "../paging.js";
import { plain, structOf } from "../plain.js";
import type { Acontext } from "../typed.js";

/** Nodes of spaces. */
export class BlocksAPI {
  readonly #api: Acontext;

  constructor(api: Acontext) {
    this.#api = api;
  }

  /** List the children of a block, or of the root. */
  async list(
    spaceId: string,
    options: { parentId?: string | null; blockType?: string | null } = {},
    call?: CallOptions,
  ): Promise<Block[]> {
    const { parentId, blockType } = options;
    const request = { spaceId, ...given({ parentId, type: blockType }) };
    const { items } = await this.#api.spaces.listBlocks(request, call);
    return items.map((block) => plain(BlockSchema, block));
  }

  /** Add a block at the end of its siblings: `folder`, `page`, `sop` or `text`. */
  async create(
    spaceId: string,
    options: {
      blockType: string;
      parentId?: string | null;
      title?: string | null;
      props?: FreeJson | null;
    },
    call?: CallOptions,
  ): Promise<InsertBlockResponse> {
    const { blockType, parentId, title, props } = options;
    const { id } = await this.#api.spaces.createBlock(
      {
        spaceId,
        type: blockType,
        ...given({ parentId, title, requestId: call?.requestId }),
        ...(props ? { props: structOf(props) } : {}),
      },
      call,
    );
    return { id };
  }

  /** Remove a block with its descendants. */
  async delete(spaceId: string, blockId: string, call?: CallOptions): Promise<void> {
    await this.#api.spaces.deleteBlock({ spaceId, blockId }, call);
  }

  /** Get a block. */
  async getProperties(spaceId: string, blockId: string, call?: CallOptions): Promise<Block> {
    const { block } = await this.#api.spaces.getBlock({ spaceId, blockId }, call);
    return plain(BlockSchema, block);
  }

  /** Replace title or props; of a sop it makes a new version. */
  async updateProperties(
    spaceId: string,
    blockId: string,
    options: { title?: string | null; props?: FreeJson | null },
    call?: CallOptions,
  ): Promise<void> {
    const { title, props } = options;
    const changed = { ...given({ title }), ...(props ? { props: structOf(props) } : {}) };
    await this.#api.spaces.updateBlock({ spaceId, blockId, ...changed }, call);
  }

  /** Put a block under another parent; without one, at the root. */
  async move(
    spaceId: string,
    blockId: string,
    options: { parentId?: string | null; sort?: number | null },
    call?: CallOptions,
  ): Promise<void> {
    await this.#api.spaces.moveBlock({ spaceId, blockId, ...given(options) }, call);
  }

  /** Put a block elsewhere among its siblings. */
  async updateSort(
    spaceId: string,
    blockId: string,
    options: { sort: number },
    call?: CallOptions,
  ): Promise<void> {
    await this.#api.spaces.sortBlock({ spaceId, blockId, sort: options.sort }, call);
  }
}
