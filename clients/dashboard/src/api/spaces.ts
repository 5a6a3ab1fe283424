// Spaces and the tree of blocks in each.

import { createClient } from "@connectrpc/connect";
import { callUnaryMethod, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import type { Block } from "@gen/acontext/space/v1/block_pb";
import { SkillService } from "@gen/acontext/space/v1/skill_service_pb";
import { SpaceService } from "@gen/acontext/space/v1/space_service_pb";
import { keepPreviousData, useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { useInvalidate } from "./queries";

const { method } = SpaceService;

export function useSpaces(user?: string, cursor?: string) {
  return useQuery(
    method.listSpaces,
    { user: user ?? "", limit: 100, timeDesc: true, ...(cursor ? { cursor } : {}) },
    { placeholderData: keepPreviousData },
  );
}

export function useSpace(spaceId: string) {
  return useQuery(method.getSpace, { spaceId }, { select: ({ space }) => space });
}

export function useCreateSpace() {
  return useMutation(method.createSpace, { onSuccess: useInvalidate(SpaceService) });
}

export function useDeleteSpace() {
  return useMutation(method.deleteSpace, { onSuccess: useInvalidate(SpaceService, SkillService) });
}

export function useUpdateSpaceConfigs() {
  return useMutation(method.updateSpaceConfigs, { onSuccess: useInvalidate(SpaceService) });
}

/** A node of a space's tree with all that is below it. */
export interface Node {
  /** The block's, by which lists tell nodes apart. */
  id: string;
  block: Block;
  children: Node[];
}

/** Read a space's whole tree, a level at a time. */
export function useTree(spaceId: string) {
  const transport = useTransport();
  return usePlainQuery({
    queryKey: ["tree", spaceId],
    queryFn: async ({ signal }) => {
      const below = async (parentId?: string): Promise<Node[]> => {
        const request = { spaceId, ...(parentId ? { parentId } : {}) };
        const { items } = await callUnaryMethod(transport, method.listBlocks, request, { signal });
        return Promise.all(
          items.map(async (block) => ({
            id: block.id,
            block,
            children: block.type === "folder" || block.type === "page" ? await below(block.id) : [],
          })),
        );
      };
      return below();
    },
  });
}

function useInvalidateTree(spaceId: string): () => Promise<void> {
  const queries = useQueryClient();
  const others = useInvalidate(SpaceService, SkillService);
  return useCallback(async () => {
    await Promise.all([queries.invalidateQueries({ queryKey: ["tree", spaceId] }), others()]);
  }, [queries, others, spaceId]);
}

export function useCreateBlock(spaceId: string) {
  return useMutation(method.createBlock, { onSuccess: useInvalidateTree(spaceId) });
}

export function useUpdateBlock(spaceId: string) {
  return useMutation(method.updateBlock, { onSuccess: useInvalidateTree(spaceId) });
}

export function useMoveBlock(spaceId: string) {
  return useMutation(method.moveBlock, { onSettled: useInvalidateTree(spaceId) });
}

export function useDeleteBlock(spaceId: string) {
  return useMutation(method.deleteBlock, { onSuccess: useInvalidateTree(spaceId) });
}

/** Give a function that reads a space's skills as files. */
export function useExportSpace(spaceId: string): () => Promise<{ path: string; text: string }[]> {
  const transport = useTransport();
  return useCallback(async () => {
    const files = [];
    for await (const { path, text } of createClient(SpaceService, transport).exportSpace({
      spaceId,
    })) {
      files.push({ path, text });
    }
    return files;
  }, [transport, spaceId]);
}
