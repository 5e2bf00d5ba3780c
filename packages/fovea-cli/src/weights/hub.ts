/**
 * @file Weights from Hugging Face's hub, `hf://OWNER/NAME[@REVISION]`: downloaded once into the folder where Python's libraries keep
 * them too, in the same layout, so that each finds what the other has. The code is our own: `@huggingface/hub` checks no hash
 * and goes on with nothing, and what would remain of it are the names of folders.
 */
import { existsSync } from 'node:fs'
import { copyFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FoveaError } from 'fovea'
import { type DownloadOptions, download, type GitFile, type RemoteFile } from '../data/download.js'
import { diskError, makeFolder, writeFileAtomic } from '../files.js'
import { configFile, preprocessorFile } from './config.js'
import {
  COMMIT,
  type HubRepository,
  type HubSettings,
  hubRepository,
  hubSettings,
  repositoryFolder,
  shardsBeside,
  snapshotHere,
  weightFiles,
} from './hub-cache.js'
import { HubError, type HubFile, headOf } from './hub-requests.js'

/**
 * The folder with the weights of a repository, and what is said beside them.
 * @throws FoveaError where there are none, the hub cannot be reached and they are not here, or it asks for a token; FormatError
 *   for a file that is not what the hub says it is
 */
export async function hubFolder(
  text: string,
  { warn, ...options }: DownloadOptions & { readonly warn: (text: string) => void },
): Promise<string> {
  const repository = hubRepository(text)
  const settings = hubSettings()
  const folder = repositoryFolder(repository)
  const here = snapshotHere(folder, repository)
  if (settings.offline) {
    if (here !== undefined) return here
    throw new FoveaError(`'${text}' is not in '${folder}', and HF_HUB_OFFLINE allows no download: run it once without`)
  }
  if (here !== undefined && COMMIT.test(repository.revision)) return here
  try {
    return await new Snapshot(text, repository, settings, folder, options).fetch()
  } catch (error) {
    if (here === undefined || !(error instanceof HubError && error.isUnreachable)) throw error
    warn(`${error.message}; what was downloaded of '${text}' before is used`)
    return here
  }
}

/** A commit of a repository as files on this disk. */
class Snapshot {
  #commit: string | undefined
  /** What was found, by name: the hub is asked once. */
  readonly #found = new Map<string, HubFile>()

  constructor(
    readonly text: string,
    readonly repository: HubRepository,
    readonly settings: HubSettings,
    readonly folder: string,
    readonly options: DownloadOptions,
  ) {}

  async fetch(): Promise<string> {
    const weights = await this.#firstOf(weightFiles)
    if (weights === undefined) throw new FoveaError(`'${this.text}' has none of ${weightFiles.join(', ')}`)
    // The weights come last: where they are, all that belongs to them is.
    for (const name of [configFile, preprocessorFile]) await this.#get(name)
    await this.#get(weights)
    const commit = this.#commit!
    const snapshot = join(this.folder, 'snapshots', commit)
    for (const shard of shardsBeside(join(snapshot, weights))) {
      if (await this.#get(shard)) continue
      throw new FoveaError(`'${this.text}' has no '${shard}', which its index names`)
    }
    const { revision } = this.repository
    if (!COMMIT.test(revision)) await writeFileAtomic(join(this.folder, 'refs', revision), commit)
    return snapshot
  }

  async #firstOf(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) if (await this.#head(name)) return name
    return undefined
  }

  /** What the hub says of a file: all of the same commit. */
  async #head(name: string): Promise<HubFile | undefined> {
    const known = this.#found.get(name)
    if (known !== undefined) return known
    const found = await headOf(this.#url(name), {
      ...{ text: this.text, headers: this.#headers },
      signal: this.options.signal,
    })
    this.#commit ??= found?.commit
    if (found !== undefined) this.#found.set(name, found)
    return found
  }

  get #headers(): Readonly<Record<string, string>> {
    const { token } = this.settings
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  #url(name: string): string {
    const revision = encodeURIComponent(this.#commit ?? this.repository.revision)
    return `${this.settings.endpoint}/${this.repository.name}/resolve/${revision}/${name}`
  }

  /** Makes sure that a file is there. @returns whether the repository has it */
  async #get(name: string): Promise<boolean> {
    const path = join(this.folder, 'snapshots', String(this.#commit), name)
    if (existsSync(path)) return true
    // Python's libraries note it there, too, when a commit has no such file.
    const lacked = join(this.folder, '.no_exist', String(this.#commit), name)
    if (existsSync(lacked)) return false
    const found = await this.#head(name)
    if (found === undefined) {
      await writeFileAtomic(lacked, '')
      return false
    }
    const blob = join(this.folder, 'blobs', found.etag)
    if (!existsSync(blob)) {
      await download(blob, remoteFile(this.#url(name), found), { ...this.options, headers: this.#headers })
    }
    try {
      makeFolder(dirname(path))
      // As Python's libraries do; where links are not allowed, the file itself.
      await symlink(join('..', '..', 'blobs', found.etag), path).catch(() => copyFile(blob, path))
    } catch (error) {
      throw diskError(error, path, 'write')
    }
    return true
  }
}

/** The hub's tags are hashes: of large files SHA-256, of others git's. */
const remoteFile = (url: string, { etag, bytes }: HubFile): RemoteFile | GitFile =>
  etag.length === 64 ? { url, bytes, sha256: etag } : { url, bytes, gitSha1: etag }
