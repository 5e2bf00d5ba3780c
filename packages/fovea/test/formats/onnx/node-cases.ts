/** @file ONNX's own tests of single operators through our reader: read as far as they are, run, compared. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { FormatError } from '../../../src/errors.js'
import { ExternalData } from '../../../src/formats/onnx/external.js'
import { type Known, knownOf } from '../../../src/formats/onnx/known.js'
import { readNodes } from '../../../src/formats/onnx/read-nodes.js'
import {
  type Computed,
  dimsOf,
  isKnown,
  isStored,
  nhwc,
  type OnnxValue,
  plain,
  Reading,
} from '../../../src/formats/onnx/reading.js'
import { decodeMessage } from '../../../src/formats/onnx/wire.js'
import type { HostArray } from '../../../src/graph/arrays.js'
import { stateNodes } from '../../../src/graph/graph.js'
import { permuted } from '../../../src/ops/strided.js'

const engine = referenceEngine()
const TO_NHWC = [0, 2, 3, 1]
const TO_NCHW = [0, 3, 1, 2]

/** What came of a case. What cannot be tried so (the first input is no float, or empty) is `other`. */
export type Outcome = 'passed' | 'refused' | 'other' | `wrong: ${string}`

/** The operators of a case. */
export const operatorsOf = (folder: string): string[] =>
  decodeMessage('ModelProto', readFileSync(join(folder, 'model.onnx'))).graph!.node.map(({ opType = '' }) => opType)

/**
 * @param folder `model.onnx`, `input_N.pb` and `output_N.pb`, as ONNX has them
 * @param first what its first input is: an image that goes in, or numbers like the others
 */
export async function runCase(folder: string, first: 'computed' | 'known'): Promise<Outcome> {
  const { graph, opsetImport } = decodeMessage('ModelProto', readFileSync(join(folder, 'model.onnx')))
  const tensor = (file: string, name: string): Known => ({
    ...knownOf(decodeMessage('TensorProto', readFileSync(join(folder, file))), name),
    name,
  })
  const reading = new Reading()
  const values = new Map<string, OnnxValue>()
  let image: HostArray = new Float32Array(0)
  try {
    for (const [i, { name = '' }] of graph!.input.entries()) {
      const known = tensor(`input_${i}.pb`, name)
      values.set(name, known)
      if (i > 0 || first === 'known') continue
      const isFloat = known.type.includes('float')
      if (known.values.length === 0 || !(isFloat || known.type === 'int8' || known.type === 'uint8')) return 'other'
      const is4 = known.dims.length === 4
      const shape = is4 ? TO_NHWC.map(axis => known.dims[axis]) : known.dims
      const value = reading.builder.input('image', shape, isFloat ? 'float32' : (known.type as 'int8'))
      values.set(name, is4 ? nhwc(value) : plain(value))
      const data = is4 ? permuted(known.values, known.dims, TO_NHWC) : known.values
      image = isFloat ? Float32Array.from(data) : data
    }
    const opset = opsetImport.find(({ domain = '' }) => domain === '')?.version ?? 1
    readNodes(
      { ...graph!, output: [] },
      { opset, reading, values, bytes: 1 << 20, external: new ExternalData(undefined) },
    )
    for (const [i, { name = '' }] of graph!.output.entries()) {
      const out = values.get(name)
      if (out === undefined) return 'refused'
      if (isStored(out) || !existsSync(join(folder, `output_${i}.pb`))) return 'other'
      const expected = tensor(`output_${i}.pb`, name)
      const { dims, data } = isKnown(out) ? { dims: out.dims, data: out.values } : await computed(reading, out, image)
      if (dims.join() !== expected.dims.join()) return `wrong: ${dims.join('×')} for ${expected.dims.join('×')}`
      const at = data.findIndex((x: number, k: number) => !isNear(x, expected.values[k]))
      if (at >= 0) return `wrong: element ${at} is ${data[at]}, not ${expected.values[at]}`
    }
    return 'passed'
  } catch (error) {
    if (error instanceof FormatError) return 'refused'
    throw error
  }
}

/** ONNX's own tolerance, and an absolute one for float32. */
const isNear = (x: number, y: number): boolean =>
  Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-5 + 1e-3 * Math.abs(y)

async function computed({ builder, weights }: Reading, out: Computed, image: HostArray) {
  const name = `out:${out.value.node.name}:${out.value.index}`
  builder.output(name, out.value)
  const graph = builder.build()
  const program = await engine.compile(graph)
  for (const state of stateNodes(graph)) await program.write(state.name, weights.get(state.name)!)
  const own = (await program.run({ image }))[name]
  program.dispose()
  const { shape } = out.value.type
  const from = out.layout === 'chw' ? [shape[0], out.chw[1], out.chw[2], out.chw[0]] : shape
  return { dims: dimsOf(out), data: out.layout === 'plain' ? own : permuted(own, from, TO_NCHW) }
}
