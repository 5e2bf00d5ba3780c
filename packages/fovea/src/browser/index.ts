/**
 * @file What pages and their workers have beside `fovea`, as `fovea/browser`: data sets and images from files, frames and canvases,
 * decoded by the browser.
 */
export { decodeImage, type Picture } from './decode-image.js'
export { droppedFolders } from './dropped-folders.js'
export { type ChosenFile, chosenFolders } from './folders.js'
export { type ImageDataset, type ImageDatasetOptions, imageDataset, type PicturesByClass } from './image-dataset.js'
