// Disks and the files on them.

import { createClient } from "@connectrpc/connect";
import { skipToken, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { DiskService } from "@gen/acontext/disk/v1/disk_service_pb";
import { keepPreviousData } from "@tanstack/react-query";
import { useCallback } from "react";

import { currentAccount } from "../account";
import { useInvalidate } from "./queries";

const { method } = DiskService;

export function useDisks(user?: string, cursor?: string) {
  return useQuery(
    method.listDisks,
    { user: user ?? "", limit: 50, timeDesc: true, ...(cursor ? { cursor } : {}) },
    { placeholderData: keepPreviousData },
  );
}

export function useCreateDisk() {
  return useMutation(method.createDisk, { onSuccess: useInvalidate(DiskService) });
}

export function useDeleteDisk() {
  return useMutation(method.deleteDisk, { onSuccess: useInvalidate(DiskService) });
}

export function useFolder(diskId: string, path: string) {
  return useQuery(method.listArtifacts, { diskId, path }, { placeholderData: keepPreviousData });
}

/** Read an artifact with its text and a URL that opens for a while. */
export function useArtifact(diskId: string, filePath: string | undefined, seconds: number) {
  return useQuery(
    method.getArtifact,
    filePath ? { diskId, filePath, expire: seconds } : skipToken,
    // A URL that is shown must not expire while the page is open for a while.
    { staleTime: (seconds * 1000) / 2 },
  );
}

export function useUpdateArtifact() {
  return useMutation(method.updateArtifact, { onSuccess: useInvalidate(DiskService) });
}

export function useDeleteArtifact() {
  return useMutation(method.deleteArtifact, { onSuccess: useInvalidate(DiskService) });
}

export function useGrep(diskId: string, query: string | undefined) {
  return useQuery(method.grepArtifacts, query ? { diskId, query } : skipToken, { retry: false });
}

export function useGlob(diskId: string, query: string | undefined) {
  return useQuery(method.globArtifacts, query ? { diskId, query } : skipToken, { retry: false });
}

/** Give a function that reads the bytes of an artifact. */
export function useDownload(diskId: string): (filePath: string) => Promise<Blob> {
  const transport = useTransport();
  return useCallback(
    async (filePath) => {
      const pieces: BlobPart[] = [];
      for await (const { content } of createClient(DiskService, transport).downloadArtifact({
        diskId,
        filePath,
      })) {
        if (content) pieces.push(content.data as Uint8Array<ArrayBuffer>);
      }
      // Without a type of its own: what is saved must not run as a page of ours.
      return new Blob(pieces, { type: "application/octet-stream" });
    },
    [transport, diskId],
  );
}

/** Send a file as a form, since a browser cannot stream to gRPC; `progress` is from 0 to 1. */
export function useUpload(diskId: string) {
  const refresh = useInvalidate(DiskService);
  return useCallback(
    (folder: string, file: File, progress: (part: number) => void): Promise<void> =>
      new Promise((resolve, reject) => {
        const form = new FormData();
        form.append("file_path", folder);
        form.append("file", file, file.name);
        const request = new XMLHttpRequest();
        request.open("POST", `/api/v1/disk/${diskId}/artifact?any_size=true`);
        request.setRequestHeader("authorization", `Bearer ${currentAccount()?.key ?? ""}`);
        request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
        request.onerror = () => reject(new Error("The gateway does not answer."));
        request.onload = () => {
          if (request.status < 300) return resolve(refresh());
          reject(new Error(refusal(request.responseText, request.status)));
        };
        request.send(form);
      }),
    [diskId, refresh],
  );
}

function refusal(body: string, status: number): string {
  try {
    return (JSON.parse(body) as { msg?: string }).msg ?? `refused with status ${status}`;
  } catch {
    return `refused with status ${status}`;
  }
}
