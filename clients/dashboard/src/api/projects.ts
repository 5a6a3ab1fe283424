// The project, its settings, keys and users.

import { createClient } from "@connectrpc/connect";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { ProjectService } from "@gen/acontext/session/v1/project_service_pb";
import { useQuery as usePlainQuery } from "@tanstack/react-query";

import { createTransport } from "../transport";
import { useInvalidate } from "./queries";

const { method } = ProjectService;

/** Find the project that a key opens. */
export async function projectOf(key: string): Promise<{ projectId: string; name: string }> {
  const client = createClient(ProjectService, createTransport(key));
  const { project } = await client.getProject({});
  return { projectId: project?.id ?? "", name: project?.name ?? "" };
}

/** What the server says of itself to everybody who opens the page. */
export interface Facts {
  /** Where programs reach the gateway. */
  apiUrl: string;
  /** The key of a system for trying things out, else empty. */
  developmentKey: string;
  /** Where an embedded system for trying things out keeps its operator's key, else empty. */
  operatorKeyFile: string;
}

export async function readFacts(): Promise<Facts> {
  const answer = await fetch("/dashboard.json");
  if (!answer.ok) throw new Error(`dashboard.json: ${answer.status}`);
  return (await answer.json()) as Facts;
}

export function useFacts(): Facts {
  const { data } = usePlainQuery({ queryKey: ["facts"], queryFn: readFacts, staleTime: Infinity });
  return data ?? { apiUrl: "http://localhost:8029", developmentKey: "", operatorKeyFile: "" };
}

export function useProject() {
  return useQuery(method.getProject, {}, { select: ({ project }) => project });
}

export function useUpdateProject() {
  return useMutation(method.updateProject, { onSuccess: useInvalidate(ProjectService) });
}

export function useProjectSettings() {
  return useQuery(method.getProjectSettings, {}, { select: ({ settings }) => settings });
}

export function useUpdateProjectSettings() {
  return useMutation(method.updateProjectSettings, { onSuccess: useInvalidate(ProjectService) });
}

export function useApiKeys() {
  return useQuery(method.listApiKeys, {}, { select: ({ items }) => items });
}

export function useCreateApiKey() {
  return useMutation(method.createApiKey, { onSuccess: useInvalidate(ProjectService) });
}

export function useRotateApiKey() {
  return useMutation(method.rotateApiKey, { onSuccess: useInvalidate(ProjectService) });
}

export function useRevokeApiKey() {
  return useMutation(method.revokeApiKey, { onSuccess: useInvalidate(ProjectService) });
}

const USERS = 200;

export function useUsers() {
  return useQuery(
    method.listUsers,
    { limit: USERS, timeDesc: true },
    { staleTime: 30_000, select: ({ items, hasMore }) => ({ items, hasMore }) },
  );
}

/** Give a function that names a user by its id, as far as it is known. */
export function useUserNames(): (userId: string | undefined) => string | undefined {
  const { data } = useUsers();
  return (userId) => data?.items.find((user) => user.id === userId)?.identifier;
}

export function useUserResources(identifier: string) {
  return useQuery(method.getUserResources, { identifier }, { select: ({ counts }) => counts });
}

export function useDeleteUser() {
  return useMutation(method.deleteUser, { onSuccess: useInvalidate(ProjectService) });
}
