/** @file Data sets on disk, for Node: `import { cifar10, imageFolder } from 'fovea-cli/data'`. */
export { type Cifar10Options, cifar10 } from './cifar10.js'
export { decodeImage, IMAGE_EXTENSIONS, imageSize } from './decode-image.js'
export { embeddedFashionMnist, type FashionMnistOptions, fashionMnist } from './fashion-mnist.js'
export type { FoundData } from './found-data.js'
export { type ImageFolderOptions, imageFolder, MAX_IMAGE_SIDE, packImageFolder } from './image-folder.js'
export { datasetNames, findDataset, openDataset } from './open-dataset.js'
export { cacheFolder, type DataProgress, type LoadOptions } from './options.js'
export { openPacked, PACKED_EXTENSION, type PackedManifest, readManifest } from './packed-file.js'
