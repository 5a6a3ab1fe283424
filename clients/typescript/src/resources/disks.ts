// Disks, and the files that agents make and use on them.

import { AcontextError } from "../errors.js";
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
import { backOff, isPassing } from "../retrying.js";
import type { Options } from "../settings.js";
import type { Acontext } from "../typed.js";
import { blobOf, Forms, type Upload } from "../uploads.js";

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

  constructor(api: Acontext, settings: Required<Options>) {
    this.artifacts = new DiskArtifactsAPI(api, settings);
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
  readonly #retries: number;

  constructor(api: Acontext, settings: Required<Options>) {
    this.#api = api;
    this.#forms = new Forms(settings);
    this.#retries = settings.retries;
  }

  /**
   * Write a file of any size up to the server's limit (5 GiB unless set otherwise).
   *
   * It appears whole or not at all, in place of an earlier one. The time-out grows by a second for
   * each MiB.
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
    const path = `/disk/${encodeURIComponent(diskId)}/artifact?any_size=true`;
    return this.#forms.post(path, form, blob.size, call);
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

  /**
   * Give the bytes of a file, or a range of them, piece by piece; files of any size.
   *
   * It goes on where it was when the connection breaks. A file that was replaced meanwhile is an
   * AcontextError, for its bytes do not belong to those before.
   */
  async *download(
    diskId: string,
    options: FileName & { offset?: number; length?: number },
    call?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset = 0, length } = options;
    const { updated_at, meta } = await this.#bare(diskId, options, call);
    const { size } = meta["__artifact_info__"] as { size: number };
    const wanted = Math.min(length ?? size, size - offset);
    let had = 0;
    for (let failures = 0; ; failures++) {
      try {
        for await (const piece of this.#downloadOnce(diskId, options, offset + had, had, call)) {
          had += piece.length;
          failures = 0;
          yield piece;
        }
        return;
      } catch (error) {
        if (had > 0 && had >= wanted) return;
        if (failures >= this.#retries || call?.signal?.aborted || !isPassing(error)) throw error;
      }
      await backOff(failures, call?.signal);
      if ((await this.#bare(diskId, options, call)).updated_at !== updated_at) {
        throw new AcontextError("the file was replaced while it was downloaded");
      }
    }
  }

  async *#downloadOnce(
    diskId: string,
    options: FileName & { length?: number },
    offset: number,
    had: number,
    call?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const length = options.length === undefined ? undefined : options.length - had;
    const request = { diskId, filePath: pathOf(options), offset, ...given({ length }) };
    const patient = { timeoutMs: 0, ...call };
    for await (const { content } of this.#api.disks.downloadArtifact(request, patient)) {
      if (content?.data.length) yield content.data;
    }
  }

  /**
   * Write a file into a stream, close it, and give the number of bytes.
   *
   * In Node: `Writable.toWeb(createWriteStream("plan.md"))`.
   */
  async downloadTo(
    diskId: string,
    options: FileName & { target: WritableStream<Uint8Array> },
    call?: CallOptions,
  ): Promise<number> {
    const { filePath, filename, target } = options;
    const writer = target.getWriter();
    let size = 0;
    try {
      for await (const piece of this.download(diskId, { filePath, filename }, call)) {
        await writer.write(piece);
        size += piece.length;
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined); // it may have failed by itself
      throw error;
    }
    return size;
  }

  async #bare(diskId: string, file: FileName, call?: CallOptions): Promise<Artifact> {
    const { filePath, filename } = file;
    const bare = { filePath, filename, withPublicUrl: false, withContent: false };
    return (await this.get(diskId, bare, call)).artifact;
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
