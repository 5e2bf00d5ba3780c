/** @file Claims about ONNX files whose numbers lie in a file beside them: it is read, unless it is a link. */
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createModel, encodeOnnx } from 'fovea'
import { expect, test } from 'vitest'
import { decodeMessage, encodeMessage } from '../../fovea/src/formats/onnx/wire.js'
import { readModel } from '../src/checkpoint-file.js'

test('numbers beside an ONNX file are read from its folder, through no link', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-beside-'))
  const model = createModel('resnet8', { input: [8, 8, 3], classes: 3 })
  const { graph, ...proto } = decodeMessage('ModelProto', Buffer.concat(encodeOnnx(model)))
  const numbers: Uint8Array[] = []
  const initializer = graph!.initializer.map(({ rawData, ...tensor }) => {
    const offset = numbers.reduce((sum, { length }) => sum + length, 0)
    numbers.push(rawData!)
    const place = { location: 'a.data', offset: String(offset), length: String(rawData!.length) }
    return { ...tensor, dataLocation: 1, externalData: Object.entries(place).map(([key, value]) => ({ key, value })) }
  })
  const file = join(folder, 'a.onnx')
  writeFileSync(file, Buffer.concat(encodeMessage('ModelProto', { ...proto, graph: { ...graph, initializer } })))
  expect(() => readModel(file)).toThrow(/cannot read '.*a\.data': there is no such file/)
  writeFileSync(join(folder, 'a.data'), Buffer.concat(numbers))
  expect(readModel(file).weights.get('fc.weight')).toEqual(model.weights.get('fc.weight'))
  renameSync(join(folder, 'a.data'), join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'a.data'))
  expect(() => readModel(file)).toThrow(/a\.data', where its numbers lie, is a link: put the file itself there/)
})
