/** @file The claim that weights from elsewhere compute what they computed there, on all images of a test set. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { extract } from 'tar'
import { expect, test } from 'vitest'
import { fovea, temporaryFolder } from './run-fovea.js'

const shared = join(import.meta.dirname, '../../../../shared')
const published = join(shared, 'weights/resnet20-12fca82f.th')
const images = join(shared, 'data/cifar10-jpeg.tar.gz')

test.skipIf(![published, images].every(existsSync))(
  "PyTorch's published ResNet-20 scores 81.03 % of the JPEG test images, as PyTorch does",
  async () => {
    const folder = temporaryFolder()
    await extract({ file: images, cwd: folder, filter: path => path.startsWith('test/') })
    const args = ['--model', 'resnet20', '--normalize', 'imagenet', '--data', join(folder, 'test'), '--json']
    const { json, stderr } = await fovea(['eval', published, ...args])
    expect(json[0]?.images, stderr).toBe(10_000)
    expect(Math.abs(json[0].accuracy - 0.8103)).toBeLessThanOrEqual(0.0005)
  },
)
