/** @file What the hub says of a file before it is downloaded: its commit, its hash and its length, or why it does not give it. */
import { FoveaError } from 'fovea'
import { deadline } from '../deadline.js'

/** The hub did not answer, or not with the file. */
export class HubError extends FoveaError {
  override name = 'HubError'

  constructor(
    message: string,
    /** Whether there was no answer: what is on this disk may do. */
    readonly isUnreachable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** A file of the hub. */
export interface HubFile {
  /** Of the repository. */
  readonly commit: string
  /** Its hash: SHA-256, or git's SHA-1. */
  readonly etag: string
  readonly bytes: number
}

interface HeadOptions {
  /** What the user calls the repository. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Repositories that were renamed lead to where they are now. */
const MAX_REDIRECTS = 5
const TIMEOUT_MS = 30_000

/**
 * @returns undefined if the repository has no such file
 * @throws HubError naming what the hub lacks or asks for
 */
export async function headOf(url: string, { text, headers, signal }: HeadOptions): Promise<HubFile | undefined> {
  const { origin } = new URL(url)
  for (let at = url, redirects = 0; ; redirects++) {
    const response = await ask(at, { text, headers, signal })
    const { status } = response
    const error = response.headers.get('x-error-code')
    if (status === 404 && error !== 'RepoNotFound' && error !== 'RevisionNotFound') return undefined
    if (status === 404) throw new HubError(`${origin} has no '${text}': is the name right?`, false)
    if (status === 401 || status === 403) {
      throw new HubError(
        `${origin} does not give '${text}' (${status}): there is none, or it needs a token in HF_TOKEN and your consent to its terms`,
        false,
      )
    }
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, at)
    // To another server the file itself is; what it is, this one says.
    if (status >= 300 && status < 400 && next?.origin === origin && !response.headers.has('x-linked-etag')) {
      if (redirects === MAX_REDIRECTS) throw new HubError(`${url} leads nowhere: too many redirects`, false)
      at = next.href
      continue
    }
    // Too many requests: that is no word about the file.
    const isUnreachable = status >= 500 || status === 429
    if (status >= 400) throw new HubError(`${at} answered ${status} ${response.statusText}`, isUnreachable)
    return fileOf(at, response.headers)
  }
}

async function ask(url: string, { text, headers, signal }: HeadOptions): Promise<Response> {
  const late = (): Error => new Error(`no answer within ${TIMEOUT_MS / 1000} s`)
  const { signal: until, release } = deadline(TIMEOUT_MS, late, signal)
  try {
    return await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      headers: { ...headers, 'accept-encoding': 'identity' },
      signal: until,
    })
  } catch (error) {
    signal?.throwIfAborted()
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = reason instanceof Error ? reason.message || String(reason) : String(reason)
    throw new HubError(`cannot reach ${new URL(url).origin} for '${text}': ${why}`, true, { cause: error })
  } finally {
    release()
  }
}

/** @throws HubError where the answer does not say what the file is: then it could not be checked */
function fileOf(url: string, headers: Headers): HubFile {
  const commit = headers.get('x-repo-commit') ?? ''
  const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^(W\/)?"?|"$/g, '')
  const bytes = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN)
  const says =
    /^[0-9a-f]{40}$/.test(commit) && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) && Number.isSafeInteger(bytes)
  if (says && bytes >= 0) return { commit, etag, bytes }
  throw new HubError(`${url} does not say what the file is (commit, hash and length), so it cannot be checked`, false)
}
