/** @file Data sets on disk, for Node: `import { cifar10, imageFolder } from 'fovea-cli/data'`. */
export { type Cifar10Options, cifar10 } from './cifar10.js'
export { decodeImage, IMAGE_EXTENSIONS, imageSize } from './decode-image.js'
export { embeddedFashionMnist, type FashionMnistOptions, fashionMnist } from './fashion-mnist.js'
export { type ImageFolderOptions, imageFolder, packImageFolder } from './image-folder.js'
export { datasetNames, openDataset } from './open-dataset.js'
export { cacheFolder, type DataProgress, type LoadOptions } from './options.js'
export { openPacked, PACKED_EXTENSION, type PackedManifest, readManifest } from './packed-file.js'
