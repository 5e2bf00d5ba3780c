/** @file Convolutions whose gradients in bfloat16 are measured against the reference. */

export interface Sample {
  readonly x: readonly [images: number, height: number, width: number, channels: number]
  readonly outputs: number
  readonly kernel: readonly [number, number]
  readonly stride?: readonly [number, number]
  /** Top, bottom, left, right. */
  readonly padding?: readonly [number, number, number, number]
}

/** Sizes that leave rests everywhere, and windows of all kinds. */
export const samples: Readonly<Record<string, Sample>> = {
  'an odd batch': { x: [3, 9, 9, 16], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'one image': { x: [1, 6, 5, 16], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'channels that fill no vector': { x: [4, 7, 6, 17], outputs: 50, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'three channels': { x: [4, 8, 8, 3], outputs: 24, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'a vector and a half of outputs': { x: [2, 8, 8, 24], outputs: 40, kernel: [3, 3] },
  'stride 2': { x: [4, 11, 10, 16], outputs: 16, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  'stride 2, an even size': { x: [3, 12, 10, 48], outputs: 32, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  'stride beyond the window, an even size': { x: [4, 8, 8, 32], outputs: 64, kernel: [1, 1], stride: [2, 2] },
  'stride 2 one way, a wide window': {
    x: [2, 8, 8, 32],
    outputs: 32,
    kernel: [3, 5],
    stride: [1, 2],
    padding: [1, 1, 2, 2],
  },
  'stride 2, padding behind only': {
    x: [4, 8, 8, 16],
    outputs: 16,
    kernel: [3, 3],
    stride: [2, 2],
    padding: [0, 1, 0, 1],
  },
  'stride beyond the window': { x: [4, 9, 9, 16], outputs: 33, kernel: [1, 1], stride: [2, 3] },
  'a low and wide window': { x: [2, 9, 12, 8], outputs: 8, kernel: [2, 5], stride: [1, 2], padding: [0, 1, 3, 2] },
  'a window larger than the image': { x: [2, 3, 3, 16], outputs: 16, kernel: [7, 7], padding: [3, 3, 3, 3] },
  'padding without a window': { x: [2, 4, 4, 16], outputs: 16, kernel: [1, 1], padding: [1, 1, 1, 1] },
  'several blocks of rows': { x: [2, 64, 64, 16], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'several blocks of images': { x: [44, 4, 4, 16], outputs: 16, kernel: [1, 1] },
  // Of so many channels that no engine takes Winograd's algorithm, whose error would be tested here.
  'more blocks of images': { x: [192, 8, 8, 20], outputs: 20, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'several slices of the batch': { x: [8, 28, 28, 90], outputs: 90, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'many channels': { x: [4, 7, 7, 512], outputs: 96, kernel: [1, 1] },
  'one tile of outputs, several taps of several inputs': { x: [4, 5, 5, 80], outputs: 16, kernel: [3, 3] },
  'images of one pixel': { x: [32, 1, 1, 48], outputs: 32, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'windows that are far larger than images': {
    x: [128, 1, 1, 256],
    outputs: 16,
    kernel: [7, 7],
    padding: [3, 3, 3, 3],
  },
  'weights larger than images, an odd number of tiles': { x: [4, 3, 3, 160], outputs: 144, kernel: [3, 3] },
  'images of two by two': { x: [6, 2, 2, 32], outputs: 48, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'a wide window, three channels, stride 2': {
    x: [4, 30, 30, 3],
    outputs: 64,
    kernel: [7, 7],
    stride: [2, 2],
    padding: [3, 3, 3, 3],
  },
  'one channel, an odd batch': {
    x: [5, 12, 11, 1],
    outputs: 17,
    kernel: [5, 5],
    stride: [2, 1],
    padding: [2, 2, 2, 2],
  },
  'two channels, padding before them only': { x: [4, 9, 8, 2], outputs: 16, kernel: [3, 4], padding: [0, 0, 4, 0] },
  'three channels, more padding than window': {
    x: [2, 7, 5, 3],
    outputs: 16,
    kernel: [3, 3],
    stride: [1, 3],
    padding: [4, 4, 5, 6],
  },
  // Each window of a row begins before the image.
  'three channels, images of one pixel': { x: [64, 1, 1, 3], outputs: 16, kernel: [3, 3], padding: [1, 1, 1, 1] },
  'three channels, images of two by two': {
    x: [64, 2, 2, 3],
    outputs: 16,
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1, 1, 1],
  },
  'three channels, a window larger than the image': {
    x: [128, 4, 4, 3],
    outputs: 64,
    kernel: [7, 7],
    stride: [2, 2],
    padding: [3, 3, 3, 3],
  },
  'stride 3 under a window of 4, little padding': {
    x: [4, 13, 14, 20],
    outputs: 20,
    kernel: [4, 4],
    stride: [3, 3],
    padding: [1, 2, 2, 1],
  },
  'no padding behind, much before': {
    x: [4, 9, 9, 16],
    outputs: 16,
    kernel: [5, 5],
    stride: [2, 2],
    padding: [4, 0, 4, 0],
  },
}

/** The shape of what the convolution makes. */
export function outputShape({ x, outputs, kernel, stride = [1, 1], padding = [0, 0, 0, 0] }: Sample) {
  const out = (axis: 0 | 1) =>
    Math.floor((x[1 + axis] + padding[2 * axis] + padding[2 * axis + 1] - kernel[axis]) / stride[axis]) + 1
  return [x[0], out(0), out(1), outputs]
}

/** Numbers within ±1 that bfloat16 holds, so that it does not matter whether a cast to it is left out; other ones for another seed. */
export const values = (shape: readonly number[], seed: number): Float32Array =>
  Float32Array.from(
    { length: shape.reduce((a, b) => a * b) },
    (_, i) => Math.round(128 * Math.sin(seed * (i + 1))) / 128,
  )
