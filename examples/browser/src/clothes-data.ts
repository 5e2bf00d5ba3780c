/** @file Fashion-MNIST as a page reads it: the four gzipped files that come with Fovea, each fetched from beside the page. */
import { arrayDataset, type DataSplits, type Dataset } from 'fovea'

const files = {
  trainImages: new URL('../../../packages/fovea-cli/assets/fashion-mnist/train-images-idx3-ubyte.gz', import.meta.url),
  trainLabels: new URL('../../../packages/fovea-cli/assets/fashion-mnist/train-labels-idx1-ubyte.gz', import.meta.url),
  testImages: new URL('../../../packages/fovea-cli/assets/fashion-mnist/t10k-images-idx3-ubyte.gz', import.meta.url),
  testLabels: new URL('../../../packages/fovea-cli/assets/fashion-mnist/t10k-labels-idx1-ubyte.gz', import.meta.url),
} as const

const classes = ['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot']

/** What stands before the numbers of an IDX file of so many dimensions: a word, and a word for each. */
const headerBytes = (dimensions: number): number => 4 + 4 * dimensions

/** @throws Error where a file is not there */
async function read(file: URL, dimensions: number): Promise<Uint8Array> {
  const response = await fetch(file)
  if (!response.ok) throw new Error(`'${file.pathname}' cannot be read: the server answers ${response.status}`)
  const bytes = await response.blob()
  const begin = new Uint8Array(await bytes.slice(0, 2).arrayBuffer())
  // Some servers say of such a file that it is compressed, and the browser unpacks it.
  const isPacked = begin[0] === 0x1f && begin[1] === 0x8b
  const stream = isPacked ? bytes.stream().pipeThrough(new DecompressionStream('gzip')) : bytes.stream()
  return new Uint8Array(await new Response(stream).arrayBuffer()).subarray(headerBytes(dimensions))
}

async function open(name: string, imageFile: URL, labelFile: URL): Promise<Dataset> {
  const [images, labels] = await Promise.all([read(imageFile, 3), read(labelFile, 1)])
  return arrayDataset({ name, images, labels: [...labels], imageShape: [28, 28, 1], classes })
}

/** 10,000 images to train on and 2,000 held out. */
export async function openClothes(): Promise<DataSplits> {
  const [train, test] = await Promise.all([
    open('fashion-mnist/train', files.trainImages, files.trainLabels),
    open('fashion-mnist/test', files.testImages, files.testLabels),
  ])
  return { train, test }
}
