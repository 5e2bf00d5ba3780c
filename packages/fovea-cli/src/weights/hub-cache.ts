/** @file Where models of Hugging Face's hub lie on this disk, and which `hf://OWNER/NAME[@REVISION]` a folder there is. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { FormatError, FoveaError, shardsOf } from 'fovea'
import { readWhole } from '../files.js'
import { foveaCommand } from '../shell.js'
import { UsageError } from '../usage.js'
import { HUB_PREFIX, isHub } from './hub-name.js'

/** The files of a folder from Hugging Face that may hold its weights. */
export const weightFiles: readonly string[] = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
]

/** A repository of the hub, at a branch, a tag or a commit. */
export interface HubRepository {
  /** `owner/name` */
  readonly name: string
  readonly revision: string
}

export const COMMIT = /^[0-9a-f]{40}$/
/** Words that can be parts of a path, and no way out of a folder. */
const isWord = (text: string): boolean => /^[\w.-]{1,96}$/.test(text) && !/^\.*$/.test(text)

/** @throws UsageError for what names no repository */
export function hubRepository(text: string): HubRepository {
  const [name, revision = 'main', ...more] = text.slice(HUB_PREFIX.length).split('@')
  const words = [...name.split('/'), ...revision.split('/')]
  if (more.length > 0 || name.split('/').length !== 2 || !words.every(isWord)) {
    throw new UsageError(`a model of the hub is hf://OWNER/NAME or hf://OWNER/NAME@REVISION, not '${text}'`)
  }
  return { name, revision }
}

/** What the environment says, by the names that Python's libraries have. */
export interface HubSettings {
  readonly endpoint: string
  readonly cache: string
  readonly token?: string
  readonly offline: boolean
}

export function hubSettings(
  { HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE } = process.env,
): HubSettings {
  return {
    endpoint: (HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cache: HF_HUB_CACHE || join(HF_HOME || join(homedir(), '.cache', 'huggingface'), 'hub'),
    ...(HF_TOKEN && { token: HF_TOKEN }),
    offline: /^(1|on|yes|true)$/i.test(HF_HUB_OFFLINE ?? ''),
  }
}

/** Where a repository lies, whichever of its commits are there. */
export const repositoryFolder = ({ name }: HubRepository): string =>
  join(hubSettings().cache, `models--${name.replace('/', '--')}`)

/**
 * A path as it is, or the folder that `hf://…` was downloaded to.
 * @throws FoveaError where it was not
 */
export function localPath(path: string): string {
  if (!isHub(path)) return path
  const repository = hubRepository(path)
  const folder = repositoryFolder(repository)
  const here = snapshotHere(folder, repository)
  if (here !== undefined) return here
  const again = foveaCommand('import', path, '--out', 'again.safetensors')
  throw new FoveaError(`'${path}' is not in '${folder}' any more: download it again, with ${again}`)
}

/** What a folder of the hub's is called there: `hf://OWNER/NAME@COMMIT`; undefined of any other. */
export function hubNameOf(path: string): string | undefined {
  const [commit, snapshots, models] = [path, dirname(path), dirname(dirname(path))].map(part => basename(part))
  const name = /^models--([\w.-]+?)--([\w.-]+)$/.exec(models)
  return COMMIT.test(commit) && snapshots === 'snapshots' && name !== null
    ? `${HUB_PREFIX}${name[1]}/${name[2]}@${commit}`
    : undefined
}

/** A file as messages call it: one of the hub's is `hf://OWNER/NAME@COMMIT/FILE`, wherever it lies. */
export function shownFile(file: string): string {
  const folder = hubNameOf(dirname(file))
  return folder === undefined ? file : `${folder}/${basename(file)}`
}

/** What is there already, whole. */
export function snapshotHere(folder: string, { revision }: HubRepository): string | undefined {
  const ref = join(folder, 'refs', revision)
  const commit = COMMIT.test(revision) ? revision : existsSync(ref) ? readFileSync(ref, 'utf8').trim() : ''
  if (!COMMIT.test(commit)) return undefined
  const snapshot = join(folder, 'snapshots', commit)
  return weightFiles.some(
    file =>
      existsSync(join(snapshot, file)) &&
      shardsBeside(join(snapshot, file)).every(shard => existsSync(join(snapshot, shard))),
  )
    ? snapshot
    : undefined
}

/** The files that an index names; none of a file of weights. @throws FormatError as shardsOf, and for what cannot be one on the hub */
export function shardsBeside(file: string): string[] {
  if (!file.endsWith('.index.json')) return []
  const names = shardsOf(file, readWhole(file, { what: 'an index', maxBytes: 10 << 20 }))
  const other = names.find(name => !isWord(name))
  if (other === undefined) return names
  throw new FormatError(`'${file}' names '${other.slice(0, 100)}', which is no file beside it`)
}
