/** @file Claims about weights from elsewhere: they become models, with what the command line and the files beside them say. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, encodeSafetensors } from 'fovea'
import { extract } from 'tar'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../src/checkpoint-file.js'
import { colorFolder, fovea, temporaryFolder } from './run-fovea.js'

const shared = join(import.meta.dirname, '../../../../shared')
const published = join(shared, 'weights/resnet20-12fca82f.th')
const images = join(shared, 'data/cifar10-jpeg.tar.gz')
const classes = 'airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck'

describe.skipIf(!existsSync(published))(`PyTorch's published ResNet-20 (skipped without ${published})`, () => {
  const model = join(temporaryFolder(), 'resnet20.safetensors')

  test('import keeps it as a model', async () => {
    const args = ['--model', 'resnet20', '--normalize', 'imagenet', '--labels', classes, '--out', model, '--json']
    const { code, json, stderr } = await fovea(['import', published, ...args])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(json).toEqual([{ out: model, parameters: 269_722, bytes: readFileSync(model).length }])
    const { name, labels, preprocessing } = readCheckpoint(model).model
    expect([name, labels.join()]).toEqual(['resnet20', classes])
    expect(preprocessing).toEqual({ size: [32, 32, 3], mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] })
  })

  test.skipIf(!existsSync(images))('it recognizes four of five JPEG test images', async () => {
    const folder = temporaryFolder()
    await extract({ file: images, cwd: folder, filter: path => /^test\/\w+\/\d\d[05]0\.jpg$/.test(path) })
    const { json, stderr } = await fovea(['eval', model, '--data', join(folder, 'test'), '--json'])
    expect(json[0]?.images, stderr).toBe(200)
    expect(Math.abs(json[0].accuracy - 0.81)).toBeLessThanOrEqual(0.1)
  })
})

describe('weights without a description', () => {
  const folder = temporaryFolder()
  const model = createModel('resnet8', { input: [24, 24, 3], classes: 3, seed: 4 })
  const file = join(folder, 'weights.safetensors')
  let photos: string

  beforeAll(async () => {
    photos = await colorFolder({ train: 8, val: 2 })
    const types = new Map(model.graph.nodes.map(({ name, outputs: [type] }) => [name, type]))
    const tensors = new Map(
      [...model.weights].map(([name, { buffer }]) => {
        const { shape } = types.get(name)!
        return [`module.${name}`, { dtype: 'float32' as const, shape, bytes: new Uint8Array(buffer as ArrayBuffer) }]
      }),
    )
    const counter = { dtype: 'int64' as const, shape: [], bytes: new Uint8Array(8) }
    tensors.set('module.bn1.num_batches_tracked', counter as never)
    writeFileSync(file, Buffer.concat(encodeSafetensors({ tensors, metadata: { format: 'pt' } })))
  })

  const beside = (name: string, files: Readonly<Record<string, unknown>>): string => {
    const path = join(folder, name)
    mkdirSync(path)
    writeFileSync(join(path, 'model.safetensors'), readFileSync(file))
    for (const [name, json] of Object.entries(files)) writeFileSync(join(path, name), JSON.stringify(json))
    return path
  }

  test('without a model, it is asked for', async () => {
    for (const args of [
      ['import', file, '--out', join(folder, 'none')],
      ['predict', file, join(photos, 'val', 'red', '0.png')],
      ['eval', file, '--data', photos],
      ['train', '--from', file, '--data', photos, '--epochs', '1'],
    ]) {
      const { code, stderr } = await fovea(args)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(
          `'${file}' holds weights without a description of their model: say which it is`,
        ),
      })
    }
  })

  test('predict and eval take the model and the normalization from the command line, and say what they took', async () => {
    const options = ['--model', 'resnet8', '--normalize', '0.5,0.5,0.5/0.25,0.25,0.25']
    const predicted = await fovea(['predict', file, join(photos, 'val', 'red', '0.png'), ...options])
    expect(predicted.stdout).toContain(
      "weights.safetensors: a safetensors file with Fovea's names; resnet8, 3 classes (without names), " +
        'images of 32×32×3, mean 0.5, 0.5, 0.5, deviation 0.25, 0.25, 0.25 (--normalize)',
    )
    const evaluated = await fovea(['eval', file, '--data', photos, ...options])
    expect(evaluated.stdout).toContain('3 classes (as given), images of 24×24×3, mean 0.5, 0.5, 0.5')
    expect(evaluated.code).toBe(0)
  })

  test.each([
    ['--normalize', '0.5/0', '--normalize takes'],
    ['--normalize', '0.5,0.5/1,1', '--normalize takes'],
    ['--normalize', 'imagenett', "not 'imagenett'"],
    ['--labels', 'a,,b', '--labels takes class names'],
    ['--labels', 'a,b,a', '--labels has the same class twice'],
  ])('%s %s is refused', async (option, value, message) => {
    const args = ['import', file, '--model', 'resnet8', '--out', join(folder, 'none'), option, value]
    const { code, stderr } = await fovea(args)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  })

  test('labels that are not as many as the classes are refused', async () => {
    const { code, stderr } = await fovea([
      'import',
      file,
      '--model',
      'resnet8',
      '--labels',
      'a,b',
      '--out',
      join(folder, 'x'),
    ])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('it tells 3 classes apart, not 2') })
  })

  test("timm's config.json says what they want", async () => {
    const crop = { crop_pct: 0.8, crop_mode: 'squash', interpolation: 'bicubic' }
    const pretrained_cfg = {
      ...crop,
      input_size: [3, 24, 24],
      mean: [0.1, 0.2, 0.3],
      std: [0.4, 0.5, 0.6],
      num_classes: 3,
    }
    const path = beside('timm', { 'config.json': { architecture: 'resnet8', num_classes: 3, pretrained_cfg } })
    const out = join(folder, 'timm.safetensors')
    const { code, stdout, stderr } = await fovea(['import', path, '--labels', 'blue,green,red', '--out', out])
    expect(stdout).toContain('images of 24×24×3 (the center of 30×30, bicubic), mean 0.1')
    expect(stderr).toContain(
      "pictures are cropped to the model's shape, not fitted to it (squash), as config.json has it",
    )
    expect(stdout).toContain('deviation 0.4, 0.5, 0.6 (config.json)')
    expect(code).toBe(0)
    const { preprocessing, weights } = readCheckpoint(out).model
    const normalization = { mean: [0.1, 0.2, 0.3], deviation: [0.4, 0.5, 0.6] }
    const resizing = { crop: 0.8, interpolation: 'bicubic' }
    expect(preprocessing).toEqual({ size: [24, 24, 3], ...normalization, resizing })
    expect(weights).toEqual(model.weights)
  })

  test('the files of transformers do, with labels; and train starts from them, with a head for other classes', async () => {
    const path = beside('transformers', {
      'config.json': { model_type: 'resnet', id2label: { 0: 'blue', 1: 'green', 2: 'red' } },
      'preprocessor_config.json': {
        ...{ do_center_crop: true, size: { shortest_edge: 30 }, crop_size: { height: 24, width: 24 } },
        ...{ image_mean: [0.1, 0.2, 0.3], image_std: [0.4, 0.5, 0.6] },
      },
    })
    const { json, code } = await fovea(['eval', path, '--model', 'resnet8', '--data', photos, '--json'])
    expect([code, json[0].classes.map(({ label }: { label: string }) => label)]).toEqual([0, ['blue', 'green', 'red']])
    const out = join(folder, 'tuned')
    const args = ['train', 'resnet8', '--from', path, '--data', photos, '--epochs', '1', '--batch', '8', '--out', out]
    const { stdout, stderr } = await fovea(args)
    expect(stdout, stderr).toContain('3 classes (named in config.json, preprocessor_config.json)')
    expect(readCheckpoint(out).model.preprocessing.mean).toEqual([0.1, 0.2, 0.3])
    const repeated = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).request
    expect(repeated.from).toBe(path)
  })

  test('packed images of another size are refused with what gives it its own; what it says works', async () => {
    const packed = async (size: string) => {
      const out = join(folder, `photos-${size}.fovea-data`)
      const { code } = await fovea(['data', 'pack', photos, '--size', size, '--out', out])
      return { code, out }
    }
    const explained = (data: string, ...more: string[]) =>
      fovea(['train', 'resnet8', '--from', file, '--data', data, '--epochs', '1', '--explain', ...more])
    const { out } = await packed('24')
    const { code, stderr } = await explained(out)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /resnet8 takes images of 32×32×3, .* has images of 24×24×3; give --size 24 to train at theirs, or pack the folder again with --size 32\n$/,
      ),
    })
    const [theirs, own] = [...stderr.matchAll(/--size (\d+)/g)].map(([, size]) => size)
    expect((await explained(out, '--size', theirs)).code).toBe(0)
    const again = await packed(own)
    expect([again.code, (await explained(again.out)).code]).toEqual([0, 0])
  })

  test('a configuration of another model is refused', async () => {
    for (const [architecture, message] of [
      ['resnet18', 'is a resnet18, not a resnet8'],
      ['tf_efficientnet_b0', 'is a tf_efficientnet_b0, not a resnet8'],
    ]) {
      const path = beside(architecture, { 'config.json': { architecture } })
      const { code, stderr } = await fovea(['import', path, '--model', 'resnet8', '--out', join(folder, 'x')])
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) })
    }
  })

  test('what is a model of Fovea already is not imported, unless for other labels or another normalization, which a line says', async () => {
    const out = join(folder, 'once.safetensors')
    await fovea(['import', file, '--model', 'resnet8', '--out', out])
    const again = await fovea(['import', out, '--model', 'resnet8', '--out', join(folder, 'twice')])
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('is a model of Fovea already'),
    })
    const other = join(folder, 'other.safetensors')
    const changes = ['--normalize', 'none', '--labels', 'x,y,z']
    const { code, stderr } = await fovea(['import', out, ...changes, '--out', other])
    const { mean, deviation } = readCheckpoint(out).model.preprocessing
    const said = `'${out}' says that images are normalized by mean ${mean.join(', ')} and deviation ${deviation.join(', ')}`
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${said}: --normalize none is taken instead\n` })
    const { labels, preprocessing } = readCheckpoint(other).model
    expect({ labels, preprocessing }).toEqual({
      labels: ['x', 'y', 'z'],
      preprocessing: { size: [32, 32, 3], mean: [0, 0, 0], deviation: [1, 1, 1] },
    })
  })
})
