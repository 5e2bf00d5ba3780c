/** @file Claims about Keras's files on the command line. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createModel, encodeOnnx } from 'fovea'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint-file.js'
import { fovea, temporaryFolder } from './run-fovea.js'

describe("Keras's weights", () => {
  const fixtures = join(import.meta.dirname, '../../fovea/test/formats/keras')
  const file = join(temporaryFolder(), 'efficientnet.h5')
  beforeAll(() => writeFileSync(file, gunzipSync(readFileSync(join(fixtures, 'efficientnetb0-whole.h5.gz')))))

  test('import says whose they are, and keeps what their own layers do to images', async () => {
    const model = `${file}.safetensors`
    const { code, stdout } = await fovea(['import', file, '--model', 'efficientnet-b0', '--out', model])
    expect({ code, line: stdout.split('\n')[0] }).toEqual({
      code: 0,
      line: `${file}: a Keras file with Keras's names; efficientnet-b0, 4 classes (without names), images of 224×224×3, mean 0.485, 0.456, 0.406, deviation 0.229, 0.224, 0.225 (as the file says)`,
    })
    const { graph } = readCheckpoint(model).model
    expect(graph.nodes.find(({ name }) => name === 'features.0.0')?.attrs['padding']).toEqual([0, 1, 0, 1])
  })

  test('--size says how large images are, where the file does not', async () => {
    const model = `${file}.small.safetensors`
    const args = ['import', file, '--model', 'efficientnet-b0', '--size', '64', '--out', model]
    const { code, stdout } = await fovea(args)
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('images of 64×64×3') })
    expect(readCheckpoint(model).model.preprocessing.size).toEqual([64, 64, 3])
    const onnx = `${file}.onnx`
    writeFileSync(onnx, Buffer.concat(encodeOnnx(createModel('resnet8', { input: [16, 16, 3], classes: 2 }))))
    expect(await fovea(['import', onnx, '--size', '64', '--out', `${file}.other`])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `--size is for weights alone; '${onnx}' says itself which images its model takes`,
      ),
    })
  })

  test('without a model, the command line says what is missing', async () => {
    const { code, stderr } = await fovea(['import', file, '--out', `${file}.other`])
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('holds weights without a description of their model'),
    })
  })
})
