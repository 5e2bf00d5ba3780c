/**
 * @file The levels of pixels in a request of JSON, read from its bytes. As values of JavaScript they would take twenty times the
 * memory of the body, and block the server for seconds; so only what is around them is parsed as JSON, and that is short.
 */
import { formatBytes } from 'fovea'
import { HTTPException } from 'hono/http-exception'

/** 400. */
export const badRequest = (message: string): HTTPException => new HTTPException(400, { message })

export interface RequestParts {
  /** The request, with null for the list of levels. */
  readonly json: unknown
  /** All numbers of that list, however it is nested; undefined where there is none. */
  readonly levels?: Uint8Array
}

/** Of a request without its levels: names, shapes and types. */
const MOST_JSON = 64 << 10

/** [images, height, width, channels] */
const MOST_NESTED = 4

/** The `data` of an input: the object is in a list, which is in the request. */
const DATA_DEPTH = 3

const code = (character: string): number => character.charCodeAt(0)
const [QUOTE, BACKSLASH, COLON, COMMA] = [...'"\\:,'].map(code)
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [...'[]{}'].map(code)
const [ZERO, NINE] = [...'09'].map(code)
const DATA = '"data"'

/** @throws HTTPException 400 saying what is wrong: no JSON, too long without its levels, levels that are none */
export function requestParts(body: Uint8Array): RequestParts {
  const list = levelsList(body)
  const rest =
    list === undefined ? [body] : [body.subarray(0, list.start), Buffer.from('null'), body.subarray(list.end)]
  const length = rest.reduce((sum, part) => sum + part.length, 0)
  if (length > MOST_JSON) {
    throw badRequest(
      `the request without the levels in 'data' has ${formatBytes(length)} of JSON; it may have ${formatBytes(MOST_JSON)}`,
    )
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(rest))
    return { json: JSON.parse(text) as unknown, ...(list && { levels: list.levels }) }
  } catch {
    throw badRequest('the body is no JSON; if bytes follow it, send its length as Inference-Header-Content-Length')
  }
}

interface LevelsList {
  readonly levels: Uint8Array
  /** Where it begins, and where the first byte behind it is. */
  readonly start: number
  readonly end: number
}

/** The list that an input has as `data`. Whether all around it is JSON is not its matter. */
function levelsList(body: Uint8Array): LevelsList | undefined {
  let depth = 0
  let found: LevelsList | undefined
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (byte === QUOTE) {
      const end = endOfText(body, i)
      const start = depth === DATA_DEPTH ? startOfList(body, i, end) : undefined
      i = end - 1
      if (start === undefined) continue
      if (found) throw badRequest("data of 'image': expected once, got it twice")
      found = readLevels(body, start)
      i = found.end - 1
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
  }
  return found
}

/** Behind the quote that ends a text. */
function endOfText(body: Uint8Array, start: number): number {
  let i = start + 1
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1
  return i + 1
}

/** Where the list begins, if the text is the key `data` and a list is its value. */
function startOfList(body: Uint8Array, start: number, end: number): number | undefined {
  if (end - start !== DATA.length || Buffer.from(body.subarray(start, end)).toString('latin1') !== DATA)
    return undefined
  const colon = pastSpace(body, end)
  if (body[colon] !== COLON) return undefined
  const value = pastSpace(body, colon + 1)
  return body[value] === OPEN_LIST ? value : undefined
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

function pastSpace(body: Uint8Array, start: number): number {
  let i = start
  while (isSpace(body[i])) i++
  return i
}

/** @throws HTTPException 400 for what is no list of levels */
function readLevels(body: Uint8Array, start: number): LevelsList {
  // Each takes a digit, and a comma or a bracket, at least.
  const levels = new Uint8Array((body.length - start) >> 1)
  let [count, depth, i] = [0, 0, start]
  // Of a list that has just begun, the end may follow; of any other, only behind a value.
  let [mayEnd, needsValue] = [false, true]
  for (;;) {
    i = pastSpace(body, i)
    const byte = body[i]
    if (needsValue && byte === OPEN_LIST) {
      if (++depth > MOST_NESTED) throw badRequest(`data of 'image' is more than ${MOST_NESTED} lists deep`)
      mayEnd = true
      i++
    } else if (byte === CLOSE_LIST && (mayEnd || !needsValue)) {
      ;[mayEnd, needsValue] = [false, false]
      i++
      if (--depth === 0) return { levels: levels.slice(0, count), start, end: i }
    } else if (needsValue) {
      const end = endOfNumber(body, i)
      levels[count++] = level(body, i, end)
      ;[mayEnd, needsValue] = [false, false]
      i = end
    } else if (byte === COMMA) {
      needsValue = true
      i++
    } else throw badRequest(`data of 'image': expected a comma or the end of a list, got ${shownAt(body, i)}`)
  }
}

/** Behind all that could belong to a number. */
function endOfNumber(body: Uint8Array, start: number): number {
  let i = start
  while (i < body.length && body[i] !== COMMA && body[i] !== CLOSE_LIST && !isSpace(body[i])) i++
  return i
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

function level(body: Uint8Array, start: number, end: number): number {
  const first = body[start]
  if (end - start <= 3 && first > ZERO && first <= NINE) {
    let value = 0
    for (let i = start; i < end; i++) {
      if (body[i] < ZERO || body[i] > NINE) break
      value = 10 * value + body[i] - ZERO
      if (i === end - 1 && value <= 255) return value
    }
  } else if (end - start === 1 && first === ZERO) return 0
  // 1.0 and 2e2 are whole numbers too.
  const text = end - start <= 40 ? Buffer.from(body.subarray(start, end)).toString('latin1') : ''
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  if (Number.isInteger(value) && value >= 0 && value <= 255) return value
  throw badRequest(`data of 'image': expected whole numbers from 0 to 255, got ${shownAt(body, start)}`)
}

/** What a client sent, for a message: not all of it, which may be long. */
function shownAt(body: Uint8Array, start: number): string {
  if (start >= body.length) return 'the end of the body'
  const end = Math.max(start + 1, endOfNumber(body, start))
  const text = new TextDecoder().decode(body.subarray(start, Math.min(end, start + 40)))
  return end > start + 40 ? `${text}…` : text
}
