// Disks, and the files that agents make and use on them.

import { ArtifactSchema } from "../gen/acontext/disk/v1/artifact_pb.js";
import { DiskSchema } from "../gen/acontext/disk/v1/disk_pb.js";
import {
  GetArtifactResponseSchema,
  GetDiskStatisticsResponseSchema,
  ListArtifactsResponseSchema,
} from "../gen/acontext/disk/v1/disk_service_pb.js";
import type {
  Artifact,
  Disk,
  DiskStatistics,
  FreeJson,
  GetArtifactResp,
  ListArtifactsResp,
  UpdateArtifactResp,
} from "../models.js";
import {
  type CallOptions,
  everything,
  given,
  type Page,
  type PageOptions,
  pageFields,
  pageOf,
} from "../paging.js";
import { plain } from "../plain.js";
import type { Acontext } from "../typed.js";
import { blobOf, type Forms, type Upload } from "../uploads.js";

/** Which disks to list. */
export interface DiskFilter extends PageOptions {
  /** Identifier of a user. */
  user?: string | null;
}

/** Which file of a disk. */
export interface FileName {
  /** The directory, such as `/notes/`. */
  filePath: string;
  filename: string;
}

/** Trees of files. */
export class DisksAPI {
  readonly artifacts: DiskArtifactsAPI;
  readonly #api: Acontext;

  constructor(api: Acontext, forms: Forms) {
    this.artifacts = new DiskArtifactsAPI(api, forms);
    this.#api = api;
  }

  /** List a page of disks, the oldest first. */
  async list(options: DiskFilter = {}, call?: CallOptions): Promise<Page<Disk>> {
    const request = { ...pageFields(options), ...given({ user: options.user }) };
    return pageOf(await this.#api.disks.listDisks(request, call), (disk) =>
      plain(DiskSchema, disk),
    );
  }

  /** Give all disks, page by page. */
  listAll(options: DiskFilter = {}): AsyncGenerator<Disk, void, undefined> {
    return everything((page) => this.list({ ...options, ...page }), options);
  }

  /** Make an empty disk, of nobody unless a user is named. */
  async create(options: { user?: string | null } = {}, call?: CallOptions): Promise<Disk> {
    const request = given({ user: options.user, requestId: call?.requestId });
    const { disk } = await this.#api.disks.createDisk(request, call);
    return plain(DiskSchema, disk);
  }

  /** Count what the project keeps on disks. */
  async getStatistics(call?: CallOptions): Promise<DiskStatistics> {
    return plain(
      GetDiskStatisticsResponseSchema,
      await this.#api.disks.getDiskStatistics({}, call),
    );
  }

  /** Remove a disk with its artifacts. */
  async delete(diskId: string, call?: CallOptions): Promise<void> {
    await this.#api.disks.deleteDisk({ diskId }, call);
  }
}

/** Files of disks; (disk, directory, file name) names one. */
export class DiskArtifactsAPI {
  readonly #api: Acontext;
  readonly #forms: Forms;

  constructor(api: Acontext, forms: Forms) {
    this.#api = api;
    this.#forms = forms;
  }

  /**
   * Write a file of at most 16 MiB, in place of an earlier one.
   *
   * It appears whole or not at all. Larger files need the Python SDK, which speaks native gRPC.
   */
  async upsert(
    diskId: string,
    options: {
      file: Upload;
      /** The directory. Default `/`. */
      filePath?: string | null;
      /** Replaces the caller's keys; without it they are kept. */
      meta?: FreeJson | null;
    },
    call?: CallOptions,
  ): Promise<Artifact> {
    const { filename, blob } = await blobOf(options.file);
    const form = new FormData();
    if (options.filePath) form.set("file_path", options.filePath);
    if (options.meta) form.set("meta", JSON.stringify(options.meta));
    form.set("file", blob, filename);
    return this.#forms.post(`/disk/${encodeURIComponent(diskId)}/artifact`, form, call);
  }

  /** Get a file with its text and a URL that opens without a key. */
  async get(
    diskId: string,
    options: FileName & {
      /** Default true. */
      withPublicUrl?: boolean | null;
      /** Default true. */
      withContent?: boolean | null;
      /** Seconds for which the URL opens. Default 3600. */
      expire?: number | null;
    },
    call?: CallOptions,
  ): Promise<GetArtifactResp> {
    const { withPublicUrl, withContent, expire } = options;
    const answer = await this.#api.disks.getArtifact(
      { diskId, filePath: pathOf(options), ...given({ withPublicUrl, withContent, expire }) },
      call,
    );
    return plain(GetArtifactResponseSchema, answer);
  }

  /** Give the bytes of a file, or a range of them, piece by piece; files of any size. */
  async *download(
    diskId: string,
    options: FileName & { offset?: number; length?: number },
    call?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset, length } = options;
    const request = { diskId, filePath: pathOf(options), ...given({ offset, length }) };
    for await (const { content } of this.#api.disks.downloadArtifact(request, call)) {
      if (content?.data.length) yield content.data;
    }
  }

  /** Replace the caller's meta keys. */
  async update(
    diskId: string,
    options: FileName & { meta: FreeJson },
    call?: CallOptions,
  ): Promise<UpdateArtifactResp> {
    const request = { diskId, filePath: pathOf(options), meta: JSON.stringify(options.meta) };
    const { artifact } = await this.#api.disks.updateArtifact(request, call);
    return { artifact: plain(ArtifactSchema, artifact) };
  }

  /** Remove a file. */
  async delete(diskId: string, options: FileName, call?: CallOptions): Promise<void> {
    await this.#api.disks.deleteArtifact({ diskId, filePath: pathOf(options) }, call);
  }

  /** List what stands directly in a directory, the root unless a path is given. */
  async list(
    diskId: string,
    options: { path?: string | null } = {},
    call?: CallOptions,
  ): Promise<ListArtifactsResp> {
    const answer = await this.#api.disks.listArtifacts({ diskId, ...given(options) }, call);
    return plain(ListArtifactsResponseSchema, answer);
  }

  /** Find files whose text a PostgreSQL regular expression matches. */
  async grepArtifacts(
    diskId: string,
    options: { query: string; limit?: number | null },
    call?: CallOptions,
  ): Promise<Artifact[]> {
    const { query, limit } = options;
    const request = { diskId, query, ...given({ limit }) };
    const { items } = await this.#api.disks.grepArtifacts(request, call);
    return items.map((artifact) => plain(ArtifactSchema, artifact));
  }

  /** Find files by their whole path: `*` and `**` match anything, `?` one character. */
  async globArtifacts(
    diskId: string,
    options: { query: string; limit?: number | null },
    call?: CallOptions,
  ): Promise<Artifact[]> {
    const { query, limit } = options;
    const request = { diskId, query, ...given({ limit }) };
    const { items } = await this.#api.disks.globArtifacts(request, call);
    return items.map((artifact) => plain(ArtifactSchema, artifact));
  }
}

function pathOf({ filePath, filename }: FileName): string {
  return `${filePath.replace(/\/$/, "")}/${filename}`;
}
