/**
 * @file Requests and answers of the open inference protocol, version 2 (KServe), with its binary tensor extension: tensors as
 * numbers in JSON, or as bytes after the JSON.
 */
import { z } from 'zod'
import { badRequest, requestParts } from './request-levels.js'

/** Where the JSON ends and the tensors' bytes begin. */
export const HEADER_LENGTH = 'Inference-Header-Content-Length'

const requestSchema = z.object({
  id: z.string().optional(),
  parameters: z.object({ binary_data_output: z.boolean().optional() }).loose().optional(),
  inputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int().min(0)).max(8),
      datatype: z.string(),
      parameters: z
        .object({ binary_data_size: z.int().min(0).optional() })
        .loose()
        .optional(),
      data: z.unknown().optional(),
    }),
  ),
  outputs: z
    .array(
      z.object({ name: z.string(), parameters: z.object({ binary_data: z.boolean().optional() }).loose().optional() }),
    )
    .optional(),
})

/** The images of a request, and how it wants its answer. */
export interface InferRequest {
  readonly id?: string | undefined
  /** 8-bit pixels, one image after another. */
  readonly pixels: Uint8Array
  readonly count: number
  /** Whether probabilities are sent as bytes. */
  readonly binaryOutput: boolean
}

/** What a client sent, for a message: not all of it, which may be long or deep. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return value === '' ? '' : `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  return typeof value === 'object' && value !== null ? 'a list or an object' : String(value)
}

/**
 * @param headerLength of the JSON in the body, where bytes follow it
 * @throws HTTPException 400 naming what is wrong, and what was expected
 */
export function parseInferRequest(
  body: Uint8Array,
  headerLength: string | undefined,
  imageShape: readonly [number, number, number],
): InferRequest {
  const jsonBytes = headerLength === undefined ? body.length : Number(headerLength)
  if (!Number.isSafeInteger(jsonBytes) || jsonBytes < 0 || jsonBytes > body.length) {
    throw badRequest(`${HEADER_LENGTH} is '${headerLength}', the body has ${body.length} bytes`)
  }
  const { levels, request } = parse(body.subarray(0, jsonBytes))
  const { id, parameters, inputs, outputs } = request
  const [input] = inputs
  if (inputs.length !== 1 || input.name !== 'image') {
    throw badRequest(
      `inputs: expected one, named 'image', got ${shown(inputs.map(({ name }) => name).join(', ')) || 'none'}`,
    )
  }
  if (input.datatype !== 'UINT8')
    throw badRequest(`datatype of 'image': expected UINT8 (levels from 0 to 255), got ${shown(input.datatype)}`)
  const [count, ...shape] = input.shape
  if (shape.length !== 3 || shape.some((side, i) => side !== imageShape[i]) || count < 1) {
    throw badRequest(`shape of 'image': expected [images, ${imageShape.join(', ')}], got [${input.shape.join(', ')}]`)
  }
  const length = count * shape.reduce((product, side) => product * side, 1)
  const size = input.parameters?.binary_data_size
  const rest = body.subarray(jsonBytes)
  if (size === undefined ? rest.length > 0 : size !== rest.length) {
    throw badRequest(`binary_data_size of 'image' is ${size ?? 'missing'}, and ${rest.length} bytes follow the JSON`)
  }
  const pixels = size === undefined ? listed(input.data, levels) : rest
  if (pixels.length !== length)
    throw badRequest(`'image' of [${input.shape.join(', ')}] has ${length} values, got ${pixels.length}`)
  const wanted = outputs?.find(({ name }) => name !== 'probabilities')
  if (wanted) throw badRequest(`outputs: expected 'probabilities', got ${shown(wanted.name)}`)
  const binaryOutput = outputs?.[0]?.parameters?.binary_data ?? parameters?.binary_data_output ?? false
  return { id, pixels, count, binaryOutput }
}

function parse(bytes: Uint8Array) {
  const { json, levels } = requestParts(bytes)
  const result = requestSchema.safeParse(json)
  if (result.success) return { request: result.data, levels }
  const [{ path, message }] = result.error.issues
  throw badRequest(`${path.join('.') || 'the body'}: ${message}`)
}

/** The levels of a list, for which null stands in the JSON. */
function listed(data: unknown, levels: Uint8Array | undefined): Uint8Array {
  if (data === null && levels) return levels
  throw badRequest(`data of 'image': expected a list of levels, got ${data === undefined ? 'none' : shown(data)}`)
}

/** The answer: JSON, with the probabilities in it or as bytes behind it. */
export function inferResponse(
  model: string,
  { id, count, binaryOutput }: InferRequest,
  probabilities: Float32Array,
): Response {
  const bytes = new Uint8Array(probabilities.buffer, probabilities.byteOffset, probabilities.byteLength)
  const output = {
    name: 'probabilities',
    datatype: 'FP32',
    shape: [count, probabilities.length / count],
    ...(binaryOutput ? { parameters: { binary_data_size: bytes.length } } : { data: [...probabilities] }),
  }
  const json = { model_name: model, model_version: '1', ...(id !== undefined && { id }), outputs: [output] }
  if (!binaryOutput) return Response.json(json)
  const header = Buffer.from(JSON.stringify(json))
  return new Response(Buffer.concat([header, bytes]), {
    headers: { 'Content-Type': 'application/octet-stream', [HEADER_LENGTH]: String(header.length) },
  })
}
